import './directory.css';
import { useEffect, useRef } from 'react';
import type { MfaCount } from '../shared/directory/directory.ts';
import type { DirectoryPage } from '../shared/directory/page.ts';
import { datasetWords } from '../shared/tenants/not-read.ts';
import type { Instant } from '../shared/time.ts';
import { ageText, counted, listed, percentText, sentence } from '../shared/words.ts';
import type { Api } from './api.ts';
import { Domains } from './DirectoryDomains.tsx';
import { Licences } from './DirectoryLicences.tsx';
import { Head, NotKnown } from './DirectoryParts.tsx';
import { Age, Bar, Mark } from './parts.tsx';
import { useLoad } from './use-load.ts';
import { useReloadWhile } from './use-reload-while.ts';

/** Users, MFA, roles, groups, licences and domains of one tenant; every number that is missing says why. */
export function Directory({ api, id, at }: { api: Api; id: string; at: Instant | null }) {
  const load = useLoad<DirectoryPage>(`directory ${id}`, (signal) =>
    api.get(`tenants/${id}/directory`, signal),
  );
  const waiting = load.value?.datasets.every(({ state }) => state === 'waiting') ?? false;
  useReloadWhile(waiting && load.error === null, load.value, load.reload);
  // Read again together with the page around it.
  const { reload } = load;
  const seen = useRef(at);
  useEffect(() => {
    if (seen.current !== at) reload();
    seen.current = at;
  }, [at, reload]);
  if (load.value === null) {
    return (
      <section className="card directory" aria-busy={load.error === null}>
        <h2>Directory</h2>
        {load.error === null ? (
          <p className="caption">Loading …</p>
        ) : (
          <p>
            {load.error.message}{' '}
            <button type="button" className="quiet" onClick={load.reload}>
              Try again
            </button>
          </p>
        )}
      </section>
    );
  }
  const page = load.value;
  return (
    <section className="directory" aria-labelledby="directory-title">
      <h2 id="directory-title">Directory</h2>
      <div className="panels even">
        <People page={page} />
        <Mfa page={page} />
        <Roles page={page} />
        <Groups page={page} />
        <Licences page={page} />
        <Domains page={page} />
      </div>
      <HowRead page={page} />
    </section>
  );
}

/** A number with what it counts; `one`: what a single one is called. */
function Count(props: { value: number; one?: string; text: string; note?: string }) {
  const { value, text, one = text, note } = props;
  return (
    <li>
      <b className="number">{value.toLocaleString('en')}</b>
      <span>
        {value === 1 ? one : text} {note !== undefined && <span className="caption">{note}</span>}
      </span>
    </li>
  );
}

function People({ page: { users, signIns, now } }: { page: DirectoryPage }) {
  return (
    <section className="card">
      <Head title="People" fact={users} now={now} />
      {users.known ? (
        <ul className="counts">
          <Count
            value={users.value.members}
            one="member"
            text="members"
            note={`${users.value.enabledMembers} enabled`}
          />
          <Count
            value={users.value.guests}
            one="guest"
            text="guests"
            note={`${users.value.enabledGuests} enabled`}
          />
          <Count value={users.value.disabledLicensed} text="switched off and still licensed" />
          {users.value.synced > 0 && <Count value={users.value.synced} text="from a directory on premises" />}
        </ul>
      ) : (
        <NotKnown why={users.why} />
      )}
      {signIns.known ? (
        <ul className="counts">
          <Count
            value={signIns.value.inactiveMembers}
            one={`member without a sign-in for ${signIns.value.days} days`}
            text={`members without a sign-in for ${signIns.value.days} days`}
          />
          <Count
            value={signIns.value.inactiveGuests}
            one="guest without one"
            text="guests without one"
            note={`${signIns.value.neverSeen} of both never seen; read once a week${signIns.readAt === null ? '' : `, ${ageText(signIns.readAt, now)}`}`}
          />
        </ul>
      ) : (
        <NotKnown what="Inactive accounts" why={signIns.why} />
      )}
    </section>
  );
}

const verdicts = {
  everyone: 'MFA is demanded of everybody',
  admins: 'MFA is demanded of administrators only',
  partly: 'MFA is demanded of some, or only sometimes',
  nobody: 'MFA is demanded of nobody',
  unknown: 'Whether MFA is demanded is not known',
} as const;
const verdictMarks = {
  everyone: 'good',
  admins: 'old',
  partly: 'old',
  nobody: 'bad',
  unknown: 'waiting',
} as const;

function Mfa({ page: { mfa, enforcement, now } }: { page: DirectoryPage }) {
  return (
    <section className="card">
      <Head title="Multifactor authentication" fact={mfa} now={now} />
      {mfa.known ? (
        <ul className="shares">
          <Share text="Administrators" count={mfa.value.admins} />
          <Share text="Members" count={mfa.value.users} />
          <Share text="Guests" count={mfa.value.guests} />
        </ul>
      ) : (
        <NotKnown what="Who is registered" why={mfa.why} />
      )}
      {mfa.known && mfa.value.adminsWithoutCount > 0 && (
        <Names
          summary={`${counted(mfa.value.adminsWithoutCount, 'administrator')} could not pass MFA today`}
          names={mfa.value.adminsWithout.map(({ name, upn }) => (name === upn ? name : `${name} (${upn})`))}
          count={mfa.value.adminsWithoutCount}
        />
      )}
      <p className="verdict">
        <Mark kind={verdictMarks[enforcement.verdict]} /> {verdicts[enforcement.verdict]}
      </p>
      <ul className="plain caption">
        {enforcement.lines.map((line) => (
          <li key={line}>{line}</li>
        ))}
      </ul>
    </section>
  );
}

