import { Button } from '@fluentui/react-components';
import type { ApiError } from './api.ts';

/** Something older is on screen and could not be refreshed. */
export function RefreshFailed({ error, reload }: { error: ApiError; reload: () => void }) {
  return (
    <div className="banner" role="alert">
      <span>This could not be refreshed, so you see what was read before. {error.message}</span>
      <Button size="small" onClick={reload}>
        Try again
      </Button>
    </div>
  );
}
