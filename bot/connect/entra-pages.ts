import type { PageLink } from '../../shared/api.ts';
import type { TenantId } from '../../shared/tenants/tenant.ts';
import type { Failure } from '../services.ts';

/** The rest of an address is from this table and two GUIDs; its host is the cloud's own. */
const pages = {
  credentials: {
    text: 'Certificates & secrets of the application in Entra',
    view: 'Microsoft_AAD_RegisteredApps/ApplicationMenuBlade/~/Credentials/appId/{app}',
  },
  permissions: {
    text: 'API permissions of the application in Entra',
    view: 'Microsoft_AAD_RegisteredApps/ApplicationMenuBlade/~/CallAnAPI/appId/{app}',
  },
  registrations: {
    text: 'App registrations in Entra',
    view: 'Microsoft_AAD_RegisteredApps/ApplicationsListBlade',
  },
  enterprise: {
    text: 'Enterprise applications in Entra',
    view: 'Microsoft_AAD_IAM/StartboardApplicationsMenuBlade/~/AppAppsPreview',
  },
  policies: {
    text: 'Conditional Access policies in Entra',
    view: 'Microsoft_AAD_ConditionalAccess/ConditionalAccessBlade/~/Policies',
  },
} as const;
type PageName = keyof typeof pages;

/** Where a code of Entra is dealt with (`graph.md` §6.5). */
const byCode: readonly { codes: readonly number[]; page: PageName }[] = [
  { codes: [700016, 70001, 700011, 50194], page: 'registrations' },
  {
    codes: [7000215, 70002, 7000222, 7000218, 7000216, 700027, 700030, 1000502, 7000274],
    page: 'credentials',
  },
  { codes: [7000214, 7000277, 50012, 50027, 900384, 700211, 700213], page: 'credentials' },
  { codes: [7000229, 65001, 65004, 65005, 650056, 650057, 90094, 90095, 90099], page: 'permissions' },
  { codes: [7000112, 50105], page: 'enterprise' },
  { codes: [53003, 53000, 53001, 53002, 53004, 530032, 530035, 50131], page: 'policies' },
];
const pageOfCode = new Map(byCode.flatMap(({ codes, page }) => codes.map((code) => [code, page] as const)));

/** What is left to say when the number is not in the table: by what kind of failure it is. */
const byKind: Partial<Record<Failure['kind'], PageName>> = {
  authentication: 'credentials',
  permission: 'permissions',
};

const guid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * The page of Entra where a failure is mended; null when nobody can mend it there. `appId` is a GUID, `portal` the
 * `entraPortal` of the settings: a registration of one cloud has no page in another.
 */
export function entraPage(
  failure: Pick<Failure, 'kind'> & { code?: string | undefined },
  tenant: TenantId,
  appId: string,
  portal: string,
): PageLink | null {
  const kind = byKind[failure.kind];
  if (kind === undefined || !guid.test(appId)) return null;
  const number = Number(/^AADSTS(\d{4,8})$/.exec(failure.code ?? '')?.[1]);
  // A tenant nobody knows, or of another cloud, has no page here.
  if ([90002, 900023, 5000224, 90038, 900382].includes(number)) return null;
  return entraPageOf(pageOfCode.get(number) ?? kind, tenant, appId, portal);
}

/** One page of the tenant's Entra; `appId` is a GUID. */
export function entraPageOf(name: PageName, tenant: TenantId, appId: string, portal: string): PageLink {
  const { text, view } = pages[name];
  return { text, href: `${portal}/${tenant}/#view/${view.replace('{app}', appId)}` };
}
