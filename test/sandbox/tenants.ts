import { randomBytes } from 'node:crypto';
import { type Day, plusDays } from '../../shared/time.ts';
import type { Control } from './controls.ts';
import { guidOf, seeded } from './seeded.ts';

/** An app registration as the token endpoint knows it. */
export type App = {
  appId: string;
  secret: string;
  /** ISO instant; a secret past it is refused with AADSTS7000222. */
  secretExpiresAt: string | null;
  /** PEM certificates for client assertions. */
  certificates: string[];
  /** Milliseconds since 1970 from which on a certificate is known everywhere, by its SHA-256 fingerprint; absent: at once. */
  acceptedFrom?: Record<string, number>;
};

/** How the made-up score of a tenant looks: percent today, percentage points over 30 days and on the last day. */
export type Shape = {
  percent: number;
  month: number;
  lastDay: number;
  /** Controls whose points moved on the last day: points before, points now. */
  moved: { control: string; from: number; to: number }[];
  /** Points that are fixed today, so that the demo's cards tell a story. */
  fixed: Record<string, number>;
};

/** `BusinessBasic` has no P1: much of what Entra tells is not licensed there. */
export type Licence = 'E5' | 'BusinessPremium' | 'BusinessPremiumP2' | 'BusinessBasic';

export type SandboxTenant = {
  id: string;
  name: string;
  domain: string;
  country: string;
  seed: string;
  licence: Licence;
  users: number;
  /** Nobody and nothing is in its directory. */
  empty?: boolean;
  shape: Shape;
  /** Microsoft's averages of others; `broken` = −1 or missing, as has happened for weeks at a time. */
  comparisons: { all: number; size: number; industry: number } | 'broken';
  app: App;
  /** Application permissions an administrator has granted; null = consent withdrawn, no service principal. */
  consent: string[] | null;
  /** What an administrator granted the application for many tenants, and from when on Entra knows of it everywhere. */
  ours?: { roles: string[]; from: string };
  /** `disabled`: AADSTS7000112; `blocked`: Conditional Access, 53003; `removed`: the app is unknown, 700016. */
  appState: 'enabled' | 'disabled' | 'blocked' | 'removed';
  /** The first history ends here; later days come from the clock, score calls and the calendar. */
  createdOn: Day;
  lastDay: Day;
  changes: { day: Day; control: string; to: number }[];
  added: { day: Day; id: string; max: number }[];
  /** Licensed users from that day on. */
  counted: { day: Day; users: number }[];
  /** Points before a `drop`, for `recover`. */
  dropped: Record<string, number>;
  /** Score calls that wait for the next day. */
  later: ScoreCall[];
  /** Raised by every change, so that cached answers go. */
  version: number;
};

export type ScoreCall = { drop?: string[] | number; recover?: boolean; max?: number; licences?: number };

/** What the scores need: without it a connection is broken. */
export const scoresConsent = [
  'SecurityEvents.Read.All',
  'Organization.Read.All',
  'Domain.Read.All',
  'LicenseAssignment.Read.All',
  'User.Read.All',
];
/** What Watchpost asks for: beside the scores what is known of people, groups and policies. */
export const usualConsent = [
  ...scoresConsent,
  'AuditLog.Read.All',
  'GroupMember.Read.All',
  'Policy.Read.All',
  'RoleManagement.Read.Directory',
];

const bought: Record<Licence, readonly Control['needs'][]> = {
  E5: ['nothing', 'p1', 'p2', 'defender', 'e5'],
  BusinessPremiumP2: ['nothing', 'p1', 'p2', 'defender'],
  BusinessPremium: ['nothing', 'p1', 'defender'],
  BusinessBasic: ['nothing'],
};

/** True when the tenant has what the control needs. */
export function has(tenant: SandboxTenant, needs: Control['needs']): boolean {
  return bought[tenant.licence].includes(needs);
}

export function newApp(appId: string): App {
  return { appId, secret: newSecret(), secretExpiresAt: null, certificates: [] };
}

export function newSecret(): string {
  return randomBytes(30).toString('base64url');
}

type Sketch = Pick<
  SandboxTenant,
  'name' | 'domain' | 'country' | 'licence' | 'users' | 'shape' | 'comparisons'
>;

/** One tenant, the same for the same seed except for its secret. */
export function newTenant(sketch: Sketch, seed: string, today: Day): SandboxTenant {
  return {
    ...sketch,
    id: guidOf(`tenant ${seed} ${sketch.domain}`),
    seed,
    app: newApp(guidOf(`app ${seed} ${sketch.domain}`)),
    consent: [...usualConsent],
    appState: 'enabled',
    createdOn: today,
    lastDay: today,
    changes: [],
    added: [],
    counted: [],
    dropped: {},
    later: [],
    version: 0,
  };
}

