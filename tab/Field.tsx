import { type ReactNode, type Ref, useId } from 'react';

/** One line to type into, with its label above and a hint below. The browser's own field, like the search. */
export function Field(props: {
  label: string;
  hint?: ReactNode;
  most: number;
  /** A secret stays in the element alone: it is never written into the page, kept by the browser, or read back. */
  secret?: boolean;
  optional?: boolean;
  /** A day, chosen with the browser's own means; `value` is `2026-11-20` or empty. */
  day?: boolean;
  value?: string;
  fixed?: boolean;
  field?: Ref<HTMLInputElement>;
  change: (text: string) => void;
}) {
  const id = useId();
  const hint = useId();
  return (
    <div className="field">
      <label htmlFor={id}>
        {props.label}
        {props.optional === true && <span className="caption"> (optional)</span>}
      </label>
      <input
        id={id}
        ref={props.field}
        className="search"
        type={props.secret === true ? 'password' : props.day === true ? 'date' : 'text'}
        {...(props.value === undefined ? {} : { value: props.value })}
        required={props.optional !== true}
        readOnly={props.fixed === true}
        maxLength={props.most}
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        data-1p-ignore
        data-lpignore="true"
        aria-describedby={props.hint === undefined ? undefined : hint}
        onChange={(event) => props.change(event.target.value)}
      />
      {props.hint !== undefined && (
        <p id={hint} className="caption">
          {props.hint}
        </p>
      )}
    </div>
  );
}
