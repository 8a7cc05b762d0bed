import { useId } from 'react';
import type { TenantFall } from '../shared/api.ts';
import type { Instant } from '../shared/time.ts';
import { dayText } from '../shared/words.ts';

/** A fall that still stands, whatever moved since: what a channel's card told, for those who follow its link. */
export function Fall({ fall, now }: { fall: TenantFall; now: Instant }) {
  const title = useId();
  const { acknowledged } = fall;
  return (
    <section className={fall.known ? 'card fall known' : 'card fall'} aria-labelledby={title}>
      <h2 id={title}>{fall.headline}</h2>
      <p className="caption">
        Compared with {dayText(fall.since, now)}.{' '}
        {acknowledged === '' ? 'Nobody has acknowledged it yet.' : `${acknowledged}.`}
      </p>
      {fall.reasons.length > 0 && (
        <ul className="reasons" aria-label="What was lost, in points">
          {fall.reasons.map(({ title: control, points }, at) => (
            // Two controls may have one title, and the list never changes its order.
            // biome-ignore lint/suspicious/noArrayIndexKey: see above
            <li key={at}>
              <b className="change worse">{points}</b>
              <span>{control}</span>
            </li>
          ))}
        </ul>
      )}
      {fall.more !== '' && <p className="caption">{fall.more}</p>}
      {fall.aside.length > 0 && <p className="caption">{fall.aside.join(' ')}</p>}
    </section>
  );
}
