import { Button } from '@fluentui/react-components';
import type { ReactNode } from 'react';
import type { CredentialLine, TenantPage } from '../shared/api.ts';
import { credentialWords, expiryStage, expiryText } from '../shared/tenants/credential-expiry.ts';
import { isNotConnected } from '../shared/tenants/not-connected.ts';
import { dayOf, type Instant } from '../shared/time.ts';
import { dayText, momentText } from '../shared/words.ts';
import type { Api } from './api.ts';
import { useLazy } from './lazy.ts';
import { Permissions } from './Permissions.tsx';
import { Age, exactTime, HealthWord } from './parts.tsx';

const loadConsent = async () => (await import('./Consent.tsx')).Consent;

/**
 * How Watchpost gets into this tenant, what it may read there and what it never does. Of the credential only those see
 * something who may change it, and never anything of the secret itself.
 */
export function Connection(props: {
  page: TenantPage;
  now: Instant;
  api: Api;
  update: () => void;
  remove: () => void;
  /** It may be connected now. */
  changed: () => void;
}) {
  const { page, now } = props;
  const Consent = useLazy(loadConsent, page.may.connect);
  const { may, credential, tenant, waiting } = page;
  return (
    <section className="card connection">
      <h2>Connection</h2>
      <dl>
        <Fact name="Status">
          <HealthWord row={tenant} />{' '}
          <span className="caption">(since {momentText(tenant.health.since, now)})</span>
        </Fact>
        <Fact name="Tenant id">
          <code>{tenant.id}</code>
        </Fact>
        {credential !== null && (
          <>
            <Fact name="App id">
              <code>{credential.appId}</code>
            </Fact>
            <Fact name={credentialWords[credential.kind]}>
              <Credential credential={credential} now={now} />
            </Fact>
          </>
        )}
        <Fact name={isNotConnected(tenant.health) ? 'Added' : 'Connected'}>
          <span title={exactTime(page.connectedAt)}>{dayText(dayOf(page.connectedAt), now)}</span>
        </Fact>
        <Fact name="Last sync">
          {tenant.readAt === null ? 'not read yet' : <Age at={tenant.readAt} now={now} />}
        </Fact>
      </dl>
      {may.connect && credential === null && !isNotConnected(tenant.health) && (
        <p>There is no credential for this tenant, so nothing can be read.</p>
      )}
      {may.connect && Consent !== null && !isNotConnected(tenant.health) && (
        <Consent api={props.api} company={tenant} again={credential !== null} changed={props.changed} />
      )}
      {waiting !== null && (
        <p className="attention">
          A certificate that was made on {dayText(dayOf(waiting.madeAt), now)} waits until Entra accepts it.
          {credential !== null && ' Until then the credential above is in use.'}{' '}
          <button type="button" className="quiet inline" onClick={props.update}>
            Go on with it
          </button>
        </p>
      )}
      <Permissions permissions={page.permissions} now={now} />
      <div className="buttons">
        {may.connect && <Button onClick={props.update}>Update credentials</Button>}
        {may.remove && <Button onClick={props.remove}>Remove</Button>}
      </div>
    </section>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt className="caption">{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Credential({ credential, now }: { credential: CredentialLine; now: Instant }) {
  const { createdAt, expiresAt, last4, kind } = credential;
  const near = expiresAt !== null && expiryStage(expiresAt, now) !== null;
  return (
    <span title={exactTime(createdAt)}>
      given on {dayText(dayOf(createdAt), now)}
      {expiresAt !== null && (
        <>
          , <span className={near ? 'worse' : undefined}>{expiryText(expiresAt, now)}</span>
        </>
      )}
      {expiresAt === null && kind === 'secret' && <span className="caption">, end not given</span>}
      {last4 !== '' && <span className="caption"> · fingerprint …{last4}</span>}
    </span>
  );
}
