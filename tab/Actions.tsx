import { Button } from '@fluentui/react-components';
import { useId, useState } from 'react';
import type { Action } from '../shared/score/score.ts';
import { serviceName } from '../shared/score/service-names.ts';
import { counted, sentence, signed } from '../shared/words.ts';
import { Outside } from './Outside.tsx';
import { Chip } from './parts.tsx';
import { pointsOf } from './points.ts';
import { Search } from './Search.tsx';

const firstShown = 10;

const table = { role: 'table' };
const group = { role: 'rowgroup' };
const rowRole = { role: 'row' };
const head = { role: 'columnheader' };
const cell = { role: 'cell' };

/** What to do for points, worth most first; read-only. */
export function Actions({ actions, count }: { actions: readonly Action[]; count: number }) {
  const [onlyRegressed, setOnlyRegressed] = useState(false);
  const [asked, setAsked] = useState('');
  const [all, setAll] = useState(false);
  const regressed = actions.filter((action) => action.regressed);
  const needle = asked.trim().toLowerCase();
  const found = (onlyRegressed ? regressed : actions).filter((action) =>
    `${action.title} ${action.category} ${action.service} ${serviceName(action.service)}`
      .toLowerCase()
      .includes(needle),
  );
  const shown = all || needle !== '' ? found : found.slice(0, firstShown);

  return (
    <section className="card table-card" aria-label="Recommended actions">
      <header className="card-head">
        <h2>Actions</h2>
        <fieldset className="chips">
          <legend className="sr">Which actions to show</legend>
          <Chip
            pressed={!onlyRegressed}
            onPress={() => setOnlyRegressed(false)}
            text="Worth most"
            count={actions.length}
          />
          <Chip
            pressed={onlyRegressed}
            onPress={() => setOnlyRegressed(true)}
            text="Regressed"
            count={regressed.length}
          />
        </fieldset>
        {actions.length > firstShown && <Search label="Search actions" value={asked} change={setAsked} />}
      </header>
      {shown.length === 0 ? (
        <p className="empty">{emptyWords(actions.length, needle, onlyRegressed)}</p>
      ) : (
        <table className="actions" {...table}>
          <caption className="sr">Recommended actions, most points first</caption>
          <thead {...group}>
            <tr {...rowRole}>
              <th {...head} className="number" title="Points to gain">
                Gain
              </th>
              <th {...head}>Action</th>
              <th {...head}>Category</th>
              <th {...head}>Effort</th>
              <th {...head}>User impact</th>
            </tr>
          </thead>
          <tbody {...group}>
            {shown.map((action) => (
              <ActionRow key={action.control} action={action} />
            ))}
          </tbody>
        </table>
      )}
      <p role="status" className="sr">
        {counted(shown.length, 'action')} shown
      </p>
      {shown.length < found.length && (
        <div className="more">
          <Button onClick={() => setAll(true)}>Show all {found.length}</Button>
        </div>
      )}
      {count > actions.length && (
        <p className="caption more-status">
          {counted(count - actions.length, 'further action')} will show after the next sync.
        </p>
      )}
    </section>
  );
}

function emptyWords(count: number, needle: string, onlyRegressed: boolean): string {
  if (count === 0) return 'There is nothing left to do for points: every control that counts here has them.';
  if (needle !== '') return `No action has “${needle}” in its title, category or service.`;
  return onlyRegressed ? 'No control lost points since the day before.' : 'There is no action.';
}

function ActionRow({ action }: { action: Action }) {
  const [open, setOpen] = useState(false);
  const details = useId();
  return (
    <>
      <tr {...rowRole} className={open ? 'open' : ''}>
        <td {...cell} className="number gain">
          <b>{signed(action.gain)}</b>
        </td>
        <td {...cell} className="title">
          <button
            type="button"
            className="disclose"
            aria-expanded={open}
            aria-controls={details}
            onClick={() => setOpen(!open)}
          >
            <Chevron />
            <span>{action.title}</span>
          </button>
          {action.regressed && <span className="change worse small">▼ regressed</span>}
          <span className="caption meta">
            {action.category} · effort {action.effort || 'not given'} · impact{' '}
            {action.userImpact || 'not given'}
          </span>
        </td>
        <td {...cell} className="caption category">
          {action.category}
        </td>
        <td {...cell} className="caption effort">
          {action.effort || '–'}
        </td>
        <td {...cell} className="caption impact">
          {action.userImpact || '–'}
        </td>
      </tr>
      <tr {...rowRole} className="details" id={details} hidden={!open}>
        <td {...cell} colSpan={5}>
          {open && <Details action={action} />}
        </td>
      </tr>
    </>
  );
}

function Details({ action }: { action: Action }) {
  const link = safeLink(action.actionUrl);
  return (
    <div className="detail-text">
      {action.status !== undefined && action.status !== '' && <p>{sentence(action.status)}</p>}
      <p className="remediation">{action.remediation || 'Microsoft gives no steps for this action.'}</p>
      <p className="caption">
        {serviceName(action.service)} · {pointsOf(action.current, action.max)} reached · effort{' '}
        {action.effort || 'not given'} · user impact {action.userImpact || 'not given'}
      </p>
      {link !== null && (
        <p>
          <Outside href={link.href}>View at {link.host}</Outside>
        </p>
      )}
    </div>
  );
}

/** Addresses come from Microsoft's text: only https ones become links, and the host is said. */
function safeLink(text: string | null): { href: string; host: string } | null {
  const url = text === null ? null : URL.parse(text);
  return url !== null && url.protocol === 'https:' ? { href: url.href, host: url.hostname } : null;
}

function Chevron() {
  return (
    <svg className="chevron" width="12" height="12" viewBox="0 0 12 12" aria-hidden="true">
      <path d="M4 2 8 6 4 10" />
    </svg>
  );
}
