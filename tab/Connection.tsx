import { Button } from '@fluentui/react-components';
import type { TenantPage } from '../shared/api.ts';
import { dayOf, type Instant } from '../shared/time.ts';
import { dayText } from '../shared/words.ts';
import { exactTime } from './parts.tsx';

/** How Watchpost gets into this tenant, for those who may change it. Never anything of the secret itself. */
export function Connection(props: {
  page: TenantPage;
  now: Instant;
  update: () => void;
  remove: () => void;
}) {
  const { page, now } = props;
  const { may, credential } = page;
  if (!may.connect && !may.remove) return null;
  return (
    <section className="card connection">
      <h2>Connection</h2>
      {credential === null ? (
        <p>There is no credential for this tenant, so nothing can be read.</p>
      ) : (
        <dl>
          <div>
            <dt className="caption">App id</dt>
            <dd>
              <code>{credential.appId}</code>
            </dd>
          </div>
          <div>
            <dt className="caption">{credential.kind === 'secret' ? 'Client secret' : 'Certificate'}</dt>
            <dd title={exactTime(credential.createdAt)}>
              given on {dayText(dayOf(credential.createdAt), now)}
              {credential.expiresAt !== null && `, ends ${dayText(dayOf(credential.expiresAt), now)}`}
              <span className="caption"> · fingerprint …{credential.last4}</span>
            </dd>
          </div>
        </dl>
      )}
      <div className="buttons">
        {may.connect && <Button onClick={props.update}>Update credentials</Button>}
        {may.remove && <Button onClick={props.remove}>Remove</Button>}
      </div>
    </section>
  );
}
