import { Button } from '@fluentui/react-components';
import { useEffect, useRef, useState } from 'react';
import { type BulkSync, type JobFilter, type JobList, type JobRow, jobFilters } from '../shared/api.ts';
import type { Instant } from '../shared/time.ts';
import { counted } from '../shared/words.ts';
import type { Api, ApiError } from './api.ts';
import './companies.css';
import { LoadFailed } from './LoadFailed.tsx';
import { follow, navigate, useAddress } from './navigation.ts';
import { Age, Chip, exactTime, Mark } from './parts.tsx';
import { RefreshFailed } from './RefreshFailed.tsx';
import { hrefOf } from './route.ts';
import { Search } from './Search.tsx';
import type { SectionProps } from './section.ts';
import { asCell, asGroup, asHead, asRow, asTable } from './table-roles.ts';
import { useHeadingFocus } from './use-heading-focus.ts';
import { useLoad } from './use-load.ts';
import { asApiError } from './use-me.ts';
import { useNow } from './use-now.ts';

const typingMs = 30;
const refreshMs = 5_000;
const filterWords: Record<JobFilter, string> = {
  all: 'All',
  failing: 'Failing',
  running: 'Running now',
  overdue: 'Overdue',
};

/** What the clock does: each company's jobs, failing first, and a way to try again. */
export function Jobs({ api }: SectionProps) {
  const heading = useHeadingFocus('Jobs');
  const query = new URLSearchParams(useAddress().search);
  const show = jobFilters.find((one) => one === query.get('show')) ?? 'all';
  const q = (query.get('q') ?? '').slice(0, 80);
  const path = (after?: string): string => {
    const asked = new URLSearchParams({ show, q, ...(after === undefined ? {} : { after }) });
    return `jobs?${asked}`;
  };
  const list = useLoad<JobList>(path(), (signal) => api.get(path(), signal));
  const [typed, setTyped] = useState(q);
  const asked = useRef(q);
  const go = (to: { show?: JobFilter; q?: string }): void => {
    const next = new URLSearchParams({ show, q, ...to });
    navigate(`/tab/jobs?${next}`, 'replace');
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: the address follows what is typed, and nothing else
  useEffect(() => {
    const text = typed.trim();
    if (text === asked.current) return;
    const timer = setTimeout(() => {
      asked.current = text;
      go({ q: text });
    }, typingMs);
    return () => clearTimeout(timer);
  }, [typed]);
  // Whoever looks at jobs waits for one: the page is read again while it is looked at.
  const { reload } = list;
  useEffect(() => {
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') reload();
    }, refreshMs);
    return () => clearInterval(timer);
  }, [reload]);

  if (list.value === null) {
    return list.error === null ? (
      <main className="work" aria-busy="true">
        <header className="head">
          <h1>Jobs</h1>
        </header>
      </main>
    ) : (
      <LoadFailed what="The jobs" error={list.error} reload={list.reload} />
    );
  }
  const { counts, instances, oldestSeconds } = list.value;
  return (
    <main className="work">
      <header className="head">
        <div className="titles">
          <h1 ref={heading} tabIndex={-1}>
            Jobs
          </h1>
          <a className="caption" href="/tab/" onClick={follow}>
            Back to the scores
          </a>
        </div>
        <Search label="Search name or domain" value={typed} change={setTyped} />
      </header>
      {list.error !== null && <RefreshFailed error={list.error} reload={list.reload} />}
      <p className="caption">
        {counts.overdue === 0
          ? 'Nothing waits.'
          : `${counted(counts.overdue, 'job')} overdue, the oldest by ${lengthText(oldestSeconds * 1000)}.`}{' '}
        {instances.length === 0
          ? 'No instance works on anything right now.'
          : `At work: ${instances.map(shortInstance).join(', ')}.`}
      </p>
      <fieldset className="chips">
        <legend className="sr">Which jobs to show</legend>
        {jobFilters.map((one) => (
          <Chip
            key={one}
            pressed={show === one}
            onPress={() => go({ show: one })}
            text={filterWords[one]}
            count={counts[one]}
          />
        ))}
      </fieldset>
      <Table
        key={`${show} ${q}`}
        api={api}
        list={list.value}
        more={(after) => api.get(path(after))}
        show={show}
        changed={list.reload}
      />
    </main>
  );
}

