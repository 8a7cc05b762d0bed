import { Button } from '@fluentui/react-components';
import { useEffect, useState } from 'react';
import type { CoveredLine, PeopleList, PersonRow } from '../shared/api.ts';
import { dayOf, type Instant, plus } from '../shared/time.ts';
import { counted, dayText, listed } from '../shared/words.ts';
import { ChangePerson, type PersonChange } from './ChangePerson.tsx';
import { LoadFailed } from './LoadFailed.tsx';
import { follow } from './navigation.ts';
import { Age } from './parts.tsx';
import { Search } from './Search.tsx';
import type { SectionProps } from './section.ts';
import { useHeadingFocus } from './use-heading-focus.ts';
import { useLoad } from './use-load.ts';
import { useNow } from './use-now.ts';
import './people.css';

const typingMs = 250;

/** Who has which role, for what, why and until when; an Admin changes it here. */
export function People({ api }: SectionProps) {
  const heading = useHeadingFocus('People');
  const [typed, setTyped] = useState('');
  const [q, setQ] = useState('');
  const list = useLoad<PeopleList>(`people ${q}`, (signal) =>
    api.get(`people${q === '' ? '' : `?${new URLSearchParams({ q })}`}`, signal),
  );
  const [changing, setChanging] = useState<PersonChange | null>(null);
  const [said, setSaid] = useState('');
  useEffect(() => {
    const timer = setTimeout(() => setQ(typed.trim()), typingMs);
    return () => clearTimeout(timer);
  }, [typed]);

  const shown = list.value;
  if (shown === null) {
    return list.error === null ? (
      <main aria-busy="true" />
    ) : (
      <LoadFailed what="People" error={list.error} reload={list.reload} />
    );
  }
  const { rows, total } = shown;
  return (
    <main className="people-page">
      <header className="head">
        <div className="titles">
          <a className="crumb" href="/tab/" onClick={follow}>
            ← Tenants
          </a>
          <h1 ref={heading} tabIndex={-1}>
            People
          </h1>
          <span className="caption">{counted(total, 'person', 'people')} with a role or a deny</span>
        </div>
        <Search label="Search name or address" value={typed} change={setTyped} />
        <Button onClick={() => setChanging({ kind: 'bind' })}>Enter a channel's code</Button>
        <Button appearance="primary" onClick={() => setChanging({ kind: 'give', person: null, list: shown })}>
          Give a role
        </Button>
      </header>
      <p role="status" className={said === '' ? 'sr' : 'banner quiet-banner'}>
        {said}
      </p>
      {list.error !== null && (
        <p role="alert" className="worse">
          This could not be refreshed. {list.error.message}
        </p>
      )}
      {changing !== null && (
        <ChangePerson
          api={api}
          change={changing}
          close={() => setChanging(null)}
          done={(says) => {
            setSaid(says);
            setChanging(null);
            list.reload();
          }}
        />
      )}
      <section className="card table-card" aria-busy={list.loading} aria-label="List of people">
        {rows.length === 0 ? (
          <p className="empty">
            {q === '' ? 'Nobody has a role yet.' : `Nobody here has “${q}” in name, address or role.`}
          </p>
        ) : (
          <ul className="people">
            {rows.map((row) => (
              <Row key={row.key} row={row} list={shown} change={setChanging} />
            ))}
          </ul>
        )}
        {rows.length < total && (
          <p className="caption more-status">
            {rows.length} of {total} shown: search for others.
          </p>
        )}
      </section>
    </main>
  );
}

function Row(props: { row: PersonRow; list: PeopleList; change: (change: PersonChange) => void }) {
  const { row, list, change } = props;
  const now = useNow(list.now);
  const name = row.name === '' ? row.key : row.name;
  const person = { key: row.key, name };
  return (
    <li className={row.disabled ? 'off' : undefined}>
      <div className="who-is">
        <b>{name}</b>
        {row.you && <span className="caption"> (you)</span>}
        <span className="caption line">
          {[row.address, row.organisation].filter((part) => part !== null).join(' · ')}
        </span>
        {row.seenAt !== null && (
          <span className="caption line">
            last seen <Age at={row.seenAt} now={now} />
          </span>
        )}
      </div>
      <ul className="rights">
        {row.disabled && (
          <li className="worse">Switched off{row.grants.length > 0 && ': nothing below counts'}.</li>
        )}
        {row.denies.map((deny) => (
          <li key={`${deny.at} ${coveredWords(deny.covered)}`}>
            <span className="worse">Denied {coveredWords(deny.covered)}</span>
            <span className="caption">
              by {deny.by} on {dayText(dayOf(deny.at), now)}
              {untilWords(deny.until, now)}
            </span>
          </li>
        ))}
        {row.grants.map((grant) => (
          <li key={`${grant.role} ${grant.at} ${grant.source}`}>
            <span>
              <b>{grant.role}</b> of {coveredWords(grant.covered)}
            </span>
            <span className="caption">
              {grant.source} on {dayText(dayOf(grant.at), now)}
              {untilWords(grant.until, now)}
            </span>
          </li>
        ))}
      </ul>
      {!row.you && (
        <div className="does">
          <button type="button" className="quiet" onClick={() => change({ kind: 'give', person, list })}>
            Give or deny<span className="sr"> {name}</span>
          </button>
          {row.may.take && (
            <button type="button" className="quiet" onClick={() => change({ kind: 'revoke', person })}>
              Take all roles<span className="sr"> of {name}</span>
            </button>
          )}
          {row.may.lift && (
            <button type="button" className="quiet" onClick={() => change({ kind: 'lift', person })}>
              Lift what is denied<span className="sr"> to {name}</span>
            </button>
          )}
          {row.may.switch && (
            <button
              type="button"
              className="quiet"
              onClick={() => change({ kind: 'switch', person, off: !row.disabled })}
            >
              Switch {row.disabled ? 'on' : 'off'}
              <span className="sr"> {name}</span>
            </button>
          )}
        </div>
      )}
    </li>
  );
}

/** "all tenants", "Contoso, Fabrikam and all tagged retail" */
function coveredWords({ all, tenants, more, tags }: CoveredLine): string {
  if (all) return 'all tenants';
  const names = [...tenants.map(({ name }) => name), ...tags.map((tag) => `all tagged ${tag}`)];
  return listed(more === 0 ? names : [...names, `${more} more`], 6);
}

/** A grant ends with a day: `until` is the first moment at which it no longer counts. */
function untilWords(until: Instant | null, now: Instant): string {
  return until === null ? '' : `, until ${dayText(dayOf(plus(until, -1)), now)}`;
}
