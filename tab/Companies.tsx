import { Button } from '@fluentui/react-components';
import { memo, useEffect, useRef, useState } from 'react';
import type { Selection, TenantList, TenantMatch, TenantRow } from '../shared/api.ts';
import { cadenceText } from '../shared/tenants/cadence.ts';
import { isNotConnected } from '../shared/tenants/not-connected.ts';
import type { WorkState } from '../shared/tenants/work-state.ts';
import { workStateOf, workStateText } from '../shared/tenants/work-state.ts';
import type { Instant } from '../shared/time.ts';
import { ageText, counted } from '../shared/words.ts';
import type { ApiError } from './api.ts';
import { Bulk } from './Bulk.tsx';
import './companies.css';
import { LoadFailed } from './LoadFailed.tsx';
import { useLazy } from './lazy.ts';
import { Narrow } from './Narrow.tsx';
import { follow, navigate, useAddress } from './navigation.ts';
import { Age, Mark, TagChips } from './parts.tsx';
import { RefreshFailed } from './RefreshFailed.tsx';
import { hrefOf } from './route.ts';
import { Search } from './Search.tsx';
import type { SectionProps } from './section.ts';
import { needsConnecting, type WayIn } from './TenantTable.tsx';
import { asCell, asGroup, asHead, asRow, asTable } from './table-roles.ts';
import { useHeadingFocus } from './use-heading-focus.ts';
import { useKeyOf } from './use-key-of.ts';
import { forgetLoads, useLoad } from './use-load.ts';
import { asApiError } from './use-me.ts';
import { useNow } from './use-now.ts';

const typingMs = 30;
const loadConsentRow = async () => (await import('./Consent.tsx')).ConsentRow;

type Ticked = ReadonlySet<string> | 'all';

