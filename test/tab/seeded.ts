import type { Store } from '../../bot/services.ts';
import { scopeOfJob } from '../../shared/access.ts';
import { evaluateScores } from '../../shared/score/evaluate.ts';
import type { ControlProfile, EvaluatedSnapshot } from '../../shared/score/score.ts';
import { type Tenant, tenantId } from '../../shared/tenants/tenant.ts';
import { dayOf, type Instant, plus, plusDays } from '../../shared/time.ts';
import { seedDirectory } from './seeded-directory.ts';

/** What a test tenant looks like. */
export type Seed = {
  name: string;
  domain: string;
  /** Percent of the points reached at the end, roughly. */
  percent: number;
  /** Points per day that were gained over the 90 days. */
  slope?: number;
  /** Names of controls that lost all their points on the last day. */
  fell?: string[];
  health?: Tenant['health']['state'];
  /** Hours since it was read. */
  ageHours?: number;
  p2?: boolean;
  /** Points that Microsoft added to the maximum in the middle. */
  maximum?: number;
  read?: boolean;
  /** How many days before the last one are known; 90 unless told. */
  days?: number;
};

export const fiveTenants: readonly Seed[] = [
  {
    name: 'Fabrikam',
    domain: 'fabrikam.com',
    percent: 52,
    slope: -0.1,
    fell: ['MFARegistrationV2', 'SelfServicePasswordReset'],
  },
  { name: 'Contoso Ltd', domain: 'contoso.com', percent: 65, slope: 0.2, fell: ['AdminMFAV2'], maximum: 10 },
  {
    name: 'Woodgrove Bank',
    domain: 'woodgrove.com',
    percent: 71,
    health: 'permission-error',
    ageHours: 50,
  },
  { name: 'Adventure Works', domain: 'adventure-works.com', percent: 55.6, p2: false },
  { name: 'Northwind Traders', domain: 'northwind.com', percent: 79, slope: 0.1 },
];

const controls: [string, string, string, number, string][] = [
  [
    'AdminMFAV2',
    'Ensure multifactor authentication is enabled for all users in administrative roles',
    'Identity',
    10,
    'low',
  ],
  ['MFARegistrationV2', 'Ensure all users can complete multifactor authentication', 'Identity', 9, 'high'],
  ['BlockLegacyAuthentication', 'Block legacy authentication', 'Identity', 8, 'moderate'],
  ['SelfServicePasswordReset', 'Enable self-service password reset', 'Identity', 6, 'moderate'],
  ['PWAgePolicyNew', 'Do not expire passwords', 'Identity', 8, 'low'],
  ['RoleOverlap', 'Use least privileged administrative roles', 'Identity', 1, 'low'],
  ['OneAdmin', 'Designate more than one global administrator', 'Identity', 1, 'low'],
  ['SigninRiskPolicy', 'Protect all users with a sign-in risk policy', 'Identity', 7, 'moderate'],
  ['UserRiskPolicy', 'Protect all users with a user risk policy', 'Identity', 7, 'moderate'],
  ['IntegratedApps', 'Limit consent to apps from verified publishers', 'Identity', 4, 'low'],
  ['SafeLinks', 'Turn on Safe Links for Office applications', 'Apps', 9, 'low'],
  ['SafeAttachments', 'Turn on Safe Attachments in block mode', 'Apps', 8, 'low'],
  ['AntiPhish', 'Set the phishing email level threshold at 2 or higher', 'Apps', 8, 'moderate'],
  ['MailboxAudit', 'Turn on mailbox auditing for all users', 'Apps', 5, 'low'],
  ['ForwardingRules', 'Block automatic forwarding of mail to other organisations', 'Apps', 5, 'moderate'],
  ['TeamsExternal', 'Restrict who may start chats from outside the organisation', 'Apps', 2, 'low'],
  ['DLPPolicies', 'Publish data loss prevention policies', 'Data', 5, 'high'],
  ['Labels', 'Publish sensitivity labels for documents and mail', 'Data', 5, 'high'],
  ['LabelDefault', 'Extend sensitivity labels to the data map', 'Data', 4, 'high'],
  ['DiskEncryption', 'Encrypt the disks of all Windows devices with BitLocker', 'Device', 9, 'moderate'],
  ['DefenderOn', 'Turn on Microsoft Defender Antivirus real-time protection', 'Device', 9, 'low'],
  ['Firewall', 'Turn the firewall on in all profiles', 'Device', 8, 'low'],
  ['AttackSurface', 'Block Office applications from creating child processes', 'Device', 9, 'moderate'],
  ['TamperProtection', 'Turn on tamper protection', 'Device', 6, 'low'],
];

const profiles: ControlProfile[] = controls.map(([name, title, category, max, effort], index) => ({
  name,
  title,
  category,
  service: category === 'Identity' ? 'AzureAD' : category === 'Device' ? 'MDATP' : 'EXO',
  max,
  rank: index + 1,
  tier: 'Core',
  effort,
  userImpact: index % 3 === 0 ? 'moderate' : 'low',
  actionUrl: 'https://security.microsoft.com/securescore',
  threats: ['accountBreach'],
  deprecated: false,
  remediation:
    'Open the Microsoft Entra admin centre.\nChoose Protection, then Conditional Access.\nCreate a policy for all administrators and require multifactor authentication.',
  state: 'Default',
}));

/** Connects and syncs the tenants as the clock thread does, from an invented Microsoft. Answers their ids in order. */
export async function seedTenants(store: Store, seeds: readonly Seed[], now: Instant): Promise<Tenant[]> {
  const tenants: Tenant[] = [];
  for (const [index, seed] of seeds.entries()) tenants.push(await seedTenant(store, seed, index, now));
  return tenants;
}

