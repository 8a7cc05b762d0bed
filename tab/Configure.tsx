import { useEffect, useState } from 'react';
import type { TenantList } from '../shared/api.ts';
import { counted } from '../shared/words.ts';
import type { Api } from './api.ts';
import { Notice } from './Notice.tsx';
import { Outside } from './Outside.tsx';
import { hrefOf, overview, routeOfSubPage } from './route.ts';
import { Search } from './Search.tsx';
import type { TeamsHost } from './teams.ts';
import { useHeadingFocus } from './use-heading-focus.ts';
import { useLoad } from './use-load.ts';

type Choice = { id: string; name: string } | 'all';
const mostShown = 50;

/** The settings of a channel's tab: all tenants, or one. Teams' own Save keeps it. */
export function Configure({ api, teams }: { api: Api; teams: TeamsHost | null }) {
  const heading = useHeadingFocus('Add Watchpost to this channel');
  const [q, setQ] = useState('');
  const list = useLoad<TenantList>(`configure ${q.trim()}`, (signal) =>
    api.tenants({ show: 'all', q: q.trim() }, signal),
  );
  const [choice, setChoice] = useState<Choice | null>(null);
  const settings = teams?.settings ?? null;
  const entity = teams?.entity;

  // What the tab shows today is chosen already.
  const rows = list.value?.rows ?? [];
  const today = entity === undefined ? overview : routeOfSubPage(entity);
  const current = today.page === 'tenant' ? rows.find(({ id }) => id === today.id) : undefined;
  const chosen: Choice | null =
    choice ?? (today.page === 'overview' ? 'all' : current === undefined ? null : current);

  const id = chosen === null ? null : chosen === 'all' ? 'all' : chosen.id;
  const name = chosen === null || chosen === 'all' ? 'Tenants' : chosen.name;
  useEffect(() => {
    if (settings === null) return;
    if (id === null) return settings.offer(null);
    const path = hrefOf(id === 'all' ? overview : { page: 'tenant', id });
    settings.offer({
      entityId: id === 'all' ? 'tenants' : `tenant:${id}`,
      contentUrl: `${window.location.origin}${path}`,
      // Teams cuts long names off in its own way; nobody needs more in a row of tabs.
      name: name.slice(0, 60),
    });
  }, [settings, id, name]);

  if (settings === null) {
    return (
      <Notice title="This page belongs to Teams">
        Teams opens it when somebody adds Watchpost to a channel: choose + beside the channel's tabs, then
        Watchpost.
      </Notice>
    );
  }
  return (
    <main className="configure">
      <h1 ref={heading} tabIndex={-1}>
        Add Watchpost to this channel
      </h1>
      <p>
        Choose what the tab shows. Everybody who opens it sees only tenants that he or she may see; who has no
        role in Watchpost sees none.{' '}
        <Outside href="/tab/about.html">What Watchpost is and how to get help</Outside>
      </p>
      <fieldset className="choices card">
        <legend className="sr">What the tab shows</legend>
        <Radio
          label="All tenants"
          says="worst change first"
          on={id === 'all'}
          choose={() => setChoice('all')}
        />
        {(list.value?.figures.tenants ?? 0) > 5 && (
          <Search label="Search name or domain" value={q} change={setQ} />
        )}
        {rows.slice(0, mostShown).map((row) => (
          <Radio
            key={row.id}
            label={row.name}
            says={row.domain}
            on={id === row.id}
            choose={() => setChoice({ id: row.id, name: row.name })}
          />
        ))}
        <p className="caption" role="status">
          {list.error !== null
            ? `The tenants could not be loaded. ${list.error.message}`
            : list.value === null
              ? 'Loading …'
              : shownInWords(Math.min(rows.length, mostShown), list.value.total)}
        </p>
      </fieldset>
    </main>
  );
}

function shownInWords(shown: number, total: number): string {
  if (total === 0) return 'There is no tenant here that you may see.';
  return shown === total
    ? counted(total, 'tenant')
    : `${shown} of ${counted(total, 'tenant')}: search for others`;
}

function Radio(props: { label: string; says: string; on: boolean; choose: () => void }) {
  return (
    <label className="choice">
      <input type="radio" name="shows" checked={props.on} onChange={props.choose} />
      <span>
        {props.label}
        <span className="caption"> {props.says}</span>
      </span>
    </label>
  );
}
