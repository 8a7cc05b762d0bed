import type { Fact } from '../shared/directory/page.ts';
import type { Instant } from '../shared/time.ts';
import { Age, Mark } from './parts.tsx';

/** The heading of a card with the age of what stands in it. */
export function Head({ title, fact, now }: { title: string; fact: Fact<unknown>; now: Instant }) {
  return (
    <div className="card-head">
      <h3>{title}</h3>
      {fact.known && fact.readAt !== null && (
        <span className="caption">
          read <Age at={fact.readAt} now={now} />
        </span>
      )}
    </div>
  );
}

/** Instead of a number: that it is not known, and why. */
export function NotKnown({ why, what }: { why: string; what?: string }) {
  return (
    <p className="caption unknown">
      <Mark kind="waiting" /> {what === undefined ? '' : `${what}: `}Not known, because {why}.
    </p>
  );
}
