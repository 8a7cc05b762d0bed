import { type TenantId, tenantId } from '../shared/tenants/tenant.ts';

/** The demo's people and ids: the relay, the Playground's roster and the seeded grants must agree on them. */
export type CastMember = {
  oid: string;
  teamsId: string;
  name: string;
  address: string;
  role: 'Admin' | 'Operator' | 'Reader' | null;
};

function fixed(id: string): TenantId {
  const known = tenantId(id);
  if (known === undefined) throw new Error(`not a GUID: ${id}`);
  return known;
}

/** The tenant of the managed-service provider whose people use the demo. */
export const demoHome = {
  id: fixed('6f1c0a7e-51d2-4c39-9a0b-3e2f7d5c8a10'),
  name: 'Fourth Coffee IT',
  domain: 'fourthcoffee.example',
};

export const demoBotId = '2b7d9e34-8c15-4f60-b3a2-91e4c7d05f68';
export const demoTabAppId = 'c40f6d1b-7a92-4e83-8d5c-0b36f9e2a714';
/** The application that customers' administrators consent to. */
export const demoGraphAppId = '7e15c9a2-46d8-4b07-9f31-d2a80c5b6e94';

/** Two Admins, an Operator, a Reader, one without a role; the first is the Playground's current user. */
export const demoPeople: readonly CastMember[] = [
  {
    oid: '0a4e8d52-19c7-4b3f-a6d0-72f5b8c1e931',
    teamsId: '29:demo-ana',
    name: 'Ana Reyes',
    address: 'ana@fourthcoffee.example',
    role: 'Admin',
  },
  {
    oid: '5d92b7c4-3e60-4a18-8f7b-c40e1d6a2935',
    teamsId: '29:demo-bo',
    name: 'Bo Lind',
    address: 'bo@fourthcoffee.example',
    role: 'Admin',
  },
  {
    oid: '8c17f3a6-d254-4e9b-b081-5a9d0c7e4f62',
    teamsId: '29:demo-chidi',
    name: 'Chidi Okafor',
    address: 'chidi@fourthcoffee.example',
    role: 'Operator',
  },
  {
    oid: 'b36d5e09-7f81-4c2a-9e45-1d80a3f7c294',
    teamsId: '29:demo-dana',
    name: 'Dana Petrov',
    address: 'dana@fourthcoffee.example',
    role: 'Reader',
  },
  {
    oid: 'e7a0c4d8-25b9-4f13-86ae-9b4c2f61d057',
    teamsId: '29:demo-eli',
    name: 'Eli Novak',
    address: 'eli@fourthcoffee.example',
    role: null,
  },
];
