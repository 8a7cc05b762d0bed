import { Button } from '@fluentui/react-components';
import { type ReactNode, useState } from 'react';
import type { Api } from './api.ts';
import { type Following, useSync } from './use-sync.ts';

/** What is the matter with the tenant, and what to press; as the page has it, whoever synced. */
export type Matter = { words: ReactNode; button: ReactNode };

/**
 * The button, and below the head what came of it; both from one hook, since they stand in two places. A sync that
 * failed and what is the matter with the tenant are one thing: they are told in one box.
 */
export function useSyncNow(props: {
  api: Api;
  id: string;
  name: string;
  /** Why the tenant cannot be read, as the page says it: it is not said twice. */
  trouble: string;
  ended: () => void;
}) {
  const { api, id, name, trouble } = props;
  const { following, follow, lost } = useSync(api, id, props.ended);
  const [asking, setAsking] = useState(false);
  const running = asking || following.state === 'running';

  const press = async (): Promise<void> => {
    if (running) return;
    setAsking(true);
    try {
      follow(await api.sync(id));
    } catch (error) {
      lost(error);
    } finally {
      setAsking(false);
    }
  };

  const button = (
    <Button onClick={() => void press()} disabledFocusable={running}>
      {running ? 'Syncing …' : 'Sync now'}
    </Button>
  );
  const says = running ? `Reading ${name} …` : inWords(following, name, trouble);
  const bad = !running && (following.state === 'failed' || following.state === 'lost');
  // The place for words is always there: a screen reader hears only what changes in it.
  const outcome = (matter: Matter | null): ReactNode => (
    <>
      <div role="status" className={says === '' ? 'sr' : `banner sync ${bad ? 'attention' : 'quiet-banner'}`}>
        <span>
          {says} {bad && matter?.words}
        </span>
        {running && <progress aria-label={`Reading ${name}`} />}
        {bad && matter?.button}
      </div>
      {!bad && matter !== null && (
        <div role="status" className="banner attention">
          <span>{matter.words}</span>
          {matter.button}
        </div>
      )}
    </>
  );
  return { button, outcome };
}

function inWords(following: Following, name: string, trouble: string): string {
  switch (following.state) {
    case 'done':
      return `${name} is synced. ${following.result}`;
    case 'failed':
      return trouble !== '' && following.result.startsWith(trouble)
        ? `${name} could not be synced.`
        : `${name} could not be synced. ${following.result}`;
    case 'slow':
      return `${name} is still being read. What is found shows here when this page is loaded again.`;
    case 'lost':
      return `The sync cannot be followed. ${following.error.message}`;
    default:
      return '';
  }
}
