import { type ReactNode, useState } from 'react';
import type { Api } from './api.ts';
import './companies.css';
import { useLazy } from './lazy.ts';
import { TagChips } from './parts.tsx';

const loadTags = async () => (await import('./Bulk.tsx')).Tags;

/** The tags of one company, and for its Admins a way to change them. */
export function TenantTags(props: {
  api: Api;
  id: string;
  name: string;
  tags: readonly string[];
  mayChange: boolean;
  changed: () => void;
}) {
  const { api, id, name, tags, mayChange } = props;
  const [open, setOpen] = useState(false);
  const Tags = useLazy(loadTags, open);
  if (tags.length === 0 && !mayChange) return null;
  const close = (says?: ReactNode): void => {
    setOpen(false);
    if (says !== undefined) props.changed();
  };
  return (
    <>
      <TagChips tags={tags} />
      {mayChange && (
        <button type="button" className="quiet" onClick={() => setOpen(true)}>
          {tags.length === 0 ? 'Add tags' : 'Edit tags'}
        </button>
      )}
      {open && Tags !== null && (
        <Tags api={api} of={{ ids: [id] }} these={name} known={tags} held={tags} close={close} />
      )}
    </>
  );
}
