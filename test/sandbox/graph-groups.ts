import type { DirectoryRole, Group } from '@microsoft/microsoft-graph-types';
import { peopleOf } from './graph-people.ts';
import { guidOf, seeded } from './seeded.ts';
import type { SandboxTenant } from './tenants.ts';

const subjects =
  'Finance Sales Support Board Marketing Research Facilities Legal Projects Training Retail Payroll'.split(
    ' ',
  );

/** Groups with their owners; `owners` goes only to who expands them. */
export function groups(tenant: SandboxTenant): Group[] {
  const random = seeded(`groups ${tenant.seed} ${tenant.domain}`);
  const people = peopleOf(tenant);
  return Array.from({ length: Math.round(people.length / 6) }, (_, at) => {
    const name = `${subjects[at % subjects.length] ?? 'Group'} ${1 + Math.floor(at / subjects.length)}`;
    const unified = random() < 0.6;
    const dynamic = random() < 0.08;
    const owner = people[Math.floor(random() * people.length)];
    const owned = !unified ? random() < 0.5 : random() > 0.06;
    return {
      id: guidOf(`group ${tenant.seed} ${tenant.domain} ${at}`),
      displayName: name,
      description: null,
      groupTypes: [...(unified ? ['Unified'] : []), ...(dynamic ? ['DynamicMembership'] : [])],
      mail: unified ? `${name.toLowerCase().replace(' ', '-')}@${tenant.domain}` : null,
      mailEnabled: unified,
      mailNickname: name.toLowerCase().replace(' ', '-'),
      securityEnabled: !unified,
      visibility: unified ? (random() < 0.2 ? 'Public' : 'Private') : null,
      membershipRule: dynamic ? '(user.department -eq "Sales")' : null,
      onPremisesSyncEnabled: null,
      createdDateTime: '2024-05-05T00:00:00Z',
      owners:
        owned && owner !== undefined
          ? [{ '@odata.type': '#microsoft.graph.user', id: owner.id } as object]
          : [],
    };
  });
}

type Named = { name: string; template: string; from: number; to: number };
const named: Named[] = [
  { name: 'Global Administrator', template: '62e90394-69f5-4237-9190-012177145e10', from: 0, to: 0.3 },
  { name: 'User Administrator', template: 'fe930be7-5e62-47db-91af-98c3a49a38b1', from: 0.3, to: 0.6 },
  { name: 'Exchange Administrator', template: '29232cdf-9323-42fd-ade2-1d097af3e4de', from: 0.5, to: 0.8 },
  { name: 'Helpdesk Administrator', template: '729827e3-9c14-49f7-bb1b-9608f156bbb8', from: 0.8, to: 1 },
];
const forApps: Named = {
  name: 'Cloud Application Administrator',
  template: '158c047a-c907-4556-b7ef-446551a6b5f7',
  from: 0,
  to: 0,
};

/** Roles that somebody has: their ids are the tenant's own, their templates Microsoft's. */
export function directoryRoles(tenant: SandboxTenant): DirectoryRole[] {
  if (peopleOf(tenant).length === 0) return [];
  return [...named, forApps].map(({ name, template }) => ({
    id: guidOf(`role ${tenant.id} ${template}`),
    deletedDateTime: null,
    displayName: name,
    description: `Can do what a ${name} can.`,
    roleTemplateId: template,
  }));
}

/** The members of a role by its id or its template; undefined for a role nobody has. */
export function roleMembers(tenant: SandboxTenant, role: string): object[] | undefined {
  const wanted = role.toLowerCase();
  const found = [...named, forApps].find(
    ({ template }) => template === wanted || guidOf(`role ${tenant.id} ${template}`) === wanted,
  );
  if (found === undefined || peopleOf(tenant).length === 0) return undefined;
  if (found === forApps) {
    return [
      {
        '@odata.type': '#microsoft.graph.servicePrincipal',
        id: guidOf(`app of ${tenant.id}`),
        displayName: 'Payroll deploy',
        appId: guidOf(`app id of ${tenant.id}`),
      },
    ];
  }
  const admins = peopleOf(tenant).filter(({ admin }) => admin);
  const end = Math.max(Math.floor(admins.length * found.from) + 1, Math.ceil(admins.length * found.to));
  return admins.slice(Math.floor(admins.length * found.from), end).map(({ id, name, upn }) => ({
    '@odata.type': '#microsoft.graph.user',
    id,
    displayName: name,
    userPrincipalName: upn,
    mail: upn,
    businessPhones: [],
    givenName: null,
    surname: null,
    jobTitle: null,
    mobilePhone: null,
    officeLocation: null,
    preferredLanguage: null,
  }));
}
