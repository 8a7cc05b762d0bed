import { createHash } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { Cloud } from '../clouds.ts';
import { WatchpostError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Outbound } from '../outbound.ts';
import type { Microsoft, Reading } from '../services.ts';
import { askControlProfiles, profilesOf } from './control-profiles.ts';
import { tenantOfDomain } from './discovery.ts';
import { askDomains, domainsOf } from './domains.ts';
import { openGateway } from './gateway.ts';
import { askOrganization, organizationOf } from './organization.ts';
import { failed, readAll } from './paging.ts';
import { askSecureScores, keptDays, snapshotsOf } from './secure-scores.ts';
import { askSubscribedSkus, licencesOf } from './subscribed-skus.ts';
import type { ConsentCredential } from './token-request.ts';
import { openTokens } from './tokens.ts';

export type MicrosoftOptions = {
  outbound: Outbound;
  cloud: Cloud;
  /** Milliseconds since 1970. */
  now(): number;
  /** In [0, 1), for back-off. */
  random?(): number;
  /** Resolves after `ms`; rejects when the program stops. */
  sleep?(ms: number): Promise<void>;
  log: Log;
  signal: AbortSignal;
  /** Our own application, for tenants that consented to it. */
  consentApp?: ConsentCredential | undefined;
};

/** Everything Watchpost asks of Entra and Graph, for one thread. Failures are values; only `stopped` is thrown. */
export function openMicrosoft(options: MicrosoftOptions): Microsoft {
  const { outbound, cloud, now, log, signal } = options;
  const { consentApp } = options;
  const tokens = openTokens({ outbound, cloud, now, signal, ...(consentApp ? { consentApp } : {}) });
  const gateway = openGateway({
    outbound,
    cloud,
    tokens,
    now,
    log,
    signal,
    random: options.random ?? Math.random,
    sleep: options.sleep ?? ((ms) => rest(ms, signal)),
  });

  return {
    async token(access) {
      try {
        const roles = [...(await gateway.token(access)).roles].sort();
        return {
          kind: 'ok',
          value: { roles },
          hash: createHash('sha256').update(roles.join()).digest('base64url'),
        };
      } catch (error) {
        return failed(error);
      }
    },
    organization: (access, known) =>
      readAll(gateway, cloud, access, askOrganization, {
        known,
        map: (items) => organizationOf(items, access.tenantId),
      }),
    domains: (access, known) => readAll(gateway, cloud, access, askDomains, { known, map: domainsOf }),
    subscribedSkus: (access, known) =>
      readAll(gateway, cloud, access, askSubscribedSkus, { known, map: licencesOf }),
    async secureScores(access, days, known) {
      if (!cloud.hasSecureScore) return absent();
      const wanted = Math.max(1, Math.min(keptDays, Math.floor(days)));
      return readAll(gateway, cloud, access, askSecureScores(wanted), {
        known,
        enough: wanted,
        map: (items) => snapshotsOf(items, access.tenantId, wanted),
      });
    },
    async secureScoreControlProfiles(access, known) {
      if (!cloud.hasSecureScore) return absent();
      return readAll(gateway, cloud, access, askControlProfiles, {
        known,
        map: (items) => profilesOf(items, access.tenantId),
      });
    },
    tenantOfDomain: (domain) => tenantOfDomain(outbound, cloud, domain, signal),
    forget: (id) => tokens.forget(id),
  };
}

async function rest(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await wait(ms, undefined, { signal });
  } catch {
    // The only way a wait ends early.
    throw new WatchpostError('stopped', 'Watchpost is stopping.');
  }
}

function absent(): Reading<never> {
  return {
    kind: 'failed',
    failure: {
      kind: 'licence',
      cause: 'Microsoft does not offer Secure Score in this national cloud.',
      remedy: '',
      transient: false,
    },
  };
}
