import { guidOf } from './seeded.ts';
import type { State } from './state.ts';
import type { SandboxTenant } from './tenants.ts';

/** Ids of Entra's own directory roles, as `wids` names them; everybody has the last. */
const roleIds = {
  globalAdministrator: '62e90394-69f5-4237-9190-012177145e10',
  privilegedRoleAdministrator: 'e8611ab8-c189-46e8-94e1-60213ab1f814',
  cloudApplicationAdministrator: '158c047a-c907-4556-b7ef-446551a6b5f7',
  everybody: 'b79fbf4d-3ef9-4689-8143-76b194e85509',
} as const;

const kinds = {
  admin: { name: 'Global Administrator', wids: [roleIds.globalAdministrator], mayConsent: true },
  roles: {
    name: 'Privileged Role Administrator',
    wids: [roleIds.privilegedRoleAdministrator],
    mayConsent: true,
  },
  apps: {
    name: 'Cloud Application Administrator',
    wids: [roleIds.cloudApplicationAdministrator],
    mayConsent: false,
  },
  user: { name: 'User without a role', wids: [], mayConsent: false },
} as const;
type Kind = keyof typeof kinds;

/** Somebody of a customer, as the sign-in pages let one choose. */
export type Account = {
  /** `contoso.com/admin` */
  key: string;
  tenant: SandboxTenant;
  oid: string;
  name: string;
  address: string;
  wids: string[];
  mayConsent: boolean;
};

function account(tenant: SandboxTenant, kind: Kind): Account {
  const { name, wids, mayConsent } = kinds[kind];
  return {
    key: `${tenant.domain}/${kind}`,
    tenant,
    oid: guidOf(`account ${tenant.id} ${kind}`),
    name: `${name} of ${tenant.name}`,
    address: `${kind}@${tenant.domain}`,
    wids: [...wids, roleIds.everybody],
    mayConsent,
  };
}

/** All of a tenant, and the administrator of another one, who is there to be refused. */
export function accountsAt(state: State, tenant: SandboxTenant | undefined): Account[] {
  if (tenant === undefined) return state.tenants.slice(0, 20).map((one) => account(one, 'admin'));
  const other = state.tenants.find((one) => one.id !== tenant.id);
  return [
    ...(Object.keys(kinds) as Kind[]).map((kind) => account(tenant, kind)),
    ...(other === undefined ? [] : [account(other, 'admin')]),
  ];
}

/** One by `domain/kind`. */
export function accountNamed(state: State, key: string): Account | undefined {
  const [domain, kind = ''] = key.split('/');
  const tenant = state.tenants.find((one) => one.domain === domain);
  return tenant !== undefined && Object.hasOwn(kinds, kind) ? account(tenant, kind as Kind) : undefined;
}
