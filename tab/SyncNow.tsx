import { Button } from '@fluentui/react-components';
import { useState } from 'react';
import type { Api } from './api.ts';
import { useSync } from './use-sync.ts';

/** The button, and below the head what came of it; both from one hook, since they stand in two places. */
export function useSyncNow(props: {
  api: Api;
  id: string;
  name: string;
  /** What the page says is wrong with the tenant: it is not said twice. */
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
  const says = running
    ? `Reading ${name} …`
    : following.state === 'done'
      ? `${name} is synced. ${following.result}`
      : following.state === 'failed'
        ? trouble !== '' && following.result.startsWith(trouble)
          ? `${name} could not be synced, for the reason below.`
          : `${name} could not be synced. ${following.result}`
        : following.state === 'slow'
          ? `${name} is still being read. What is found shows here when this page is loaded again.`
          : following.state === 'lost'
            ? `The sync cannot be followed. ${following.error.message}`
            : '';
  const bad = following.state === 'failed' || following.state === 'lost';
  // The place for words is always there: a screen reader hears only what changes in it.
  const outcome = (
    <div role="status" className={says === '' ? 'sr' : `banner sync ${bad ? 'attention' : 'quiet-banner'}`}>
      <span>{says}</span>
      {running && <progress aria-label={`Reading ${name}`} />}
    </div>
  );
  return { button, outcome };
}
