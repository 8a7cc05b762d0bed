import { Button } from '@fluentui/react-components';
import { type FormEvent, useCallback, useRef, useState } from 'react';
import { type ConnectAnswer, connectLimits } from '../shared/api.ts';
import type { Api } from './api.ts';
import { ConnectSteps, stepsInWords } from './ConnectSteps.tsx';
import { Field } from './Field.tsx';
import { Modal } from './Modal.tsx';
import { navigate } from './navigation.ts';
import { Outside } from './Outside.tsx';
import { hrefOf } from './route.ts';
import { forgetLoads } from './use-load.ts';
import { asApiError } from './use-me.ts';
import { useSync } from './use-sync.ts';

/** The tenant whose credentials are exchanged; null connects a new one. */
export type Connecting = { id: string; name: string; appId: string | null } | null;
type Saved = NonNullable<ConnectAnswer['saved']>;

const looksLikeId = /^\s*[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\s*$/i;

/**
 * Connects a tenant, or exchanges its credentials: tested first, saved only when all that is needed works. `changed`
 * is told when there is something new to read.
 */
export function Connect(props: { api: Api; tenant: Connecting; close: () => void; changed: () => void }) {
  const { api, tenant, close } = props;
  const [saved, setSaved] = useState<Saved | null>(null);
  const [busy, setBusy] = useState(false);
  /** Somebody else's form, when the tenant turns out to be connected already. */
  const [instead, setInstead] = useState<Connecting>(null);
  const subject = instead ?? tenant;
  const title =
    saved !== null
      ? `${saved.name} ${subject === null ? 'is connected' : 'has new credentials'}`
      : subject === null
        ? 'Connect a tenant'
        : `Update credentials of ${subject.name}`;
  return (
    <Modal title={title} busy={busy} close={close}>
      {saved === null ? (
        <Form
          key={subject?.id ?? 'new'}
          api={api}
          tenant={subject}
          setBusy={setBusy}
          update={setInstead}
          saved={(one) => {
            forgetLoads();
            props.changed();
            setSaved(one);
          }}
        />
      ) : (
        <FirstSync
          api={api}
          saved={saved}
          isNew={subject === null}
          changed={props.changed}
          close={close}
          another={() => setSaved(null)}
        />
      )}
    </Modal>
  );
}

type Tried = { answer: ConnectAnswer | null; running: 'test' | 'save' | null; problem: string | null };

function Form(props: {
  api: Api;
  tenant: Connecting;
  setBusy: (busy: boolean) => void;
  update: (tenant: Connecting) => void;
  saved: (one: Saved) => void;
}) {
  const { api, tenant } = props;
  const [name, setName] = useState('');
  const [domain, setDomain] = useState('');
  const [appId, setAppId] = useState(tenant?.appId ?? '');
  const [isId, setIsId] = useState(false);
  const [tried, setTried] = useState<Tried>({ answer: null, running: null, problem: null });
  const secret = useRef<HTMLInputElement>(null);

  /** What was tested is what is saved: another letter, another test. */
  const edited = (): void => setTried({ answer: null, running: null, problem: null });
  const { answer, running, problem } = tried;
  const good = answer?.works === true && running === null;

  const run = async (save: boolean): Promise<void> => {
    const value = secret.current?.value ?? '';
    setTried({ answer: save ? answer : null, running: save ? 'save' : 'test', problem: null });
    props.setBusy(save);
    try {
      const found =
        tenant === null
          ? await api.connect(
              { ...(name.trim() === '' ? {} : { name }), tenant: domain, appId, secret: value },
              save,
            )
          : await api.credentials(tenant.id, { appId, secret: value }, save);
      if (found.saved !== null) {
        if (secret.current !== null) secret.current.value = '';
        props.saved(found.saved);
      } else setTried({ answer: found, running: null, problem: null });
    } catch (error) {
      setTried({ answer: null, running: null, problem: asApiError(error).message });
    } finally {
      props.setBusy(false);
    }
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (running === null) void run(good);
  };

  const { known } = answer ?? { known: null };
  return (
    <form className="form" method="post" onSubmit={submit}>
      {tenant === null && (
        <>
          <Beforehand />
          <Field
            label="Tenant id or domain"
            hint="Any domain of the tenant, such as contoso.com."
            most={connectLimits.tenant}
            value={domain}
            change={(text) => {
              setDomain(text);
              edited();
            }}
          />
          <Field
            label="Name"
            optional
            hint="Otherwise the organisation's own name is shown."
            most={connectLimits.name}
            value={name}
            change={(text) => {
              setName(text);
              edited();
            }}
          />
        </>
      )}
      <Field
        label="App id"
        hint="“Application (client) ID” of the app registration in that tenant."
        most={64}
        value={appId}
        change={(text) => {
          setAppId(text);
          edited();
        }}
      />
      <Field
        label="Client secret"
        hint={
          isId
            ? 'This looks like the id of a secret. Watchpost needs its value, which Entra shows only once.'
            : 'Its value. It is stored sealed and never shown again.'
        }
        most={connectLimits.secret}
        secret
        field={secret}
        change={(text) => {
          setIsId(looksLikeId.test(text));
          edited();
        }}
      />
      {(running === 'test' || (answer !== null && known === null)) && (
        <ConnectSteps steps={answer?.steps ?? null} find={tenant === null} />
      )}
      <div role="status" className="outcome">
        {running === 'test' && <span className="sr">Testing …</span>}
        {running === 'save' && <p>Testing once more and saving …</p>}
        {answer !== null && known === null && running === null && <Outcome answer={answer} />}
        {known !== null && (
          <p>
            {known.name} is connected already, so nothing was tried.{' '}
            <button type="button" className="quiet inline" onClick={() => props.update({ ...known, appId })}>
              Update its credentials
            </button>
          </p>
        )}
      </div>
      {problem !== null && (
        <p role="alert" className="worse">
          {problem}
        </p>
      )}
      <footer className="modal-foot">
        <Button
          type={good ? 'button' : 'submit'}
          appearance={good ? 'secondary' : 'primary'}
          disabledFocusable={running !== null}
          onClick={good ? () => void run(false) : undefined}
        >
          {running === 'test' ? 'Testing …' : answer === null ? 'Test' : 'Test again'}
        </Button>
        {(good || running === 'save') && (
          <Button type="submit" appearance="primary" disabledFocusable={running !== null}>
            {running === 'save' ? 'Saving …' : 'Save'}
          </Button>
        )}
      </footer>
    </form>
  );
}

/** All that is read of a tenant today. */
const permissions = [
  'SecurityEvents.Read.All',
  'Organization.Read.All',
  'Domain.Read.All',
  'LicenseAssignment.Read.All',
];

/** What an administrator of the tenant has to have done; folded away for who has done it before. */
function Beforehand() {
  return (
    <details>
      <summary>What has to be there first</summary>
      <ol className="caption beforehand">
        <li>
          An app registration in the tenant:{' '}
          <Outside href="https://entra.microsoft.com/#view/Microsoft_AAD_RegisteredApps/ApplicationsListBlade">
            App registrations in Entra
          </Outside>
          .
        </li>
        <li>
          Its application permissions for Microsoft Graph, with an administrator's consent:{' '}
          {permissions.join(', ')}.
        </li>
        <li>A client secret of it, whose value you have at hand.</li>
      </ol>
    </details>
  );
}

function Outcome({ answer }: { answer: ConnectAnswer }) {
  if (!answer.works) {
    return (
      <p>
        <span className="sr">{stepsInWords(answer.steps)} </span>
        This cannot be saved yet.
      </p>
    );
  }
  const { organization, namesake } = answer;
  return (
    <>
      <p>
        {organization === null
          ? 'Everything works.'
          : `Everything works: this is ${organization.name} (${organization.domain}).`}
      </p>
      {namesake !== null && (
        <p className="attention">
          Another tenant is called {namesake.name} already ({namesake.domain}). Give this one a name of its
          own above, or save it as it is: then its domain stands beside the name.
        </p>
      )}
    </>
  );
}

/** Saved: the first reading, as it goes on, and where to go from here. */
function FirstSync(props: {
  api: Api;
  saved: Saved;
  isNew: boolean;
  changed: () => void;
  close: () => void;
  another: () => void;
}) {
  const { saved, isNew } = props;
  const { changed } = props;
  const ended = useCallback(() => {
    forgetLoads();
    changed();
  }, [changed]);
  const { following } = useSync(props.api, saved.id, ended, saved.sync);
  const show = (): void => {
    props.close();
    navigate(hrefOf({ page: 'tenant', id: saved.id }));
  };
  return (
    <div className="form">
      <div role="status" className="outcome">
        <p className={following.state === 'failed' ? 'worse' : undefined}>{inWords(following, isNew)}</p>
      </div>
      {following.state === 'running' && <progress aria-label={`Reading ${saved.name}`} />}
      <footer className="modal-foot">
        {isNew && <Button onClick={props.another}>Connect another</Button>}
        <Button appearance="primary" onClick={isNew ? show : props.close}>
          {isNew ? `Show ${saved.name}` : 'Done'}
        </Button>
      </footer>
    </div>
  );
}

function inWords(following: ReturnType<typeof useSync>['following'], isNew: boolean): string {
  switch (following.state) {
    case 'done':
    case 'failed':
      return following.result;
    case 'slow':
      return 'It is still being read; you need not wait here.';
    case 'lost':
      return `How far it is cannot be told. ${following.error.message} The reading goes on.`;
    default:
      return isNew ? 'Reading it for the first time …' : 'Reading it with them …';
  }
}