/** Registered, and able to pass under the tenant's own policy. */
function Share({ text, count }: { text: string; count: MfaCount }) {
  const percent = count.total === 0 ? null : (count.capable / count.total) * 100;
  return (
    <li>
      <span>{text}</span>
      <Bar value={count.capable} max={count.total} />
      <span className="number">{percentText(percent)}</span>
      <span className="caption">
        {count.total === 0
          ? 'nobody'
          : `${count.capable} of ${count.total} can pass it, ${count.registered} registered`}
      </span>
    </li>
  );
}

function Names({ summary, names, count }: { summary: string; names: readonly string[]; count: number }) {
  return (
    <details>
      <summary>{summary}</summary>
      <ul className="plain">
        {names.map((name) => (
          <li key={name}>{name}</li>
        ))}
        {count > names.length && <li className="caption">and {count - names.length} more</li>}
      </ul>
    </details>
  );
}

function Roles({ page: { roles, now } }: { page: DirectoryPage }) {
  return (
    <section className="card">
      <Head title="Administrators" fact={roles} now={now} />
      {roles.known ? (
        <>
          <ul className="counts">
            <Count value={roles.value.people} one="person in a role" text="people in a role" />
            <Count
              value={roles.value.globalAdminCount}
              one="Global Administrator"
              text="Global Administrators"
            />
            {roles.value.apps > 0 && (
              <Count value={roles.value.apps} one="app or group in a role" text="apps and groups in a role" />
            )}
          </ul>
          {roles.value.globalAdminCount > 0 && (
            <Names
              summary="Who is Global Administrator"
              names={roles.value.globalAdmins.map(({ name, upn }) =>
                upn === '' ? name : `${name} (${upn})`,
              )}
              count={roles.value.globalAdminCount}
            />
          )}
          <p className="caption">
            {listed(
              roles.value.roles.map(({ name, members }) => `${name} ${members}`),
              6,
            )}
          </p>
        </>
      ) : (
        <NotKnown why={roles.why} />
      )}
    </section>
  );
}

function Groups({ page: { groups, now } }: { page: DirectoryPage }) {
  return (
    <section className="card">
      <Head title="Groups" fact={groups} now={now} />
      {groups.known ? (
        <>
          <ul className="counts">
            <Count
              value={groups.value.total}
              one="group"
              text="groups"
              note={`${groups.value.microsoft365} Microsoft 365, ${groups.value.security} security, ${groups.value.dynamic} by rule`}
            />
            <Count value={groups.value.publicTeams} text="open to everybody in the organisation" />
            <Count
              value={groups.value.ownerlessCount}
              one="Microsoft 365 group without an owner"
              text="Microsoft 365 groups without an owner"
            />
          </ul>
          {groups.value.ownerlessCount > 0 && (
            <Names
              summary="Which have no owner"
              names={groups.value.ownerless}
              count={groups.value.ownerlessCount}
            />
          )}
        </>
      ) : (
        <NotKnown why={groups.why} />
      )}
    </section>
  );
}

const stateWords = {
  ok: 'read',
  waiting: 'not read yet',
  'not-licensed': 'not licensed',
  'not-granted': 'not granted',
  'permission-missing': 'permission missing',
  throttled: 'Microsoft asks us to wait',
  error: 'could not be read',
} as const;

/** Each dataset with its permission, how the last try went, and how old what is shown is. */
function HowRead({ page: { datasets, now } }: { page: DirectoryPage }) {
  const good = datasets.filter(({ state }) => state === 'ok').length;
  return (
    <details className="card">
      <summary>
        How this was read: {good} of {datasets.length} parts
      </summary>
      <ul className="sources">
        {datasets.map((one) => (
          <li key={one.name}>
            <Mark kind={one.state === 'ok' ? 'good' : calm.has(one.state) ? 'waiting' : 'bad'} />
            <span>{sentence(datasetWords[one.name]).replace(/\.$/, '')}</span>
            <span className="caption">
              {one.state === 'ok' ? '' : `${sentence(one.why || stateWords[one.state])} `}
              {one.readAt !== null && (
                <>
                  {one.state === 'ok' ? 'read ' : 'Last read '}
                  <Age at={one.readAt} now={now} />
                  {one.state !== 'ok' && '. '}
                </>
              )}
              {one.state !== 'ok' && one.triedAt !== null && (
                <>
                  Last tried <Age at={one.triedAt} now={now} />.
                </>
              )}
            </span>
          </li>
        ))}
      </ul>
    </details>
  );
}

/** Nothing that anybody has to mend. */
const calm: ReadonlySet<string> = new Set(['waiting', 'not-licensed', 'not-granted']);
