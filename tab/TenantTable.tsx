import { memo } from 'react';
import type { TenantRow } from '../shared/api.ts';
import { credentialWords, expiryText } from '../shared/tenants/credential-expiry.ts';
import { isNotConnected } from '../shared/tenants/not-connected.ts';
import { failingTries } from '../shared/tenants/tenant-health.ts';
import type { Instant } from '../shared/time.ts';
import { ageText, dayText, fullDay, percentText, total } from '../shared/words.ts';
import { navigate } from './navigation.ts';
import { Age, Bar, Change, HealthWord, NotRead } from './parts.tsx';
import { pointsOf } from './points.ts';
import { hrefOf } from './route.ts';
import { Sparkline } from './Sparkline.tsx';

/**
 * Roles in so many words: on a narrow screen rows are laid out as a grid, and a table that is not displayed as one
 * loses what it is for screen readers.
 */
const table = { role: 'table' };
const group = { role: 'rowgroup' };
const rowRole = { role: 'row' };
const head = { role: 'columnheader' };
const cell = { role: 'cell' };

/** What a row offers to get into its tenant. */
export type WayIn = ((row: TenantRow) => React.ReactNode) | null;

/** Not connected yet, or no longer: what a consent mends. */
export function needsConnecting({ health }: Pick<TenantRow, 'health'>): boolean {
  return (
    isNotConnected(health) || health.state === 'authentication-error' || health.state === 'permission-error'
  );
}

/** The list itself: dense, calm, numbers to the right. */
export function TenantTable(props: {
  rows: readonly TenantRow[];
  now: Instant;
  /** Drawn where a tenant needs a way in; null for who may not connect. */
  connect: WayIn;
}) {
  const { rows, now, connect } = props;
  return (
    <table className="tenants" {...table}>
      <caption className="sr">Tenants, worst change since the day before first</caption>
      <TableHead />
      <tbody {...group}>
        {rows.map((row) => (
          <Row
            key={row.id}
            row={row}
            now={now}
            age={row.readAt === null ? '' : ageText(row.readAt, now)}
            connect={connect}
          />
        ))}
      </tbody>
    </table>
  );
}

export function TableHead() {
  return (
    <thead {...group}>
      <tr {...rowRole}>
        <th {...head}>Tenant</th>
        <th {...head} className="number score">
          Score
        </th>
        <th {...head} className="spark-cell">
          30 days
        </th>
        <th {...head} className="number" title="Change since the day before, in percentage points">
          1 day
        </th>
        <th {...head} className="number" title="Change over 30 days, in percentage points">
          30 days
        </th>
        <th {...head}>Health</th>
        <th {...head}>Read</th>
      </tr>
    </thead>
  );
}

const noDayBefore = 'There is no day to compare with yet.';

/** One tenant. `now` moves every half minute; a row is drawn again only when its words change. */
const Row = memo(
  function Row({ row, now, connect }: { row: TenantRow; now: Instant; age: string; connect: WayIn }) {
    const href = hrefOf({ page: 'tenant', id: row.id });
    const trouble = row.health.state !== 'connected';
    // What was known last stays, with its day: only the colours of news are taken from it.
    const old = row.stale || (trouble && row.health.state !== 'waiting');
    const failing = failingTries(row.health);
    const why = row.score !== null || row.health.cause === '' ? noDayBefore : row.health.cause;
    return (
      <tr
        {...rowRole}
        className={row.namesake === true ? 'namesake' : undefined}
        onClick={(event) => {
          if (plainClick(event)) navigate(href);
        }}
      >
        <td {...cell} className="name">
          <a
            href={href}
            onClick={(event) => {
              if (!plainClick(event)) return;
              event.preventDefault();
              event.stopPropagation();
              navigate(href);
            }}
          >
            {row.name}
          </a>
          <span className="under">
            <span className="caption">{row.domain}</span>
            {row.fall !== undefined && <FallChip fall={row.fall} />}
            {row.ending !== undefined && (
              <span className="tag fell worse">
                {credentialWords[row.ending.kind]} {expiryText(row.ending.expiresAt, now)}
              </span>
            )}
          </span>
        </td>
        <td {...cell} className="number score">
          {row.score === null ? (
            <span className="muted">not read</span>
          ) : (
            <span
              className={old ? 'with-bar muted' : 'with-bar'}
              title={`${pointsOf(row.score.current, row.score.max)}, ${fullDay(row.score.day)}`}
            >
              {percentText(row.score.percent)}
              <Bar value={row.score.percent ?? 0} max={100} />
            </span>
          )}
          {row.score !== null && old && (
            <span className="caption of-day">of {dayText(row.score.day, now)}</span>
          )}
        </td>
        <td {...cell} className="spark-cell">
          {row.score !== null && <Sparkline spark={row.score.spark} faded={old} />}
        </td>
        <td {...cell} className="number day">
          <Change
            change={row.score?.sinceYesterday ?? null}
            read={row.score !== null}
            old={old}
            missing={why}
          />
        </td>
        <td {...cell} className="number month">
          <Change change={row.score?.over30Days ?? null} read={row.score !== null} old={old} missing={why} />
        </td>
        <td {...cell} className="health-cell">
          <HealthWord row={row} />
          {failing !== '' && <span className="caption">{failing}</span>}
          {trouble && row.health.cause !== '' && !isNotConnected(row.health) ? (
            <span className="caption">{row.health.cause}</span>
          ) : (
            row.health.state !== 'waiting' && <NotRead lines={row.notRead} />
          )}
          {connect !== null && needsConnecting(row) && connect(row)}
        </td>
        <td {...cell} className="read">
          {row.readAt === null ? <span className="muted">not yet</span> : <Age at={row.readAt} now={now} />}
        </td>
      </tr>
    );
  },
  (before, after) =>
    before.row === after.row &&
    before.age === after.age &&
    (before.connect === null) === (after.connect === null),
);

/** A fall that stands, whatever the last two days say: words first, the colour only agrees. */
function FallChip({ fall }: { fall: NonNullable<TenantRow['fall']> }) {
  const points = total(fall.points);
  const lost = `Lost ${points} ${points === '1' ? 'point' : 'points'}`;
  return fall.acknowledged ? (
    <span className="tag fell">{lost} · acknowledged</span>
  ) : (
    <span className="tag fell worse">
      <span aria-hidden="true">▼ </span>
      {lost}
    </span>
  );
}

/** A click that means "go there", not "open beside" and not the end of selecting text. */
function plainClick(event: React.MouseEvent): boolean {
  const modified = event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || event.button !== 0;
  return !modified && (window.getSelection()?.isCollapsed ?? true);
}
