import { Button } from '@fluentui/react-components';
import type { ApiError } from './api.ts';
import { useHeadingFocus } from './use-heading-focus.ts';

/** A page that could not be loaded: what is the matter, and again. `what` begins the sentence. */
export function LoadFailed(props: { what: string; error: ApiError; reload: () => void }) {
  const title = `${props.what} could not be loaded`;
  const heading = useHeadingFocus(title);
  return (
    <main className="notice">
      <h1 ref={heading} tabIndex={-1}>
        {title}
      </h1>
      <p role="alert">{props.error.message}</p>
      <Button appearance="primary" onClick={props.reload}>
        Try again
      </Button>
      {props.error.id !== undefined && <p className="caption">Reference for support: {props.error.id}</p>}
    </main>
  );
}
