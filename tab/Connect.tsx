import { Button } from '@fluentui/react-components';
import { type FormEvent, useCallback, useContext, useRef, useState } from 'react';
import {
  type CertificateAnswer,
  type ConnectAnswer,
  connectLimits,
  type WaitingCertificate,
} from '../shared/api.ts';
import type { Api } from './api.ts';
import { Certificate } from './Certificate.tsx';
import { ConnectSteps, stepsInWords } from './ConnectSteps.tsx';
import { EntraPortal } from './entra-portal.ts';
import { Field } from './Field.tsx';
import { Modal } from './Modal.tsx';
import { navigate } from './navigation.ts';
import { Outside } from './Outside.tsx';
import { hrefOf } from './route.ts';
import { forgetLoads } from './use-load.ts';
import { asApiError } from './use-me.ts';
import { useSync } from './use-sync.ts';

/** The tenant whose credentials are exchanged; null connects a new one. */
export type Connecting = {
  id: string;
  name: string;
  appId: string | null;
  way?: Way;
  waits?: boolean;
} | null;
type Saved = NonNullable<ConnectAnswer['saved']>;

const looksLikeId = /^\s*[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\s*$/i;

/**
 * Connects a tenant, or exchanges its credentials: tested first, saved only when all that is needed works. `changed`
 * is told when there is something new to read.
 */
export function Connect(props: { api: Api; tenant: Connecting; close: () => void; changed: () => void }) {
  const { api, tenant, close } = props;
  const [saved, setSaved] = useState<Saved | null>(null);
  const [note, setNote] = useState('');
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
          dropped={() => {
            forgetLoads();
            props.changed();
            close();
          }}
          saved={(one, found = '') => {
            forgetLoads();
            props.changed();
            setNote(found);
            setSaved(one);
          }}
        />
      ) : (
        <FirstSync
          api={api}
          saved={saved}
          note={note}
          isNew={subject === null}
          changed={props.changed}
          close={close}
          another={() => setSaved(null)}
        />
      )}
    </Modal>
  );
}

/** How Watchpost gets in. */
type Way = 'secret' | 'certificate';

type Tried = {
  answer: ConnectAnswer | null;
  running: 'test' | 'save' | 'make' | null;
  problem: string | null;
};