function Table(props: {
  api: Api;
  list: JobList;
  more: (after: string) => Promise<JobList>;
  show: JobFilter;
  changed: () => void;
}) {
  const { api, list } = props;
  const now = useNow(list.now);
  const [pages, setPages] = useState<{ rows: JobRow[]; next: string | null } | null>(null);
  const [problem, setProblem] = useState<ApiError | null>(null);
  const [asked, setAsked] = useState<ReadonlySet<string>>(new Set());
  const keyOf = ({ tenant, part }: JobRow): string => `${tenant.id} ${part}`;
  const first = new Set(list.rows.map(keyOf));
  const rows = [...list.rows, ...(pages?.rows ?? []).filter((row) => !first.has(keyOf(row)))];
  const next = pages === null ? list.next : pages.next;
  const failing = rows.filter(({ failures, maySync }) => failures > 0 && maySync);

  const attempt = async (run: () => Promise<void>): Promise<void> => {
    try {
      await run();
      setProblem(null);
    } catch (error) {
      setProblem(asApiError(error));
    }
  };
  const retry = (some: readonly JobRow[]): Promise<void> =>
    attempt(async () => {
      const ids = [...new Set(some.map(({ tenant }) => tenant.id))];
      await api.post<BulkSync>('tenants/sync', { of: { ids } });
      setAsked(new Set([...asked, ...ids]));
      props.changed();
    });

  return (
    <section className="card table-card" aria-label="List of jobs">
      {props.show === 'failing' && failing.length > 1 && (
        <div className="card-head">
          <Button size="small" onClick={() => void retry(failing)}>
            Try all shown again
          </Button>
        </div>
      )}
      {problem !== null && (
        <p className="inline-problem" role="alert">
          {problem.message}
        </p>
      )}
      {rows.length === 0 ? (
        <p className="empty">{nothing[props.show]}</p>
      ) : (
        <table {...asTable}>
          <caption className="sr">Jobs, most failures first, then what is due first</caption>
          <thead {...asGroup}>
            <tr {...asRow}>
              <th {...asHead}>Company</th>
              <th {...asHead}>Job</th>
              <th {...asHead}>Result</th>
              <th {...asHead}>Last run</th>
              <th {...asHead} className="number">
                Took
              </th>
              <th {...asHead}>Next</th>
              <th {...asHead}>
                <span className="sr">Try again</span>
              </th>
            </tr>
          </thead>
          <tbody {...asGroup}>
            {rows.map((row) => (
              <Row
                key={keyOf(row)}
                row={row}
                now={now}
                asked={asked.has(row.tenant.id)}
                retry={() => void retry([row])}
              />
            ))}
          </tbody>
        </table>
      )}
      <p className={next === null ? 'sr' : 'more-status caption'} role="status">
        {next === null ? counted(list.total, 'job') : `${rows.length} of ${counted(list.total, 'job')}`} shown
      </p>
      {next !== null && (
        <div className="more">
          <Button
            onClick={() =>
              void attempt(async () => {
                const page = await props.more(next);
                setPages({ rows: [...(pages?.rows ?? []), ...page.rows], next: page.next });
              })
            }
          >
            Show more
          </Button>
        </div>
      )}
    </section>
  );
}

const nothing: Record<JobFilter, string> = {
  all: 'There is no job: no company is connected yet, or none fits this search.',
  failing: 'No job fails.',
  running: 'Nothing runs right now.',
  overdue: 'Nothing waits longer than it should.',
};

const partWords = { scores: 'Scores and health', directory: 'Users, groups, licences' } as const;

function Row(props: { row: JobRow; now: Instant; asked: boolean; retry: () => void }) {
  const { row, now } = props;
  const failing = row.failures > 0;
  return (
    <tr {...asRow}>
      <td {...asCell} className="main">
        <a href={hrefOf({ page: 'tenant', id: row.tenant.id })} onClick={follow}>
          {row.tenant.name}
        </a>
        <span className="caption">{row.tenant.domain}</span>
      </td>
      <td {...asCell} className="full caption-size">
        {partWords[row.part]}
      </td>
      <td {...asCell} className="full">
        <span className="health">
          <Mark
            kind={
              row.lease !== null || row.doneAt === null
                ? 'waiting'
                : failing
                  ? 'bad'
                  : row.overdue
                    ? 'old'
                    : 'good'
            }
          />
          {resultText(row)}
        </span>
        {row.lease !== null && <span className="caption">on {shortInstance(row.lease.instance)}</span>}
        {row.lease === null && row.why !== '' && <span className="caption">{row.why}</span>}
      </td>
      <td {...asCell} className="part caption-size" data-label="Last run:">
        {row.doneAt === null ? <span className="muted">never</span> : <Age at={row.doneAt} now={now} />}
      </td>
      <td {...asCell} className="part number caption-size" data-label="took">
        {row.ms === null ? <span className="muted">–</span> : lengthText(row.ms)}
      </td>
      <td {...asCell} className="part caption-size" data-label="Next:">
        {row.dueAt === null ? (
          <span className="muted">not again</span>
        ) : (
          <time dateTime={row.dueAt} title={exactTime(row.dueAt)}>
            {dueText(row.dueAt, now)}
          </time>
        )}
      </td>
      <td {...asCell} className="full number">
        {row.maySync && (
          <Button size="small" disabledFocusable={props.asked || row.lease !== null} onClick={props.retry}>
            {props.asked ? 'Asked' : failing ? 'Try again' : 'Sync now'}
            <span className="sr"> {row.tenant.name}</span>
          </Button>
        )}
      </td>
    </tr>
  );
}

function resultText(row: JobRow): string {
  if (row.lease !== null) return 'Running';
  if (row.failures > 0) return `Failed ${row.failures === 1 ? 'once' : `${row.failures} times in a row`}`;
  if (row.doneAt === null) return 'Not run yet';
  if (row.overdue) return 'Overdue';
  return row.outcome === 'changed'
    ? 'Done, something new'
    : row.outcome === 'failed'
      ? 'Failed'
      : 'Done, nothing new';
}

/** "in 3 h", "2 min ago": what is due, seen from now. */
function dueText(dueAt: Instant, now: Instant): string {
  const ms = Date.parse(dueAt) - Date.parse(now);
  if (Math.abs(ms) < 60_000) return 'now';
  return ms > 0 ? `in ${lengthText(ms)}` : `${lengthText(-ms)} ago`;
}

function lengthText(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  if (ms < 3_600_000) return `${Math.round(ms / 60_000)} min`;
  if (ms < 48 * 3_600_000) return `${Math.round(ms / 3_600_000)} h`;
  return `${Math.round(ms / 86_400_000)} days`;
}

/** Instances are named by a long random id: its beginning tells them apart. */
function shortInstance(id: string): string {
  return id.length > 12 ? id.slice(0, 8) : id;
}
