import { createHash } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { Cloud } from '../clouds.ts';
import { WatchpostError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Outbound } from '../outbound.ts';
import type { Microsoft, Reading } from '../services.ts';
import { openBudget } from './budget.ts';
import { askConditionalAccess, conditionalAccessOf } from './conditional-access.ts';
import { askControlProfiles, profilesOf } from './control-profiles.ts';
import { tenantOfDomain } from './discovery.ts';
import { askDomains, domainsOf } from './domains.ts';
import { openGateway } from './gateway.ts';
import { askGroups, groupFactsOf } from './groups.ts';
import { askLicenceTerms, licenceFactsOf, licenceTermsOf } from './licences.ts';
import { askMfaRegistration, mfaFactsOf } from './mfa.ts';
import { askOrganization, organizationOf } from './organization.ts';
import { failed, readAll } from './paging.ts';
import { readDirectoryRoles } from './roles.ts';
import { askSecureScores, keptDays, snapshotsOf } from './secure-scores.ts';
import { readSecurityDefaults } from './security-defaults.ts';
import { askSignIns, namedRight, signInFactsOf } from './sign-ins.ts';
import { askSubscribedSkus, licencesOf } from './subscribed-skus.ts';
import type { AppToken, ConsentCredential } from './token-request.ts';
import { openTokens } from './tokens.ts';
import { askUsers, userFactsOf } from './users.ts';

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
  const scope = cloud.exchangeScope;
  // Asked for by tests of a connection only.
  const exchangeTokens =
    scope === undefined
      ? undefined
      : openTokens({ outbound, cloud, now, signal, scope, most: 100, ...(consentApp ? { consentApp } : {}) });
  const sleep = options.sleep ?? ((ms: number) => rest(ms, signal));
  const gateway = openGateway({
    outbound,
    cloud,
    tokens,
    now,
    log,
    signal,
    random: options.random ?? Math.random,
    sleep,
  });

  // Ten a minute for one app over all its tenants (`graph.md` §3); two are left for another instance of ours.
  const signIns = openBudget({ most: 8, spanMs: 60_000, now, sleep });

  return {
    token: (access) => rolesOf(() => gateway.token(access)),
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
    users: (access, known) => readAll(gateway, cloud, access, askUsers, { known, map: userFactsOf }),
    async signInActivity(access) {
      const paced: Pick<typeof gateway, 'get'> = {
        async get(who, ask) {
          if (typeof ask === 'string') await signIns.goOn(who.appId);
          else signIns.begin(who.appId);
          return await gateway.get(who, ask);
        },
      };
      const map = (items: unknown[]) => signInFactsOf(items, now());
      return namedRight(await readAll(paced, cloud, access, askSignIns, { map }));
    },
    mfaRegistration: (access, known) =>
      readAll(gateway, cloud, access, askMfaRegistration, { known, map: mfaFactsOf }),
    directoryRoles: (access, known) => readDirectoryRoles(gateway, cloud, access, known),
    groups: (access, known) => readAll(gateway, cloud, access, askGroups, { known, map: groupFactsOf }),
    securityDefaults: (access, known) => readSecurityDefaults(gateway, access, known),
    conditionalAccess: (access, known) =>
      readAll(gateway, cloud, access, askConditionalAccess, { known, map: conditionalAccessOf }),
    licenceUse: (access, known) =>
      readAll(gateway, cloud, access, askSubscribedSkus, { known, map: licenceFactsOf }),
    licenceTerms: (access, known) =>
      readAll(gateway, cloud, access, askLicenceTerms, { known, map: licenceTermsOf }),
    ...(exchangeTokens === undefined
      ? {}
      : { exchange: (access) => rolesOf(() => exchangeTokens.get(access)) }),
    tenantOfDomain: (domain) => tenantOfDomain(outbound, cloud, domain, signal),
    forget(id) {
      tokens.forget(id);
      exchangeTokens?.forget(id);
    },
  };
}

/** What a token says its application may do. */
async function rolesOf(token: () => Promise<AppToken>): Promise<Reading<{ roles: string[] }>> {
  try {
    const roles = [...(await token()).roles].sort();
    const hash = createHash('sha256').update(roles.join()).digest('base64url');
    return { kind: 'ok', value: { roles }, hash };
  } catch (error) {
    return failed(error);
  }
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
