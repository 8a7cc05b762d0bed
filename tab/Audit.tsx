import { Button } from '@fluentui/react-components';
import { useId, useState } from 'react';
import { type AuditPage, type AuditQuery, auditActions } from '../shared/api-audit.ts';
import { AuditExportButtons } from './AuditExport.tsx';
import { AuditTable } from './AuditTable.tsx';
import type { Api, ApiError } from './api.ts';
import { emptyQuery, endOfDay, queryText, startOfDay } from './audit-query.ts';
import './audit.css';
import { Notice } from './Notice.tsx';
import { follow, navigate } from './navigation.ts';
import { hrefOf, overview } from './route.ts';
import type { SectionProps } from './section.ts';
import { useHeadingFocus } from './use-heading-focus.ts';
import { useLoad } from './use-load.ts';
import { asApiError } from './use-me.ts';

/** Who did what, newest first: for Admins. Filters are asked of the server; what is filtered can be exported. */
export function Audit({ api }: SectionProps) {
  const heading = useHeadingFocus('Audit');
  const [query, setQuery] = useState<AuditQuery>(emptyQuery);
  const key = queryText(query);
  const page = useLoad<AuditPage>(`audit ${key}`, (signal) => api.get(`audit${key}`, signal));

  if (page.value === null && page.error !== null) {
    const refused = page.error.kind === 'refused';
    return (
      <Notice
        title={refused ? 'The audit log is for Admins' : 'The audit log could not be loaded'}
        id={page.error.id}
        action={
          refused
            ? { text: 'Show the tenants', run: () => navigate(hrefOf(overview)) }
            : { text: 'Try again', run: page.reload }
        }
      >
        {refused ? 'An Admin of Watchpost can look into it.' : page.error.message}
      </Notice>
    );
  }
  return (
    <main className="audit">
      <a className="crumb" href={hrefOf(overview)} onClick={follow}>
        ← Tenants
      </a>
      <header className="head">
        <div className="titles">
          <h1 ref={heading} tabIndex={-1}>
            Audit
          </h1>
          <span className="caption">who did what, newest first; times of your zone</span>
        </div>
        <AuditExportButtons api={api} query={query} />
      </header>
      <Filters query={query} change={setQuery} />
      {page.error !== null && (
        <div className="banner" role="alert">
          <span>What you see was read before. {page.error.message}</span>
          <Button size="small" onClick={page.reload}>
            Try again
          </Button>
        </div>
      )}
      <Entries
        key={key}
        api={api}
        query={key}
        first={page.value}
        busy={page.loading}
        only={(person) => setQuery({ ...query, person })}
      />
    </main>
  );
}

/** Text is asked for when it is left or Enter is pressed, choices at once. */
function Filters({ query, change }: { query: AuditQuery; change: (query: AuditQuery) => void }) {
  const [from, setFrom] = useState('');
  const [to, setTo] = useState('');
  // Counts what was taken away: the fields begin anew.
  const [cleared, setCleared] = useState(0);
  const actions = useId();
  const isEmpty = queryText(query) === '';
  return (
    <form className="audit-filters card" aria-label="Filters" onSubmit={(event) => event.preventDefault()}>
      <TextFilter
        key={`person ${cleared} ${query.person}`}
        label="Person"
        value={query.person}
        hint="name or address"
        change={(person) => change({ ...query, person })}
      />
      <TextFilter
        key={`tenant ${cleared}`}
        label="Tenant"
        value={query.tenant}
        hint="name or domain"
        change={(tenant) => change({ ...query, tenant })}
      />
      <TextFilter
        key={`action ${cleared}`}
        label="Action"
        value={query.action}
        hint="such as grant"
        list={actions}
        change={(action) => change({ ...query, action })}
      />
      <datalist id={actions}>
        {auditActions.map((action) => (
          <option key={action} value={action} />
        ))}
      </datalist>
      <label className="audit-filter">
        Result
        <select
          className="search"
          value={query.result}
          onChange={({ target }) => change({ ...query, result: target.value as AuditQuery['result'] })}
        >
          <option value="">any</option>
          <option value="done">done</option>
          <option value="refused">refused</option>
          <option value="failed">failed</option>
          <option value="started">started</option>
        </select>
      </label>
      <label className="audit-filter">
        From
        <input
          type="date"
          className="search"
          value={from}
          onChange={({ target }) => {
            setFrom(target.value);
            change({ ...query, from: startOfDay(target.value) });
          }}
        />
      </label>
      <label className="audit-filter">
        To
        <input
          type="date"
          className="search"
          value={to}
          onChange={({ target }) => {
            setTo(target.value);
            change({ ...query, to: endOfDay(target.value) });
          }}
        />
      </label>
      <Button
        className="audit-clear"
        disabledFocusable={isEmpty}
        onClick={() => {
          setFrom('');
          setTo('');
          setCleared(cleared + 1);
          change(emptyQuery);
        }}
      >
        Clear
      </Button>
    </form>
  );
}

function TextFilter(props: {
  label: string;
  value: string;
  hint: string;
  list?: string;
  change: (text: string) => void;
}) {
  const [typed, setTyped] = useState(props.value);
  const take = (): void => {
    if (typed.trim() !== props.value) props.change(typed.trim());
  };
  return (
    <label className="audit-filter">
      {props.label}
      <input
        type="search"
        className="search"
        placeholder={props.hint}
        value={typed}
        maxLength={200}
        autoComplete="off"
        spellCheck={false}
        {...(props.list === undefined ? {} : { list: props.list })}
        onChange={({ target }) => setTyped(target.value)}
        onBlur={take}
        onKeyDown={({ key }) => {
          if (key === 'Enter') take();
        }}
      />
    </label>
  );
}

function Entries(props: {
  api: Api;
  query: string;
  first: AuditPage | null;
  busy: boolean;
  only: (person: string) => void;
}) {
  const { first } = props;
  const [more, setMore] = useState<Pick<AuditPage, 'rows' | 'next'> | null>(null);
  const [fetching, setFetching] = useState(false);
  const [problem, setProblem] = useState<ApiError | null>(null);
  if (first === null) return <section className="card empty" aria-busy="true" />;
  const seen = new Set(more?.rows.map(({ id }) => id));
  // New entries come at the top while one reads further down.
  const rows = [...first.rows.filter(({ id }) => !seen.has(id)), ...(more?.rows ?? [])];
  const next = more === null ? first.next : more.next;

  const showMore = async (): Promise<void> => {
    if (next === null) return;
    setFetching(true);
    setProblem(null);
    try {
      const sign = props.query === '' ? '?' : '&';
      const page = await props.api.get<AuditPage>(
        `audit${props.query}${sign}after=${encodeURIComponent(next)}`,
      );
      setMore({ rows: [...(more === null ? first.rows : rows), ...page.rows], next: page.next });
    } catch (error) {
      setProblem(asApiError(error));
    } finally {
      setFetching(false);
    }
  };

  return (
    <section className="card table-card" aria-busy={props.busy} aria-label="Entries">
      {rows.length > 0 ? (
        <AuditTable rows={rows} now={first.now} only={props.only} />
      ) : (
        <div className="empty">
          <p>
            {next !== null
              ? 'Nothing fits among the newest entries. Press Show more to look further back.'
              : props.query === ''
                ? 'There are no entries yet.'
                : 'No entry fits these filters.'}
          </p>
        </div>
      )}
      <p className="more-status caption" role="status">
        {rows.length === 1 ? '1 entry' : `${rows.length} entries`} shown
        {next === null ? '' : ', there are more'}
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