function Form(props: {
  api: Api;
  tenant: Connecting;
  setBusy: (busy: boolean) => void;
  update: (tenant: Connecting) => void;
  /** What waited was taken back. */
  dropped: () => void;
  saved: (one: Saved, note?: string) => void;
}) {
  const { api, tenant } = props;
  const [name, setName] = useState('');
  const [domain, setDomain] = useState('');
  const [appId, setAppId] = useState(tenant?.appId ?? '');
  const [isId, setIsId] = useState(false);
  const [expires, setExpires] = useState('');
  const [way, setWay] = useState<Way>(tenant?.way ?? 'secret');
  const [certificate, setCertificate] = useState<WaitingCertificate | null>(null);
  const [tried, setTried] = useState<Tried>({ answer: null, running: null, problem: null });
  const secret = useRef<HTMLInputElement>(null);
  /** An answer that comes after the form was edited says nothing about what stands there now. */
  const turn = useRef(0);

  /** What was tested is what is saved: another letter, another test. */
  const edited = (): void => {
    turn.current += 1;
    setTried({ answer: null, running: null, problem: null });
  };
  const { answer, running, problem } = tried;
  const good = answer?.works === true && running === null;

  const run = async (save: boolean): Promise<void> => {
    const value = secret.current?.value ?? '';
    const ends = expires === '' ? {} : { secretExpires: expires };
    turn.current += 1;
    const asked = turn.current;
    const tell = (one: Tried): void => {
      if (turn.current === asked) setTried(one);
    };
    tell({ answer: save ? answer : null, running: save ? 'save' : 'test', problem: null });
    props.setBusy(save);
    try {
      const found =
        tenant === null
          ? await api.connect(
              { ...(name.trim() === '' ? {} : { name }), tenant: domain, appId, secret: value, ...ends },
              save,
            )
          : await api.credentials(tenant.id, { appId, secret: value, ...ends }, save);
      if (found.saved !== null) {
        if (secret.current !== null) secret.current.value = '';
        props.saved(found.saved);
      } else tell({ answer: found, running: null, problem: null });
    } catch (error) {
      tell({ answer: null, running: null, problem: asApiError(error).message });
    } finally {
      props.setBusy(false);
    }
  };
  /** Makes a certificate, or finds the one that waits already. */
  const make = async (anew: boolean): Promise<void> => {
    setTried({ answer: null, running: 'make', problem: null });
    try {
      const form = { appId, ...(anew ? { anew } : {}) };
      const found =
        tenant === null
          ? await api.newCertificate({ tenant: domain, ...form })
          : await api.certificate(tenant.id, form);
      setCertificate(found.certificate);
      setTried({
        answer: found.certificate === null ? notMade(found) : null,
        running: null,
        problem: null,
      });
    } catch (error) {
      setTried({ answer: null, running: null, problem: asApiError(error).message });
    }
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (running === null) void (way === 'secret' ? run(good) : make(false));
  };

  if (certificate !== null) {
    return (
      <Certificate
        key={certificate.sha256}
        api={api}
        certificate={certificate}
        isKnown={tenant !== null}
        name={name}
        setBusy={props.setBusy}
        saved={props.saved}
        anew={() => void make(true)}
        dropped={props.dropped}
        making={running === 'make'}
        trouble={problem}
      />
    );
  }

  const { known } = answer ?? { known: null };
  return (
    <form className="form" method="post" onSubmit={submit}>
      {tenant === null && (
        <>
          <Beforehand way={way} />
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
      <Ways
        way={way}
        change={(one) => {
          setWay(one);
          edited();
        }}
      />
      {way === 'secret' && (
        <>
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
          <Field
            label="Secret ends on"
            optional
            day
            hint="“Expires” in Entra, which tells it to nobody else. With it Watchpost warns 30, 14, 7 and 1 day before."
            most={10}
            value={expires}
            change={(text) => {
              setExpires(text);
              edited();
            }}
          />
        </>
      )}
      {way === 'certificate' && (
        <p className="caption">
          Watchpost makes the key pair. You upload the certificate to the app registration; no secret is typed
          or sent anywhere.
        </p>
      )}
      {(running === 'test' || (answer !== null && known === null)) && (
        <ConnectSteps steps={answer?.steps ?? null} find={tenant === null} />
      )}
      <div role="status" className="outcome">
        {running === 'test' && <span className="sr">Testing …</span>}
        {running === 'save' && <p>Testing once more and saving …</p>}
        {running === 'make' && <p>Making a key pair …</p>}
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
          {way === 'certificate'
            ? running === 'make'
              ? 'One moment …'
              : tenant?.waits === true
                ? 'Show the certificate'
                : 'Make certificate'
            : running === 'test'
              ? 'Testing …'
              : answer === null
                ? 'Test'
                : 'Test again'}
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
function Beforehand({ way }: { way: Way }) {
  const portal = useContext(EntraPortal);
  return (
    <details>
      <summary>What has to be there first</summary>
      <ol className="caption beforehand">
        <li>
          An app registration in the tenant:{' '}
          <Outside href={`${portal}/#view/Microsoft_AAD_RegisteredApps/ApplicationsListBlade`}>
            App registrations in Entra
          </Outside>
          .
        </li>
        <li>
          Its application permissions for Microsoft Graph, with an administrator's consent:{' '}
          {permissions.join(', ')}.
        </li>
        {way === 'secret' && <li>A client secret of it, whose value you have at hand.</li>}
      </ol>
    </details>
  );
}

function Ways({ way, change }: { way: Way; change: (way: Way) => void }) {
  return (
    <fieldset className="ways">
      <legend>How it signs in</legend>
      {(['secret', 'certificate'] as const).map((one) => (
        <label key={one}>
          <input type="radio" name="way" checked={way === one} onChange={() => change(one)} />
          {one === 'secret' ? 'Secret' : 'Certificate, made by Watchpost'}
        </label>
      ))}
    </fieldset>
  );
}

/** Why there is no certificate, as a test says it. */
function notMade({ steps, known }: CertificateAnswer): ConnectAnswer {
  return { steps, known, works: false, organization: null, namesake: null, saved: null };
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
  /** What the optional steps found; empty when none was tried. */
  note: string;
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
      {props.note !== '' && <p className="caption">{props.note}</p>}
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
