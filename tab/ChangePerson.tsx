import { Button } from '@fluentui/react-components';
import { type FormEvent, type ReactNode, useState } from 'react';
import { type PeopleAnswer, type PeopleList, peopleLimits } from '../shared/api.ts';
import type { Api } from './api.ts';
import { Field } from './Field.tsx';
import { GiveRole } from './GiveRole.tsx';
import { Modal } from './Modal.tsx';
import { asApiError } from './use-me.ts';

export type Named = { key: string; name: string };
/** What is about to be changed. `person` null: whoever is named in the form. */
export type PersonChange =
  | { kind: 'give'; person: Named | null; list: PeopleList }
  | { kind: 'revoke' | 'lift'; person: Named }
  | { kind: 'switch'; person: Named; off: boolean }
  | { kind: 'bind' };

/** The dialog of one change; `done` gets the sentence that says what was done. */
export function ChangePerson(props: {
  api: Api;
  change: PersonChange;
  close: () => void;
  done: (says: string) => void;
}) {
  const { api, change } = props;
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const [code, setCode] = useState('');

  const send = async (what: string, body: unknown): Promise<void> => {
    if (busy) return;
    setBusy(true);
    setProblem(null);
    try {
      props.done((await api.post<PeopleAnswer>(`people/${what}`, body)).says);
    } catch (error) {
      setProblem(asApiError(error).message);
      setBusy(false);
    }
  };
  const common = { busy, problem, close: props.close };
  switch (change.kind) {
    case 'give':
      return <GiveRole api={api} person={change.person} list={change.list} send={send} {...common} />;
    case 'bind':
      return (
        <Sure
          {...common}
          title="Enter a channel's code"
          text="Type the code that Watchpost shows in the channel after “bind”. It binds that channel to the customer that was named there."
          button="Bind the channel"
          ready={code.trim() !== ''}
          run={() => void send('bind', { code: code.trim() })}
        >
          <Field label="Code" hint="ABCD-EFGH" most={peopleLimits.code} value={code} change={setCode} />
        </Sure>
      );
    case 'revoke':
      return (
        <Sure
          {...common}
          title={`Take all roles of ${change.person.name}`}
          text="It takes effect everywhere within a minute. What was denied stays denied. A role given in Entra comes back when the tab is opened."
          button="Take all roles"
          run={() => void send('revoke', { person: change.person.key })}
        />
      );
    case 'lift':
      return (
        <Sure
          {...common}
          title={`Lift what is denied to ${change.person.name}`}
          text="All that was denied counts again as the roles say."
          button="Lift"
          run={() => void send('lift', { person: change.person.key })}
        />
      );
    default:
      return (
        <Sure
          {...common}
          title={`Switch ${change.person.name} ${change.off ? 'off' : 'on'}`}
          text={
            change.off
              ? 'Watchpost answers nothing any more, in chat or here, within a minute. The roles stay, and count again when the person is switched on.'
              : 'The roles count again.'
          }
          button={change.off ? 'Switch off' : 'Switch on'}
          run={() => void send('switch', { person: change.person.key, off: change.off })}
        />
      );
  }
}

function Sure(props: {
  title: string;
  text: string;
  button: string;
  busy: boolean;
  problem: string | null;
  ready?: boolean;
  close: () => void;
  run: () => void;
  children?: ReactNode;
}) {
  const { busy, ready = true } = props;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (ready && !busy) props.run();
  };
  return (
    <Modal title={props.title} busy={busy} close={props.close}>
      <form className="form" method="post" onSubmit={submit}>
        <p>{props.text}</p>
        {props.children}
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
            {props.button}
          </Button>
        </footer>
      </form>
    </Modal>
  );
}
