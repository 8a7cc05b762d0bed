import { Button } from '@fluentui/react-components';
import { useEffect, useRef, useState } from 'react';
import type { ConnectAnswer, WaitingCertificate } from '../shared/api.ts';
import { dayOf } from '../shared/time.ts';
import { fullDay } from '../shared/words.ts';
import type { Api } from './api.ts';
import { ConnectSteps, stepsInWords } from './ConnectSteps.tsx';
import { Outside } from './Outside.tsx';
import { asApiError } from './use-me.ts';

/** Seconds between two questions to Entra: about ten minutes in all, then the person presses *Test* again. */
const waits = [3, 5, 8, 12, 20, 30, ...Array<number>(17).fill(30)];

type Asking =
  | { state: 'idle' | 'asking' }
  /** Entra does not know it yet: asked again in `seconds`. */
  | { state: 'waiting'; seconds: number };

/**
 * A certificate that waits: how it gets to Entra, and the test that saves it as soon as Entra takes it. Closing the
 * dialog loses nothing: it goes on waiting.
 */
export function Certificate(props: {
  api: Api;
  certificate: WaitingCertificate;
  /** A tenant that is connected already: its old credential is in use until then. */
  isKnown: boolean;
  name: string;
  setBusy: (busy: boolean) => void;
  /** `note`: what the optional steps found. */
  saved: (one: NonNullable<ConnectAnswer['saved']>, note: string) => void;
  anew: () => void;
  dropped: () => void;
  making: boolean;
  /** Why another one could not be made. */
  trouble: string | null;
}) {
  const { certificate, isKnown, name, making } = props;
  const { asking, answer, problem, test, drop, stop } = useTest(props);
  const busy = asking.state !== 'idle';
  const file = `watchpost-${certificate.sha1.slice(-8).toLowerCase()}`;
  return (
    <div className="form">
      <p>
        Watchpost has made a key pair. The private key stays here, sealed; only the certificate leaves.
        {isKnown && ' Until Entra accepts it, the credential in use now goes on working.'}
      </p>
      <ol className="certificate-steps">
        <li>
          Download the certificate:{' '}
          <Download name={`${file}.cer`} type="application/pkix-cert" base64={certificate.der} />{' '}
          <Download name={`${file}.pem`} type="application/x-pem-file" base64={btoa(certificate.pem)} />
        </li>
        <li>
          Open <Outside href={certificate.link.href}>{certificate.link.text}</Outside>, choose{' '}
          <em>Certificates</em>, then <em>Upload certificate</em>, and give it the file.
        </li>
        <li>
          Compare the thumbprint that Entra shows then:
          <dl className="thumbprints">
            <dt className="caption">SHA-1</dt>
            <dd>
              <code>{certificate.sha1}</code>
            </dd>
            <dt className="caption">SHA-256</dt>
            <dd>
              <code>{certificate.sha256}</code>
            </dd>
          </dl>
        </li>
        <li>
          Press <em>Test</em>. It asks Entra until the certificate is known there, and saves it then.
        </li>
      </ol>
      <p className="caption">
        App id <code>{certificate.appId}</code>. It ends on {fullDay(dayOf(certificate.expiresAt))}; Watchpost
        says so 30 days before.
      </p>
      <details>
        <summary>Optional: Exchange settings</summary>
        <p className="caption">
          Transport rules, anti-phishing, anti-spam, safe links and attachments, DKIM and forwarding are not
          in Microsoft Graph. For them the application needs <code>Exchange.ManageAsApp</code> (application
          permission of Office 365 Exchange Online, with an administrator's consent) and, in Entra, the role{' '}
          <em>Global Reader</em>; that can take an hour. This version tests whether the permission is there
          and reads no Exchange settings yet; mail is never read.
        </p>
      </details>
      <details>
        <summary>The certificate as text</summary>
        <textarea
          className="pem"
          readOnly
          rows={6}
          aria-label="Certificate in PEM form"
          value={certificate.pem}
        />
      </details>
      {answer !== null && answer.again !== true && <ConnectSteps steps={answer.steps} find={false} />}
      <div role="status" className="outcome">
        {asking.state === 'asking' && <p>Asking Entra …</p>}
        {asking.state === 'waiting' && (
          <p>
            Entra does not know the certificate yet (AADSTS700027). Once it is uploaded, that can take some
            minutes. Asking again in {asking.seconds} seconds …
          </p>
        )}
        {asking.state === 'idle' && answer !== null && (
          <p>
            {answer.again !== true && <span className="sr">{stepsInWords(answer.steps)} </span>}
            {answer.again === true
              ? 'Entra still does not know it. Check that it was uploaded to this application, then test again.'
              : 'This cannot be saved yet.'}
          </p>
        )}
      </div>
      {(problem ?? props.trouble) !== null && (
        <p role="alert" className="worse">
          {problem ?? props.trouble}
        </p>
      )}
      {isKnown && !busy && (
        <p className="caption">
          Not wanted any more?{' '}
          <button type="button" className="quiet inline" onClick={drop}>
            Drop this certificate
          </button>
          ; the credential in use stays.
        </p>
      )}
      <footer className="modal-foot">
        {busy ? (
          <Button onClick={stop}>Stop</Button>
        ) : (
          <Button disabledFocusable={making} onClick={props.anew}>
            {making ? 'Making it …' : 'Make another one'}
          </Button>
        )}
        <Button appearance="primary" disabledFocusable={busy || making} onClick={() => test(name)}>
          {busy ? 'Testing …' : 'Test'}
        </Button>
      </footer>
    </div>
  );
}

/** Asks until Entra knows the certificate, something else is wrong, or the person has had enough. */
function useTest(
  props: Pick<
    Parameters<typeof Certificate>[0],
    'api' | 'certificate' | 'isKnown' | 'setBusy' | 'saved' | 'dropped'
  >,
) {
  const { api, certificate, isKnown, setBusy, saved, dropped } = props;
  const [asking, setAsking] = useState<Asking>({ state: 'idle' });
  const [answer, setAnswer] = useState<ConnectAnswer | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  /** The run that counts: another number, and an older one ends without a word. */
  const run = useRef(0);
  useEffect(
    () => () => {
      run.current += 1;
    },
    [],
  );

  const ask = async (name: string): Promise<void> => {
    run.current += 1;
    const mine = run.current;
    const current = (): boolean => run.current === mine;
    setProblem(null);
    for (const seconds of [...waits, null]) {
      setAsking({ state: 'asking' });
      setBusy(true);
      let found: ConnectAnswer;
      try {
        found = await api.tryCertificate(certificate.tenant, isKnown ? null : { name });
      } catch (error) {
        if (!current()) return;
        setProblem(asApiError(error).message);
        break;
      } finally {
        setBusy(false);
      }
      // Saved is saved, whoever still looks.
      if (found.saved !== null) return saved(found.saved, noteOf(found));
      if (!current()) return;
      setAnswer(found);
      if (found.again !== true || seconds === null) break;
      setAsking({ state: 'waiting', seconds });
      await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
      if (!current()) return;
    }
    setAsking({ state: 'idle' });
  };
  return {
    asking,
    answer,
    problem,
    test: (name: string) => void ask(name),
    drop: () => {
      api.dropCertificate(certificate.tenant).then(dropped, (error: unknown) => {
        setProblem(asApiError(error).message);
      });
    },
    stop: () => {
      run.current += 1;
      setAsking({ state: 'idle' });
    },
  };
}

/** The last step is the optional one for Exchange, when it was tried. */
function noteOf({ steps }: ConnectAnswer): string {
  const optional = steps.find(({ step }) => step.endsWith('(optional)'));
  return optional === undefined ? '' : `${optional.step.replace(' (optional)', '')}: ${optional.says}`;
}

/** A file made in the page: nothing is asked of the server for it. */
function Download({ name, type, base64 }: { name: string; type: string; base64: string }) {
  const [href, setHref] = useState<string | null>(null);
  useEffect(() => {
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    const made = URL.createObjectURL(new Blob([bytes], { type }));
    setHref(made);
    return () => URL.revokeObjectURL(made);
  }, [base64, type]);
  return href === null ? (
    name
  ) : (
    <a href={href} download={name}>
      {name}
    </a>
  );
}
