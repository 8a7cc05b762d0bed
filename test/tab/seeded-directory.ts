import type { Store } from '../../bot/services.ts';
import { scopeOfJob } from '../../shared/access.ts';
import type { Directory } from '../../shared/directory/directory.ts';
import { directoryDatasetNames, type TenantId } from '../../shared/tenants/tenant.ts';
import { type Instant, plus } from '../../shared/time.ts';

const everybody = (total: number) => ({ total, registered: total - 4, capable: total - 9 });
const key = { kind: 'ok' } as const;
const long = 'Abteilung für grenzüberschreitende Zusammenarbeit und Datenschutz';

/** Long names, a list that is cut, a domain of each mark: what a page must hold. */
const full: Directory = {
  users: {
    members: 4_812,
    guests: 1,
    enabledMembers: 4_700,
    enabledGuests: 0,
    disabledLicensed: 61,
    synced: 12,
  },
  signIns: { days: 90, counted: 4_600, inactiveMembers: 212, inactiveGuests: 1, neverSeen: 40 },
  mfa: {
    ...{ users: everybody(4_700), guests: { total: 0, registered: 0, capable: 0 }, admins: everybody(61) },
    adminsWithout: Array.from({ length: 50 }, (_, n) => ({
      name: `Administrator ${n}`,
      upn: `administrator.with.a.very.long.name.${n}@a-company-with-a-long-name.example`,
    })),
    ...{ adminsWithoutCount: 52, asOf: '2026-11-19' },
  },
  roles: {
    roles: [{ name: 'Global Administrator', members: 3, isGlobalAdmin: true }],
    ...{
      people: 3,
      apps: 1,
      globalAdmins: [{ name: 'Ana Reyes', upn: 'ana@contoso.com' }],
      globalAdminCount: 3,
    },
  },
  groups: {
    ...{ total: 300, microsoft365: 200, security: 80, dynamic: 9, publicTeams: 4 },
    ...{ ownerless: [long, `${long} 2`], ownerlessCount: 2 },
  },
  securityDefaults: { isOn: false },
  conditionalAccess: {
    ...{ on: 1, reportOnly: 1, off: 0 },
    policies: [
      {
        ...{ name: `Require MFA: ${long}`, state: 'on', reach: 'admins', apps: 'all', exclusions: 2 },
        ...{ demands: 'mfa', blocksLegacy: false, conditional: false },
      },
    ],
  },
  licences: {
    lines: [
      {
        partNumber: 'SPE_E5',
        name: 'Microsoft 365 E5',
        owned: 90,
        used: 97,
        warning: 5,
        suspended: 3,
        free: false,
      },
      {
        partNumber: 'FLOW_FREE',
        name: 'Power Automate Free',
        owned: 1e6,
        used: 7,
        warning: 0,
        suspended: 0,
        free: true,
      },
    ],
    count: 120,
  },
  mail: [
    {
      name: 'contoso.com',
      isDefault: true,
      spf: { kind: 'ok', all: 'fail', sendsNothing: false },
      dkim: [{ selector: 'selector1', key }],
      dmarc: { kind: 'ok', policy: 'reject', subdomains: 'reject', pct: 100, reports: true },
    },
    {
      name: 'a-very-long-name-of-a-domain-that-nobody-remembers.contoso.example',
      isDefault: false,
      spf: { kind: 'wrong', why: 'there are 2 SPF records, so none counts' },
      dkim: [],
      dmarc: { kind: 'none' },
    },
    {
      name: 'silent.example',
      isDefault: false,
      spf: { kind: 'unknown', why: 'the name servers did not answer' },
      dkim: [],
      dmarc: { kind: 'unknown', why: 'the name servers did not answer' },
    },
  ],
};

/** A tenant whose directory was read, all but when its licences end. */
export async function seedDirectory(store: Store, id: TenantId, now: Instant): Promise<void> {
  const scope = scopeOfJob(id);
  await store.work.schedule(scope, id, 'sync-directory', now);
  const [lease] = await store.work.claimDue('sync-directory', 1, 60_000);
  if (lease === undefined) throw new Error('the directory was not due');
  await store.directories.save(scope, lease, full);
  const ok = { state: 'ok', readAt: plus(now, -7_200_000), triedAt: plus(now, -7_200_000) } as const;
  const refused = { state: 'error', triedAt: now, why: 'Microsoft has trouble answering.' } as const;
  const datasets = Object.fromEntries(
    directoryDatasetNames.map((name) => [name, name === 'licenceTerms' ? refused : ok]),
  );
  await store.work.saveTenant(scope, lease, { datasets });
  const nextDueAt = plus(now, 86_400_000);
  await store.work.finish(lease, { nextDueAt, outcome: 'changed', ms: 10, failed: false });
}