async function seedTenant(store: Store, seed: Seed, index: number, now: Instant): Promise<Tenant> {
  const id = idOf(index);
  const scope = scopeOfJob(id);
  const readAt = plus(now, -((seed.ageHours ?? 0) * 3_600_000 + ((index % 10) * 4 + 3) * 60_000));
  const ok = { state: 'ok', readAt, triedAt: readAt, hash: 'h' } as const;
  const lost = seed.health === 'permission-error';
  const refused = {
    state: 'permission-missing',
    readAt,
    triedAt: now,
    why: 'consent was withdrawn',
    permission: 'SecurityEvents.Read.All',
  } as const;
  const tenant: Tenant = {
    id,
    name: seed.name,
    domain: seed.domain,
    domains: [seed.domain, `${seed.domain.split('.')[0]}.onmicrosoft.com`],
    opaque: index + 1,
    connectedAt: plus(now, -90 * 86_400_000),
    health: lost
      ? {
          state: 'permission-error',
          since: plus(now, -2 * 86_400_000),
          cause: 'Consent was withdrawn.',
          remedy: `Ask an administrator of ${seed.name} to reconnect.`,
        }
      : { state: seed.health ?? 'connected', since: plus(now, -30 * 86_400_000), cause: '', remedy: '' },
    datasets:
      seed.read === false
        ? {}
        : {
            organization: lost ? refused : ok,
            domains: ok,
            subscribedSkus: ok,
            secureScores: lost ? refused : ok,
            secureScoreControlProfiles: lost ? refused : ok,
          },
    licences: {
      entraP1: { known: true, value: true },
      entraP2: { known: true, value: seed.p2 ?? true },
      skus: [
        {
          partNumber: seed.p2 === false ? 'O365_BUSINESS_PREMIUM' : 'SPE_E5',
          name: seed.p2 === false ? 'Microsoft 365 Business Premium' : 'Microsoft 365 E5',
          enabled: 120,
          consumed: 97,
          state: 'Enabled',
        },
      ],
    },
  };
  await store.tenants.save(scope, tenant);
  if (seed.read === false) return tenant;
  await store.work.schedule(scope, id, 'sync-scores', now);
  const [lease] = await store.work.claimDue('sync-scores', 1, 60_000);
  if (lease === undefined) throw new Error('the work of the tenant was not there');
  const found = evaluateScores({
    tenantId: id,
    read: daysOf(seed, index, dayOf(plus(now, -(seed.ageHours ?? 0) * 3_600_000)), tenant),
    stored: [],
    before: null,
    profiles,
    readAt,
  });
  if (found === null) throw new Error('there was nothing to store');
  await store.scores.saveSync(scope, lease, { ...found.found, profiles });
  await store.work.saveTenant(scope, lease, { datasets: tenant.datasets, health: tenant.health });
  await store.work.finish(lease, {
    nextDueAt: plus(now, 86_400_000),
    outcome: 'ok',
    ms: 10,
    failed: false,
  });
  if (seed.name.startsWith('Contoso')) await seedDirectory(store, id, now);
  return tenant;
}

function daysOf(seed: Seed, index: number, last: string, tenant: Tenant): EvaluatedSnapshot[] {
  const random = numbers(index + 1);
  const shares = controls.map(() => random());
  const total = controls.reduce((sum, [, , , max]) => sum + max, 0);
  const reached = controls.reduce((sum, [, , , max], i) => sum + max * (shares[i] ?? 0), 0);
  const level = (seed.percent / 100) * (total / reached);
  const before = seed.days ?? 90;
  return Array.from({ length: before + 1 }, (_, at) => {
    const back = at + 90 - before;
    const day = plusDays(last, back - 90);
    const drift = (seed.slope ?? 0) * (back - 90) + (random() - 0.5) * 1.2;
    const scores = controls.map(([name, , category, max], i) => {
      const usual = Math.min(max, Math.max(0, max * ((shares[i] ?? 0) * level + drift / total)));
      // What will fall stood high before, so that the fall is one.
      const falls = seed.fell?.includes(name) ?? false;
      const score = falls ? (back === 90 ? max * 0.2 : max * 0.9) : usual;
      return {
        name,
        category,
        score: Math.round(score * 100) / 100,
        status: falls
          ? '2 of 9 users lost their method'
          : `${Math.round((score / max) * 100)} % of users are covered`,
      };
    });
    const current = scores.reduce((sum, { score }) => sum + score, 0);
    return {
      tenantId: tenant.id,
      day,
      current: Math.round(current * 100) / 100,
      max: total - (seed.maximum !== undefined && back < 45 ? seed.maximum : 0),
      licensedUsers: 97,
      activeUsers: 90,
      comparisons: [
        { basis: 'AllTenants', percent: 44.2 },
        { basis: 'TotalSeats', percent: 53.2 },
      ],
      categories: [],
      controls: scores,
    };
  });
}

/** Many tenants of one pattern, for long lists. */
export function manyTenants(count: number): Seed[] {
  return Array.from({ length: count }, (_, i) => ({
    name: `Tenant ${String(i + 1).padStart(4, '0')} of a long list`,
    domain: `tenant-${i + 1}.example`,
    percent: 40 + ((i * 7) % 45),
    days: 3,
    ...(i % 9 === 0 ? { fell: ['AdminMFAV2'] } : {}),
  }));
}

function idOf(index: number) {
  const id = tenantId(`a1b2c3d4-0000-4000-8000-${String(index + 1).padStart(12, '0')}`);
  if (id === undefined) throw new Error('not an id');
  return id;
}

/** mulberry32: the same numbers for the same seed. */
function numbers(seed: number): () => number {
  let state = seed * 0x9e3779b9;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
