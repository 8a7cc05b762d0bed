import { Button } from '@fluentui/react-components';
import { useEffect, useId, useRef, useState } from 'react';
import type { Me, TenantFilter, TenantList, TenantRow } from '../shared/api.ts';
import { isNotConnected } from '../shared/tenants/not-connected.ts';
import { counted } from '../shared/words.ts';
import type { Api, ApiError } from './api.ts';
import { Figures } from './Figures.tsx';
import { useLazy } from './lazy.ts';
import { Narrow } from './Narrow.tsx';
import { navigate } from './navigation.ts';
import { PageLinks } from './PageLinks.tsx';
import { Age, Chip } from './parts.tsx';
import { RefreshFailed } from './RefreshFailed.tsx';
import { hrefOf, type Route } from './route.ts';
import { Search } from './Search.tsx';
import { OverviewFrame } from './Skeleton.tsx';
import { needsConnecting, TenantTable, type WayIn } from './TenantTable.tsx';
import { useHeadingFocus } from './use-heading-focus.ts';
import { useKeyOf } from './use-key-of.ts';
import { useLoad } from './use-load.ts';
import { asApiError } from './use-me.ts';
import { useNow } from './use-now.ts';
import { useReloadWhile } from './use-reload-while.ts';

const typingMs = 30;
const loadFirstSteps = async () => (await import('./FirstSteps.tsx')).FirstSteps;
const loadConnect = async () => (await import('./Connect.tsx')).Connect;
const loadConsentRow = async () => (await import('./Consent.tsx')).ConsentRow;

/** All tenants this person may see, worst change first. */
export function Overview(props: {
  api: Api;
  me: Me | null;
  at: Extract<Route, { page: 'overview' }>;
  /** Beside who is signed in. */
  children?: React.ReactNode;
}) {
  const { api, at } = props;
  const { show, q } = at;
  const key = `tenants ${hrefOf(at)}`;
  const list = useLoad<TenantList>(key, (signal) => api.tenants(at, signal));
  const loaded = useKeyOf(list.value, key);
  const heading = useHeadingFocus('Tenants');
  const waiting =
    list.value?.rows.some(({ health }) => health.state === 'waiting' && !isNotConnected(health)) === true;
  useReloadWhile(waiting && list.error === null, list.value, list.reload);
  const [typed, setTyped] = useState(q);
  const [connecting, setConnecting] = useState(false);
  const Connect = useLazy(loadConnect, connecting);
  const mayConnect = props.me?.may.connect === true;
  // Until something is connected that is the way on; later visits go straight to the scores.
  const isNew = mayConnect && isUntouched(list.value);
  const FirstSteps = useLazy(loadFirstSteps, isNew);

  const asked = useRef(q);

  // What was typed goes into the address after a moment; an address that came from elsewhere goes into the field.
  useEffect(() => {
    if (q !== asked.current) {
      asked.current = q;
      setTyped(q);
      return;
    }
    if (typed.trim() === q) return;
    const timer = setTimeout(() => {
      asked.current = typed.trim();
      navigate(hrefOf({ ...at, q: asked.current }), 'replace');
    }, typingMs);
    return () => clearTimeout(timer);
  }, [typed, q, at]);

  const go = (to: Partial<typeof at>): void => navigate(hrefOf({ ...at, ...to }), 'replace');
  const choose = (filter: TenantFilter): void => go({ show: filter });

  // Who one is comes beside the list; waiting for both, nothing moves when a button is offered.
  if (list.value === null || (props.me === null && list.error === null)) {
    return list.error === null ? <OverviewFrame /> : <LoadFailed error={list.error} reload={list.reload} />;
  }
  const { figures } = list.value;
  return (
    <main className="overview">
      <Head list={list.value} heading={heading}>
        {figures.tenants > 0 && <Search label="Search name or domain" value={typed} change={setTyped} />}
        <PageLinks me={props.me} />
        {mayConnect && (
          <Button appearance={isNew ? 'secondary' : 'primary'} onClick={() => setConnecting(true)}>
            Connect a tenant
          </Button>
        )}
      </Head>
      {list.value.notices.map((notice) => (
        <div key={notice} role="status" className="banner attention">
          {notice}
        </div>
      ))}
      {connecting && Connect !== null && (
        <Connect api={api} tenant={null} close={() => setConnecting(false)} changed={list.reload} />
      )}
      {list.error !== null && <RefreshFailed error={list.error} reload={list.reload} />}
      {isNew && FirstSteps !== null && <FirstSteps figures={figures} connect={() => setConnecting(true)} />}
      {figures.tenants === 0 ? (
        !mayConnect && <Nobody />
      ) : (
        <>
          <Figures figures={figures} show={show} choose={choose} />
          <fieldset className="chips">
            <legend className="sr">Which tenants to show</legend>
            <Chip pressed={show === 'all'} onPress={() => choose('all')} text="All" count={figures.tenants} />
            <Chip
              pressed={show === 'fell'}
              onPress={() => choose('fell')}
              text="Fell"
              count={figures.fell.count}
            />
            <Chip
              pressed={show === 'attention'}
              onPress={() => choose('attention')}
              text="Needs attention"
              short="Attention"
              count={figures.attention.count}
            />
            <Chip
              pressed={show === 'blind'}
              onPress={() => choose('blind')}
              text="Blind spots"
              count={figures.blind.count}
            />
          </fieldset>
          <Narrow figures={figures} at={at} go={go} />
          <Rows
            key={loaded}
            api={api}
            list={list.value}
            at={at}
            busy={list.loading}
            mayConnect={mayConnect && props.me?.consent === true}
            changed={list.reload}
          />
        </>
      )}
      <SignedIn me={props.me}>{props.children}</SignedIn>
    </main>
  );
}

