import type { TenantRow } from '../shared/api.ts';
import type { ScoreChange } from '../shared/score/score.ts';
import { isNotConnected } from '../shared/tenants/not-connected.ts';
import type { HealthState } from '../shared/tenants/tenant.ts';
import { failingTries, healthLabel } from '../shared/tenants/tenant-health.ts';
import type { Instant } from '../shared/time.ts';
import { ageText, arrowed, counted, decimal, direction, fullDay, signed } from '../shared/words.ts';

/** Small pieces both pages show the same way. */

const meaning = { up: 'better', down: 'worse', level: 'level' } as const;

/**
 * "▼ 3.1", with the whole sentence on hover and for screen readers; `missing` says why there is none. "not read" only
 * where there never was a score (`read` is false); a change that is `old` has no colour: it is no news.
 */
export function Change(props: { change: ScoreChange | null; read: boolean; old: boolean; missing: string }) {
  const { change, missing } = props;
  if (change === null) {
    return (
      <span className="muted small" title={missing}>
        {props.read ? '–' : 'not read'}
        <span className="sr">: {missing}</span>
      </span>
    );
  }
  const way = direction(change.percent);
  return (
    <span className={`change ${props.old ? 'muted' : meaning[way]}`} title={changeInWords(change)}>
      <span aria-hidden="true">{arrowed(change.percent)}</span>
      <span className="sr">{changeInWords(change)}</span>
    </span>
  );
}

/** "down 3.1 percentage points (−16.0 points) since 19 Nov 2026; the maximum moved by +4.0 points" */
export function changeInWords(change: ScoreChange): string {
  const way = direction(change.percent);
  const size =
    way === 'level' ? 'unchanged' : `${way} ${decimal(Math.abs(change.percent))} percentage points`;
  const max =
    direction(change.maxPoints) === 'level'
      ? ''
      : `; the maximum moved by ${signed(change.maxPoints)} points`;
  return `${size} (${signed(change.points)} points) since ${fullDay(change.from)}${max}`;
}

/** How long ago, with the exact time of the reader's zone on hover. */
export function Age({ at, now }: { at: Instant; now: Instant }) {
  return (
    <time dateTime={at} title={exactTime(at)}>
      {ageText(at, now)}
    </time>
  );
}

const exact = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short' });

export function exactTime(at: Instant): string {
  return exact.format(new Date(at));
}

const kinds: Record<HealthState, 'good' | 'bad' | 'waiting'> = {
  connected: 'good',
  waiting: 'waiting',
  'authentication-error': 'bad',
  'permission-error': 'bad',
  'service-error': 'bad',
};

/** The tags of a company; nothing where it has none. */
export function TagChips({ tags }: { tags: readonly string[] }) {
  if (tags.length === 0) return null;
  return (
    <ul className="tag-chips" aria-label="Tags">
      {tags.map((tag) => (
        <li key={tag} className="tag">
          {tag}
        </li>
      ))}
    </ul>
  );
}

/** A disc, a square on its tip, or a ring: the form says what the colour says. */
export function Mark({ kind }: { kind: 'good' | 'bad' | 'waiting' | 'old' }) {
  return (
    <svg className={`mark ${kind}`} width="12" height="12" viewBox="0 0 12 12" aria-hidden="true">
      {kind === 'good' && <circle cx="6" cy="6" r="5" />}
      {kind === 'bad' && <path d="M6 0 12 6 6 12 0 6Z" />}
      {kind === 'waiting' && <circle className="ring" cx="6" cy="6" r="4" />}
      {kind === 'old' && <path d="M6 .8 11.6 11H.4Z" />}
    </svg>
  );
}

/** "● Connected", "◆ Permission Error"; of a connected tenant, old data and tries that failed are no green disc. */
export function HealthWord({ row }: { row: Pick<TenantRow, 'health' | 'stale'> }) {
  const { state, cause, remedy } = row.health;
  const old = state === 'connected' && row.stale;
  const failing = failingTries(row.health);
  const kind = old || (state === 'connected' && failing !== '') ? 'old' : kinds[state];
  return (
    <span className="health" title={[failing, cause, remedy].filter(Boolean).join(' ') || undefined}>
      <Mark kind={kind} />
      {isNotConnected(row.health) ? 'Not connected yet' : healthLabel(state)}
      {old ? ' · old data' : kind === 'old' && ' · failing'}
    </span>
  );
}

/** What is not read, short: the thing itself when it is one, else how many; all of it on hover. */
export function NotRead({ lines }: { lines: readonly string[] }) {
  if (lines.length === 0) return null;
  const [only = ''] = lines;
  const short =
    lines.length === 1 ? `${only.split(':')[0]} not read` : `${counted(lines.length, 'thing')} not read`;
  return (
    <span className="caption" title={lines.join('\n')}>
      {short}
      <span className="sr">: {lines.join('; ')}</span>
    </span>
  );
}

/** A bar of `value` out of `max`; the number stands beside it, so it is silent for screen readers. */
export function Bar({ value, max }: { value: number; max: number }) {
  const share = max > 0 ? Math.min(Math.max(value / max, 0), 1) : 0;
  return (
    <span className="bar" aria-hidden="true">
      <span style={{ inlineSize: `${share * 100}%` }} />
    </span>
  );
}

/** A choice of what is seen, and how many that is. `short`: what is written where there is little room. */
export function Chip(props: {
  pressed: boolean;
  onPress: () => void;
  text: string;
  short?: string;
  count?: number;
}) {
  const { text, short } = props;
  return (
    <button type="button" className="chip" aria-pressed={props.pressed} onClick={props.onPress}>
      {short === undefined ? (
        text
      ) : (
        <>
          <span className="long">{text}</span>
          <span className="short" aria-hidden="true">
            {short}
          </span>
        </>
      )}
      {props.count !== undefined && <span className="count"> {props.count}</span>}
    </button>
  );
}
