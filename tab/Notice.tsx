import { Button } from '@fluentui/react-components';
import { type ReactNode, useId } from 'react';
import { useHeadingFocus } from './use-heading-focus.ts';

/** A page that is only a message: what is the matter and the one thing to do about it. */
export function Notice(props: {
  title: string;
  children: ReactNode;
  action?: { text: string; run: () => void };
  /** Id of the failure in our log. */
  id?: string | undefined;
  urgent?: boolean;
}) {
  const heading = useHeadingFocus(props.title);
  const labelled = useId();
  return (
    <main className="notice" aria-labelledby={labelled}>
      <h1 id={labelled} ref={heading} tabIndex={-1}>
        {props.title}
      </h1>
      <p role={props.urgent === true ? 'alert' : undefined}>{props.children}</p>
      {props.action !== undefined && (
        <Button appearance="primary" onClick={props.action.run}>
          {props.action.text}
        </Button>
      )}
      {props.id !== undefined && <p className="caption">Reference for support: {props.id}</p>}
    </main>
  );
}
