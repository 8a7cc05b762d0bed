import type { TenantPage } from '../shared/api.ts';
import type { Instant } from '../shared/time.ts';
import { counted, dayText, decimal, direction, signed } from '../shared/words.ts';

type Score = NonNullable<TenantPage['tenant']['score']>;
const shown = 5;

/** The reasons beside the number, with points that add up, and what is not counted. */
export function Why({ page, score, now }: { page: TenantPage; score: Score; now: Instant }) {
  // What reads as 0.0 moved only by rounding: counted, not listed.
  const moved = page.moved.filter(({ points }) => direction(points) !== 'level');
  const dust = page.moved.filter(({ points }) => direction(points) === 'level');
  const change = score.sinceYesterday;
  const way = change === null ? 'level' : direction(change.points);
  const verb = { up: 'Why it rose on', down: 'Why it fell on', level: 'What moved on' }[way];
  const onlyMaximum = change !== null && direction(change.maxPoints) !== 'level';
  // Many small moves can add up to a change that shows, though none of them does.
  const moves = way !== 'level' || direction(change?.percent ?? 0) !== 'level';
  const small = moves && !onlyMaximum && Math.abs(change?.points ?? 0) < 1;
  const quiet = onlyMaximum
    ? 'Only the maximum moved on'
    : small
      ? 'Only small moves on'
      : 'Nothing moved on';
  const rest = [...moved.slice(shown), ...dust];
  return (
    <section className="card why">
      <h2>
        {moved.length > 0 ? verb : quiet} {dayText(score.day, now)}
      </h2>
      {moved.length === 0 ? (
        <p className="caption">
          {change === null
            ? 'There is no earlier day to compare with yet.'
            : `No control ${small ? 'alone ' : ''}gained or lost ${small ? 'as much as 0.1 points' : 'points'} since ${dayText(change.from, now)}${small ? `; together ${signed(change.points)}` : ''}.`}
        </p>
      ) : (
        <ul className="reasons">
          {moved.slice(0, shown).map((one) => (
            <li key={one.name}>
              <b className={`change ${one.byUsers === true ? '' : one.points < 0 ? 'worse' : 'better'}`}>
                {signed(one.points)}
              </b>
              <span>
                {one.title}
                {one.byUsers === true && (
                  <span className="caption">Numbers of licences or users changed; nobody did anything.</span>
                )}
                {statusOf(page, one.name)}
              </span>
            </li>
          ))}
          {rest.length > 0 && (
            <li>
              <b className="change">{signed(sum(rest))}</b>
              <span>{counted(rest.length, 'more control')}</span>
            </li>
          )}
        </ul>
      )}
      {change !== null && !(small && moved.length === 0) && (
        <p className="caption">
          {sumInWords(sum(page.moved), change, score.max, moved.length > 0, dayText(change.from, now))}
        </p>
      )}
    </section>
  );
}

function statusOf(page: TenantPage, control: string) {
  const status = page.actions.find((action) => action.control === control)?.status;
  return status === undefined || status === '' ? null : <span className="caption">{status}</span>;
}

function sum(some: readonly { points: number }[]): number {
  return some.reduce((points, one) => points + one.points, 0);
}

/** What the points come to, and what moved beside them without anybody doing anything. */
function sumInWords(
  points: number,
  change: NonNullable<Score['sinceYesterday']>,
  max: number,
  some: boolean,
  since: string,
): string {
  const parts: string[] = [];
  if (some) parts.push(`Adds up to ${signed(points)} of ${decimal(max)} points.`);
  const beside = change.points - points;
  if (direction(beside) !== 'level')
    parts.push(
      `${signed(beside)} points came otherwise: controls that Microsoft added or retired, or earlier days.`,
    );
  if (direction(change.maxPoints) !== 'level')
    parts.push(`Microsoft moved the maximum by ${signed(change.maxPoints)} points.`);
  else if (some) parts.push(`Since ${since} the maximum stayed as it was.`);
  return parts.join(' ');
}
