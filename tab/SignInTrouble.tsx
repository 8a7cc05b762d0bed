import { useEffect, useState } from 'react';
import { type ApiError, tabConfig } from './api.ts';
import { Notice } from './Notice.tsx';
import { Outside } from './Outside.tsx';

const titles: Partial<Record<ApiError['kind'], string>> = {
  consent: 'Watchpost needs your consent',
  clock: 'A clock is wrong',
  'signed-out': 'You are not signed in',
  unreachable: 'Watchpost cannot be reached',
  refused: 'You cannot use Watchpost yet',
};

/** The page when nobody can be shown anything: what is the matter, what to do, and a way on without a new start. */
export function SignInTrouble({ error, again }: { error: ApiError; again: () => void }) {
  const { kind } = error;
  // Whoever was offline need not press anything.
  useEffect(() => {
    if (kind !== 'unreachable') return;
    window.addEventListener('online', again);
    return () => window.removeEventListener('online', again);
  }, [kind, again]);
  return (
    <Notice
      title={titles[kind] ?? 'Watchpost could not be opened'}
      action={{ text: kind === 'consent' ? 'Ask me again' : 'Try again', run: again }}
      id={error.id}
      urgent
    >
      {error.message} {kind === 'consent' && <ForAdministrators />}
      {kind === 'unreachable' && 'It is tried again by itself as soon as there is a connection.'}
    </Notice>
  );
}

/** Where an administrator agrees for everybody, when Watchpost can tell. */
function ForAdministrators() {
  const [link, setLink] = useState<string | null>(null);
  useEffect(() => {
    tabConfig().then(
      (config) => setLink(config.signIn === 'teams-only' ? (config.consentUrl ?? null) : null),
      // Without the link the words alone have to do.
      () => setLink(null),
    );
  }, []);
  return (
    <>
      Press the button and choose Accept. If Teams says that only an administrator may agree, ask one
      {link === null ? (
        '.'
      ) : (
        <>
          {' '}
          to open <Outside href={link}>the consent page for the whole organisation</Outside>.
        </>
      )}
    </>
  );
}
