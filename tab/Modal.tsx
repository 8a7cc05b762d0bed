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
    return () => {
      element?.close();
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
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
        <h2 id={labelled}>{props.title}</h2>
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
