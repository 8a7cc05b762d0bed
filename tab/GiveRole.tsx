import { Button } from '@fluentui/react-components';
import { type FormEvent, useState } from 'react';
import { type PeopleList, peopleLimits, type TenantList } from '../shared/api.ts';
import { counted } from '../shared/words.ts';
import type { Api } from './api.ts';
import type { Named } from './ChangePerson.tsx';
import { Field } from './Field.tsx';
import { Modal } from './Modal.tsx';
import { Chip } from './parts.tsx';
import { Search } from './Search.tsx';
import { useLoad } from './use-load.ts';

const choices = [
  { value: 'Reader', says: 'looks at scores and findings' },
  { value: 'Operator', says: 'works on findings, syncs, decides what channels hear' },
  { value: 'Admin', says: 'also connects tenants and gives roles' },
  { value: 'Customer', says: 'for people of a connected tenant, only for that one' },
  { value: 'deny', says: 'may not touch these tenants, whatever else was given' },
] as const;
type Choice = (typeof choices)[number]['value'];
const mostListed = 20;

/** Gives a person a role, or denies something: over all tenants, or those chosen by name and tag, until a day or for good. */
export function GiveRole(props: {
  api: Api;
  person: Named | null;
  list: PeopleList;
  busy: boolean;
  problem: string | null;
  close: () => void;
  send: (what: string, body: unknown) => Promise<void>;
}) {
  const { person, list, busy } = props;
  const [whom, setWhom] = useState('');
  const [choice, setChoice] = useState<Choice>('Reader');
  const [all, setAll] = useState(false);
  const [tenants, setTenants] = useState<ReadonlyMap<string, string>>(new Map());
  const [tags, setTags] = useState<readonly string[]>([]);
  const [until, setUntil] = useState('');
  const customer = choice === 'Customer';
  const named = all || customer || tenants.size + tags.length > 0;
  const ready = named && (person !== null || whom.trim().length > 2);

  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (!ready || busy) return;
    const everything = all || customer;
    const covered = {
      person: person?.key ?? whom.trim(),
      all: everything,
      tenants: everything ? [] : [...tenants.keys()],
      tags: everything ? [] : tags,
      ...(until === '' ? {} : { until }),
    };
    void props.send(
      choice === 'deny' ? 'deny' : 'grant',
      choice === 'deny' ? covered : { ...covered, role: choice },
    );
  };
  return (
    <Modal
      title={person === null ? 'Give a role' : `Give or deny: ${person.name}`}
      busy={busy}
      close={props.close}
    >
      <form className="form" method="post" onSubmit={submit}>
        {person === null && (
          <Field
            label="Who"
            hint="An address or object id of somebody who has written to Watchpost or opened it once."
            most={peopleLimits.person}
            value={whom}
            change={setWhom}
          />
        )}
        <fieldset className="ways column">
          <legend>What</legend>
          {choices.map(({ value, says }) => (
            <label key={value}>
              <input type="radio" name="role" checked={choice === value} onChange={() => setChoice(value)} />
              <span>
                {value === 'deny' ? 'Deny' : value}
                <span className="caption"> {says}</span>
              </span>
            </label>
          ))}
        </fieldset>
        {!customer && (
          <fieldset className="ways column">
            <legend>Of which tenants</legend>
            <label>
              <input type="radio" name="all" checked={all} onChange={() => setAll(true)} />
              All, also those connected later
            </label>
            <label>
              <input type="radio" name="all" checked={!all} onChange={() => setAll(false)} />
              Those chosen by name and tag
            </label>
          </fieldset>
        )}
        {!all && !customer && (
          <>
            {list.tags.length > 0 && (
              <fieldset className="picked">
                <legend>Tags</legend>
                {list.tags.slice(0, 50).map((tag) => (
                  <Chip
                    key={tag}
                    text={tag}
                    pressed={tags.includes(tag)}
                    onPress={() =>
                      setTags(tags.includes(tag) ? tags.filter((one) => one !== tag) : [...tags, tag])
                    }
                  />
                ))}
              </fieldset>
            )}
            <Tenants api={props.api} chosen={tenants} choose={setTenants} />
          </>
        )}
        <Field
          label="Until"
          hint="The last day on which it counts (UTC). Empty: for good."
          optional
          day
          most={10}
          value={until}
          change={setUntil}
        />
        {props.problem !== null && (
          <p role="alert" className="worse">
            {props.problem}
          </p>
        )}
        <footer className="modal-foot">
          <Button onClick={props.close} disabledFocusable={busy}>
            Cancel
          </Button>
          <Button type="submit" appearance="primary" disabledFocusable={busy || !ready}>
            {busy ? 'Saving …' : choice === 'deny' ? 'Deny' : `Make ${choice}`}
          </Button>
        </footer>
      </form>
    </Modal>
  );
}

/** Tenants to choose from: a search, the first that match, and always those that are chosen. */
function Tenants(props: {
  api: Api;
  chosen: ReadonlyMap<string, string>;
  choose: (chosen: ReadonlyMap<string, string>) => void;
}) {
  const { chosen } = props;
  const [q, setQ] = useState('');
  const list = useLoad<TenantList>(`pick ${q.trim()}`, (signal) =>
    props.api.tenants({ show: 'all', q: q.trim() }, signal),
  );
  const found = (list.value?.rows ?? []).slice(0, mostListed);
  const others = [...chosen].filter(([id]) => !found.some((row) => row.id === id));
  const toggle = (id: string, name: string): void => {
    const next = new Map(chosen);
    if (!next.delete(id)) next.set(id, name);
    props.choose(next);
  };
  return (
    <fieldset className="picked tenants-picked">
      <legend>Tenants</legend>
      <Search label="Search name or domain" value={q} change={setQ} />
      {others.map(([id, name]) => (
        <Pick key={id} name={name} domain="" on toggle={() => toggle(id, name)} />
      ))}
      {found.map(({ id, name, domain }) => (
        <Pick key={id} name={name} domain={domain} on={chosen.has(id)} toggle={() => toggle(id, name)} />
      ))}
      <p className="caption" role="status">
        {list.error !== null
          ? `The tenants could not be loaded. ${list.error.message}`
          : list.value === null
            ? 'Loading …'
            : `${counted(chosen.size, 'tenant')} chosen · ${found.length} of ${list.value.total} shown`}
      </p>
    </fieldset>
  );
}

function Pick(props: { name: string; domain: string; on: boolean; toggle: () => void }) {
  return (
    <label className="choice">
      <input type="checkbox" checked={props.on} onChange={props.toggle} />
      <span>
        {props.name} <span className="caption">{props.domain}</span>
      </span>
    </label>
  );
}