/** A tenant from a name and a domain: size, licence and score decided by the seed. */
export function inventedTenant(name: string, domain: string, seed: string, today: Day): SandboxTenant {
  const random = seeded(`sketch ${seed} ${domain}`);
  const licence = (['E5', 'BusinessPremiumP2', 'BusinessPremium'] as const)[Math.floor(random() * 3)] ?? 'E5';
  const percent = round1(35 + random() * 50);
  return newTenant(
    {
      name,
      domain,
      country: ['GB', 'DE', 'US', 'SE', 'NL'][Math.floor(random() * 5)] ?? 'GB',
      licence,
      users: 10 + Math.floor(random() ** 2 * 2_000),
      shape: { percent, month: round1(random() * 10 - 4), lastDay: 0, moved: [], fixed: {} },
      comparisons: {
        all: round1(44 + random() * 6),
        size: round1(46 + random() * 8),
        industry: round1(45 + random() * 12),
      },
    },
    seed,
    today,
  );
}

const nameParts = [
  ['Alpine', 'Blue Yonder', 'Coho', 'Graphic', 'Humongous', 'Lakeside', 'Litware', 'Margie', 'Proseware'],
  ['Airlines', 'Design', 'Winery', 'Insurance', 'Logistics', 'Foods', 'Clinic', 'Partners', 'School'],
] as const;

/** `count` tenants with names of their own; the number in the name keeps them apart. */
export function inventedTenants(count: number, seed: string, today: Day): SandboxTenant[] {
  return Array.from({ length: count }, (_, at) => {
    const random = seeded(`name ${seed} ${at}`);
    const first = nameParts[0][Math.floor(random() * nameParts[0].length)] ?? 'Alpine';
    const second = nameParts[1][Math.floor(random() * nameParts[1].length)] ?? 'Foods';
    const number = String(at + 1).padStart(String(count).length, '0');
    const domain = `${first}-${second}-${number}.example`.toLowerCase().replaceAll(' ', '-');
    return inventedTenant(`${first} ${second} ${number}`, domain, seed, today);
  });
}

export function demoTenants(today: Day): SandboxTenant[] {
  const sketches: Sketch[] = [
    {
      name: 'Contoso Ltd',
      domain: 'contoso.com',
      country: 'GB',
      licence: 'E5',
      users: 240,
      shape: {
        percent: 62.4,
        month: 4.8,
        lastDay: -3.1,
        moved: [
          { control: 'AdminMFAV2', from: 10, to: 3.5 },
          { control: 'mdo_safeattachments', from: 8, to: 0 },
        ],
        fixed: { BlockLegacyAuthentication: 0, mdo_safelinksforofficeapps: 0, MFARegistrationV2: 7.5 },
      },
      comparisons: { all: 47.1, size: 53.2, industry: 55.4 },
    },
    {
      name: 'Fabrikam',
      domain: 'fabrikam.com',
      country: 'DE',
      licence: 'BusinessPremiumP2',
      users: 85,
      shape: {
        percent: 48.1,
        month: -6,
        lastDay: -1.1,
        moved: [{ control: 'exo_smtpauth', from: 4, to: 0 }],
        fixed: { MFARegistrationV2: 4.5, SigninRiskPolicy: 0 },
      },
      comparisons: { all: 47.1, size: 50.6, industry: 49.8 },
    },
    {
      name: 'Northwind Traders',
      domain: 'northwindtraders.com',
      country: 'US',
      licence: 'E5',
      users: 1_150,
      shape: {
        percent: 79.3,
        month: 2.9,
        lastDay: 0.4,
        moved: [{ control: 'exo_externaltagging', from: 0, to: 2 }],
        fixed: { AdminMFAV2: 10, BlockLegacyAuthentication: 8 },
      },
      comparisons: { all: 47.1, size: 58.9, industry: 56.3 },
    },
    {
      name: 'Adventure Works',
      domain: 'adventure-works.com',
      country: 'SE',
      licence: 'BusinessPremium',
      users: 32,
      shape: { percent: 55.6, month: 1.1, lastDay: 0, moved: [], fixed: { AdminMFAV2: 10 } },
      comparisons: 'broken',
    },
    {
      name: 'Woodgrove Bank',
      domain: 'woodgrovebank.com',
      country: 'US',
      licence: 'E5',
      users: 4_800,
      shape: {
        percent: 71,
        month: 0.6,
        lastDay: 0,
        moved: [],
        fixed: { AdminMFAV2: 10, BlockLegacyAuthentication: 8 },
      },
      comparisons: { all: 47.1, size: 63.4, industry: 66.2 },
    },
  ];
  const tenants = sketches.map((sketch) => newTenant(sketch, 'demo', today));
  // Connected long ago, when Watchpost asked for less: what is optional was never granted there.
  const adventure = tenants.find(({ domain }) => domain === 'adventure-works.com');
  if (adventure !== undefined) adventure.consent = [...scoresConsent];
  return tenants;
}

/** The tenant's last day: what was made, or today, whichever is later. */
export function lastDayOf(tenant: SandboxTenant, today: Day): Day {
  return tenant.lastDay > today ? tenant.lastDay : today;
}

/** The newest 90 days of a tenant, newest first; none is older than its history. */
export function daysOf(tenant: SandboxTenant, today: Day): Day[] {
  const last = lastDayOf(tenant, today);
  const first = plusDays(tenant.createdOn, -89);
  return Array.from({ length: 90 }, (_, back) => plusDays(last, -back)).filter((day) => day >= first);
}

export function round1(value: number): number {
  return Math.round(value * 10) / 10;
}
