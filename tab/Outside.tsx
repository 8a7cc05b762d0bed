import type { ReactNode } from 'react';

/** A link that leaves Watchpost: it opens a window of its own and says so, to the eye and to who listens. */
export function Outside(props: { href: string; children: ReactNode }) {
  return (
    <a href={props.href} target="_blank" rel="noopener noreferrer">
      {props.children}
      <svg className="external" width="12" height="12" viewBox="0 0 12 12" aria-hidden="true">
        <path d="M4 2H2v8h8V8M7 2h3v3M10 2 5.5 6.5" />
      </svg>
      <span className="sr"> (opens a new window)</span>
    </a>
  );
}
