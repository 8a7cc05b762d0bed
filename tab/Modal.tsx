import { type ReactNode, useEffect, useId, useRef } from 'react';

/**
 * A dialog over the page: the browser's own element, which keeps the focus inside and everything behind it out of
 * reach. Esc closes it unless something is `busy`; the focus goes back to where it came from.
 */
export function Modal(props: { title: string; busy: boolean; close: () => void; children: ReactNode }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const labelled = useId();
  useEffect(() => {
    const element = dialog.current;
    const before = document.activeElement;
    element?.showModal();
    // Otherwise the first thing in the dialog has the focus, which is the way out of it.
    element?.querySelector<HTMLElement>('input:not([readonly])')?.focus();
    return () => {
      element?.close();
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  const heading = useRef<HTMLHeadingElement>(null);
  const first = useRef(props.title);
  useEffect(() => {
    // Another step of the same dialog: who pressed a button that is gone now goes on from its heading.
    if (props.title !== first.current) heading.current?.focus();
    first.current = props.title;
  }, [props.title]);
  return (
    <dialog
      ref={dialog}
      className="modal"
      aria-labelledby={labelled}
      onCancel={(event) => {
        // The page decides when it goes, so that the browser does not close what is still drawn.
        event.preventDefault();
        if (!props.busy) props.close();
      }}
    >
      <header className="modal-head">
        <h2 id={labelled} ref={heading} tabIndex={-1}>
          {props.title}
        </h2>
        <button
          type="button"
          className="quiet close"
          aria-label="Close"
          disabled={props.busy}
          onClick={props.close}
        >
          <svg width="12" height="12" viewBox="0 0 12 12" aria-hidden="true">
            <path d="M2 2 10 10M10 2 2 10" />
          </svg>
        </button>
      </header>
      {props.children}
    </dialog>
  );
}