function Head(props: {
  list: TenantList;
  heading: React.RefObject<HTMLHeadingElement | null>;
  children: React.ReactNode;
}) {
  const now = useNow(props.list.now);
  const { tenants, unreadable, readAt } = props.list.figures;
  return (
    <header className="head">
      <div className="titles">
        <h1 ref={props.heading} tabIndex={-1}>
          Tenants
        </h1>
        <span className="caption">
          {counted(tenants, 'tenant')}
          {unreadable > 0 && `, ${unreadable} cannot be read`}
          {readAt !== null && (
            <>
              {' · read '}
              <Age at={readAt} now={now} />
            </>
          )}
        </span>
      </div>
      {props.children}
    </header>
  );
}

/** Pages fetched by "Show more", kept while one looks at a tenant and comes back. */
const keptPages = new Map<string, { rows: TenantRow[]; next: string | null }>();

function Rows(props: {
  api: Api;
  list: TenantList;
  at: Extract<Route, { page: 'overview' }>;
  busy: boolean;
  mayConnect: boolean;
  changed: () => void;
}) {
  const { api, list, at, busy } = props;
  const { show, q } = at;
  const key = hrefOf(at);
  const now = useNow(list.now);
  const [more, setMore] = useState(() => (list.next === null ? undefined : keptPages.get(key)));
  const [fetching, setFetching] = useState(false);
  const [problem, setProblem] = useState<ApiError | null>(null);
  const status = useId();

  const first = new Set(list.rows.map(({ id }) => id));
  // A tenant that moved up since its page was fetched is shown once, where it stands now.
  const rows =
    more === undefined ? list.rows : [...list.rows, ...more.rows.filter(({ id }) => !first.has(id))];
  const next = more === undefined ? list.next : more.next;

  const ConsentRow = useLazy(loadConsentRow, props.mayConnect && rows.some(needsConnecting));
  const connect: WayIn =
    ConsentRow === null
      ? null
      : (row) => (
          <ConsentRow api={api} company={row} again={!isNotConnected(row.health)} changed={props.changed} />
        );

  const showMore = async (): Promise<void> => {
    if (next === null) return;
    setFetching(true);
    setProblem(null);
    try {
      const page = await api.tenants({ ...at, after: next });
      const grown = { rows: [...(more?.rows ?? []), ...page.rows], next: page.next };
      keptPages.clear();
      keptPages.set(key, grown);
      setMore(grown);
    } catch (error) {
      setProblem(asApiError(error));
    } finally {
      setFetching(false);
    }
  };

  return (
    <section className="card table-card" aria-busy={busy} aria-label="List of tenants">
      {rows.length > 0 ? (
        <TenantTable rows={rows} now={now} connect={connect} />
      ) : (
        <NoRows show={show} q={q} />
      )}
      <p id={status} className={next === null ? 'sr' : 'more-status caption'} role="status">
        {next === null ? counted(list.total, 'tenant') : `${rows.length} of ${counted(list.total, 'tenant')}`}
        {q !== '' && ` with “${q}”`} shown
      </p>
      {problem !== null && (
        <p className="inline-problem" role="alert">
          {problem.message} What is above stays as it was read.
        </p>
      )}
      {next !== null && (
        <div className="more">
          <Button onClick={() => void showMore()} disabledFocusable={fetching}>
            {fetching ? 'Loading …' : 'Show more'}
          </Button>
        </div>
      )}
    </section>
  );
}

const nothing: Record<TenantFilter, string> = {
  all: 'There is no tenant here.',
  fell: 'No tenant fell since the day before.',
  attention: 'No tenant needs attention: no fall stands, all can be read and are up to date.',
  blind: 'There are no blind spots: everything Watchpost reads can be read.',
};

function NoRows({ show, q }: { show: TenantFilter; q: string }) {
  return (
    <div className="empty">
      <p>
        {q === ''
          ? nothing[show]
          : `No tenant ${show === 'all' ? '' : 'of these '}has “${q}” in its name or domain.`}
      </p>
      <Button onClick={() => navigate('/tab/', 'replace')}>Show all tenants</Button>
    </div>
  );
}

function Nobody() {
  return (
    <section className="card empty">
      <h2>No tenant is connected yet</h2>
      <p>
        Or none is within your scope. An Admin of Watchpost connects one here; it shows after its first sync.
        What you may see is what Watchpost answers to <code>who am i</code>.
      </p>
    </section>
  );
}

/** Nothing is connected, and nothing ever was. */
function isUntouched(list: TenantList | null): boolean {
  return list?.figures.states.every(({ state }) => state === 'not-connected') === true;
}

function SignedIn({ me, children }: { me: Me | null; children: React.ReactNode }) {
  return (
    <footer className="caption foot">
      {me === null ? '\u00a0' : `Signed in as ${me.name}. ${me.reasons[0] ?? ''}`} {children}
    </footer>
  );
}

/** Nothing could be loaded: what is the matter and what still works. */
export function LoadFailed({ error, reload }: { error: ApiError; reload: () => void }) {
  const heading = useHeadingFocus('Tenants');
  return (
    <main className="notice">
      <h1 ref={heading} tabIndex={-1}>
        The tenants could not be loaded
      </h1>
      <p role="alert">
        {error.message} Watchpost goes on reading tenants in the background; in chat, <code>score</code> may
        still answer.
      </p>
      <Button appearance="primary" onClick={reload}>
        Try again
      </Button>
      {error.id !== undefined && <p className="caption">Reference for support: {error.id}</p>}
    </main>
  );
}