/** The work list: who is connected and who is not, and what is done to many of them with one press. */
export function Companies({ api, me }: SectionProps) {
  const heading = useHeadingFocus('Companies');
  const match = matchOf(useAddress().search);
  const key = hrefOf({ page: 'overview', show: 'all', q: match.q ?? '', ...narrowed(match) });
  const list = useLoad<TenantList>(`companies ${key}`, (signal) =>
    api.tenants({ show: 'all', q: match.q ?? '', ...narrowed(match) }, signal),
  );
  const loaded = useKeyOf(list.value, key);
  const [typed, setTyped] = useState(match.q ?? '');
  const [ticked, setTicked] = useState<Ticked>(new Set());
  const asked = useRef(match.q ?? '');

  const go = (to: TenantMatch): void => {
    setTicked(new Set());
    navigate(addressOf({ ...match, ...to }), 'replace');
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

  const mayConnect = me?.may.connect === true;
  const offers = mayConnect && me?.consent === true;
  const ConsentRow = useLazy(loadConsentRow, offers && list.value?.rows.some(needsConnecting) === true);
  const connect: WayIn =
    ConsentRow === null
      ? null
      : (row) => (
          <ConsentRow api={api} company={row} again={!isNotConnected(row.health)} changed={list.reload} />
        );

  if (list.value === null) {
    return list.error === null ? (
      <main className="work" aria-busy="true">
        <header className="head">
          <h1>Companies</h1>
        </header>
      </main>
    ) : (
      <LoadFailed what="The companies" error={list.error} reload={list.reload} />
    );
  }
  const { figures, total } = list.value;
  const known = figures.tags.map(({ tag }) => tag);
  const chosen = ticked === 'all' ? total : ticked.size;
  const of: Selection = ticked === 'all' ? { match } : { ids: [...ticked] };
  return (
    <main className="work">
      <header className="head">
        <div className="titles">
          <h1 ref={heading} tabIndex={-1}>
            Companies
          </h1>
          <a className="caption" href="/tab/" onClick={follow}>
            Back to the scores
          </a>
        </div>
        <Search label="Search name or domain" value={typed} change={setTyped} />
        {mayConnect && (
          <Button appearance="primary" onClick={() => navigate('/tab/add')}>
            Add companies
          </Button>
        )}
      </header>
      {list.error !== null && <RefreshFailed error={list.error} reload={list.reload} />}
      <Narrow figures={figures} at={match} go={go} />
      <Table
        key={loaded}
        list={list.value}
        more={(after) => api.tenants({ show: 'all', q: match.q ?? '', ...narrowed(match), after })}
        ticked={ticked}
        tick={setTicked}
        q={match.q ?? ''}
        connect={connect}
      />
      <Bulk
        api={api}
        manage={me?.may.manage === true}
        of={of}
        chosen={chosen}
        total={total}
        tags={known}
        held={heldBy(ticked, list.value.rows) ?? known}
        chooseAll={() => setTicked('all')}
        clear={() => setTicked(new Set())}
        changed={() => {
          forgetLoads();
          list.reload();
        }}
      />
    </main>
  );
}

function Table(props: {
  list: TenantList;
  more: (after: string) => Promise<TenantList>;
  ticked: ReadonlySet<string> | 'all';
  tick: React.Dispatch<React.SetStateAction<Ticked>>;
  q: string;
  connect: WayIn;
}) {
  const { list, ticked, tick } = props;
  const now = useNow(list.now);
  const [pages, setPages] = useState<{ rows: TenantRow[]; next: string | null } | null>(null);
  const [problem, setProblem] = useState<ApiError | null>(null);
  const first = new Set(list.rows.map(({ id }) => id));
  const rows = [...list.rows, ...(pages?.rows ?? []).filter(({ id }) => !first.has(id))];
  const next = pages === null ? list.next : pages.next;
  const isTicked = (id: string): boolean => ticked === 'all' || ticked.has(id);
  const whole = rows.length > 0 && rows.every(({ id }) => isTicked(id));

  const shown = useRef(rows);
  shown.current = rows;
  // What is ticked, and what is shown, as they are when it happens: a row is not drawn anew for each change of others.
  const change = (ids: readonly string[], on: boolean): void =>
    tick((before) => {
      const after = new Set(before === 'all' ? shown.current.map(({ id }) => id) : before);
      for (const id of ids) {
        if (on) after.add(id);
        else after.delete(id);
      }
      return after;
    });
  const showMore = async (): Promise<void> => {
    if (next === null) return;
    try {
      const page = await props.more(next);
      setPages({ rows: [...(pages?.rows ?? []), ...page.rows], next: page.next });
      setProblem(null);
    } catch (error) {
      setProblem(asApiError(error));
    }
  };

  return (
    <section className="card table-card" aria-label="List of companies">
      {rows.length === 0 ? (
        <p className="empty">
          {list.figures.tenants === 0
            ? 'There is no company here yet.'
            : 'No company fits this search and choice.'}
        </p>
      ) : (
        <table {...asTable}>
          <caption className="sr">Companies, those that need something first</caption>
          <thead {...asGroup}>
            <tr {...asRow}>
              <th {...asHead} className="tick">
                <input
                  type="checkbox"
                  aria-label="Choose all that are shown"
                  checked={whole}
                  onChange={({ target }) =>
                    change(
                      rows.map(({ id }) => id),
                      target.checked,
                    )
                  }
                />
              </th>
              <th {...asHead}>Company</th>
              <th {...asHead}>Tags</th>
              <th {...asHead}>State</th>
              <th {...asHead}>Scores are read</th>
              <th {...asHead}>Last read</th>
            </tr>
          </thead>
          <tbody {...asGroup}>
            {rows.map((row) => (
              <Row
                key={row.id}
                row={row}
                now={now}
                age={row.readAt === null ? '' : ageText(row.readAt, now)}
                ticked={isTicked(row.id)}
                tick={(on) => change([row.id], on)}
                connect={props.connect}
              />
            ))}
          </tbody>
        </table>
      )}
      <p className={next === null ? 'sr' : 'more-status caption'} role="status">
        {next === null
          ? counted(list.total, 'company', 'companies')
          : `${rows.length} of ${counted(list.total, 'company', 'companies')}`}
        {props.q !== '' && ` with “${props.q}”`} shown
      </p>
      {problem !== null && (
        <p className="inline-problem" role="alert">
          {problem.message} What is above stays as it was read.
        </p>
      )}
      {next !== null && (
        <div className="more">
          <Button onClick={() => void showMore()}>Show more</Button>
        </div>
      )}
    </section>
  );
}

type RowProps = {
  row: TenantRow;
  now: Instant;
  age: string;
  ticked: boolean;
  tick: (on: boolean) => void;
  connect: WayIn;
};

const Row = memo(function Row(props: RowProps) {
  const { row, now } = props;
  return (
    <tr {...asRow} className="tickable">
      <td {...asCell} className="tick">
        <input
          type="checkbox"
          aria-label={`Choose ${row.name}`}
          checked={props.ticked}
          onChange={({ target }) => props.tick(target.checked)}
        />
      </td>
      <td {...asCell} className="main">
        <a href={hrefOf({ page: 'tenant', id: row.id })} onClick={follow}>
          {row.name}
        </a>
        {row.domain !== row.name && <span className="caption">{row.domain}</span>}
      </td>
      <td {...asCell} className="full">
        <TagChips tags={row.tags} />
      </td>
      <td {...asCell} className="full">
        <StateWord row={row} />
        {props.connect !== null && needsConnecting(row) && props.connect(row)}
      </td>
      <td {...asCell} className="part caption-size" data-label="Scores:">
        {cadenceText(row.cadence.scores)}
        {row.cadence.directory !== 'default' && (
          <span className="caption">the rest: {cadenceText(row.cadence.directory).toLowerCase()}</span>
        )}
      </td>
      <td {...asCell} className="part caption-size" data-label="Last read:">
        {row.readAt === null ? <span className="muted">not yet</span> : <Age at={row.readAt} now={now} />}
      </td>
    </tr>
  );
}, isSame);

/** `now` moves every half minute: what counts of it are the words it makes. */
function isSame(a: RowProps, b: RowProps): boolean {
  return (
    a.row === b.row &&
    a.ticked === b.ticked &&
    a.age === b.age &&
    (a.connect === null) === (b.connect === null)
  );
}

/** The tags of those that are ticked; null when some of them are not among `rows`. */
function heldBy(ticked: ReadonlySet<string> | 'all', rows: readonly TenantRow[]): string[] | null {
  if (ticked === 'all') return null;
  const those = rows.filter(({ id }) => ticked.has(id));
  if (those.length < ticked.size) return null;
  return [...new Set(those.flatMap(({ tags }) => tags))].sort();
}

function StateWord({ row }: { row: TenantRow }) {
  const state = workStateOf(row.health);
  const good = state === 'connected';
  const waits = state === 'waiting' || state === 'not-connected';
  return (
    <>
      <span className="health">
        <Mark kind={good ? (row.stale ? 'old' : 'good') : waits ? 'waiting' : 'bad'} />
        {workStateText(state)}
        {good && row.stale && ' · old data'}
      </span>
      {!good && !waits && <span className="caption">{row.health.cause}</span>}
    </>
  );
}

function narrowed({ state, tag }: TenantMatch): { state?: WorkState; tag?: string } {
  return { ...(state === undefined ? {} : { state }), ...(tag === undefined ? {} : { tag }) };
}

function matchOf(search: string): TenantMatch {
  const query = new URLSearchParams(search);
  const q = (query.get('q') ?? '').slice(0, 80);
  const state = query.get('state') as WorkState | null;
  const tag = query.get('tag');
  return {
    ...(q === '' ? {} : { q }),
    ...(state === null ? {} : { state }),
    ...(tag === null ? {} : { tag: tag.slice(0, 80) }),
  };
}

function addressOf({ q, state, tag }: TenantMatch): string {
  const query = new URLSearchParams();
  if (q !== undefined && q !== '') query.set('q', q);
  if (state !== undefined) query.set('state', state);
  if (tag !== undefined) query.set('tag', tag);
  return `/tab/companies${query.size === 0 ? '' : `?${query}`}`;
}
