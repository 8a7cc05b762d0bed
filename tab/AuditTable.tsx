import type { AuditLine } from '../shared/api-audit.ts';
import type { Instant } from '../shared/time.ts';
import { Mark } from './parts.tsx';
import { asCell, asGroup, asHead, asRow, asTable } from './table-roles.ts';

const time = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
});
const timeOfYear = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium' });
const marks: Record<string, 'good' | 'bad' | 'waiting' | 'old'> = {
  done: 'good',
  refused: 'old',
  failed: 'bad',
  started: 'waiting',
};

/** The entries themselves. `only` narrows to one actor. */
export function AuditTable(props: {
  rows: readonly AuditLine[];
  now: Instant;
  only: (person: string) => void;
}) {
  return (
    <table className="entries" {...asTable}>
      <caption className="sr">Entries of the audit log, newest first</caption>
      <thead {...asGroup}>
        <tr {...asRow}>
          {['Time', 'Who', 'Action', 'Tenant', 'Result', 'Details'].map((text) => (
            <th key={text} {...asHead}>
              {text}
            </th>
          ))}
        </tr>
      </thead>
      <tbody {...asGroup}>
        {props.rows.map((row) => (
          <Row key={row.id} row={row} now={props.now} only={props.only} />
        ))}
      </tbody>
    </table>
  );
}

function Row({ row, now, only }: { row: AuditLine; now: Instant; only: (person: string) => void }) {
  const { who, tenant, result } = row;
  const detail = [row.target, row.detail].filter((one) => one !== null && one !== '').join(' · ');
  return (
    <tr {...asRow}>
      <td {...asCell} className="when">
        <time dateTime={row.at} title={`${timeOfYear.format(new Date(row.at))} (${row.at})`}>
          {(row.at.slice(0, 4) === now.slice(0, 4) ? time : timeOfYear).format(new Date(row.at))}
        </time>
        <span className="caption">{row.seq === null ? 'before the chain' : `no. ${row.seq}`}</span>
      </td>
      <td {...asCell}>
        <button
          type="button"
          className="quiet inline"
          title={`Only ${who.key}`}
          onClick={() => only(who.key)}
        >
          {who.name ?? shortKey(who.key)}
        </button>
        {row.where !== null && <span className="caption">{row.where}</span>}
      </td>
      <td {...asCell} className="what">
        {row.what}
      </td>
      <td {...asCell}>
        {tenant === null ? <span className="muted">–</span> : (tenant.name ?? shortKey(tenant.id))}
      </td>
      <td {...asCell}>
        <span className="health">
          <Mark kind={marks[result] ?? 'waiting'} />
          {result}
        </span>
      </td>
      <td {...asCell} className="detail">
        {detail}
        {row.request !== null && <span className="caption">request {row.request}</span>}
      </td>
    </tr>
  );
}

/** "cli:root" as it is; of ids of somebody nobody knows by name the beginning. */
function shortKey(key: string): string {
  const id = key.split('/').at(-1) ?? key;
  return /^[0-9a-f]{8}-/.test(id) ? `${id.slice(0, 8)}…` : id;
}
