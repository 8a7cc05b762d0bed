import type { User, UserRegistrationDetails } from '@microsoft/microsoft-graph-types';
import { pointsOn, scored } from './history.ts';
import { usersOn } from './score-answers.ts';
import { guidOf, seeded } from './seeded.ts';
import { has, lastDayOf, type SandboxTenant } from './tenants.ts';

/** The people of a tenant: as many as it has licences, some guests, a few administrators; the same every time. */
export type SandboxPerson = {
  id: string;
  name: string;
  upn: string;
  guest: boolean;
  enabled: boolean;
  licensed: boolean;
  synced: boolean;
  createdAt: string;
  /** Days since the last sign-in that worked; null: none is known. */
  seenDaysAgo: number | null;
  admin: boolean;
  mfa: 'none' | 'registered' | 'capable';
};

const first =
  'Ada Bea Carl Dana Emil Fay Gus Hana Igor June Kai Lena Max Nora Omar Pia Quin Rosa Seb Tess Uma Vic Wim Yara'.split(
    ' ',
  );
const last =
  'Adler Brandt Costa Diaz Ek Ferro Gray Holm Ito Jansen Khan Lund Meyer Novak Olsen Petit Quist Roy Silva Tran'.split(
    ' ',
  );
const kept = new Map<string, SandboxPerson[]>();

/** How much of a control's points the tenant has today: what its score says must be true of its people. */
function share(tenant: SandboxTenant, control: string): number {
  const day = lastDayOf(tenant, tenant.lastDay);
  const max = scored(tenant, day).find(({ id }) => id === control)?.max ?? 0;
  return max === 0 ? 1 : (pointsOn(tenant, day).get(control) ?? 0) / max;
}

export function peopleOf(tenant: SandboxTenant): SandboxPerson[] {
  const key = `${tenant.id} ${tenant.version}`;
  const known = kept.get(key);
  if (known !== undefined) return known;
  const random = seeded(`people ${tenant.seed} ${tenant.domain}`);
  const members = tenant.empty === true ? 0 : usersOn(tenant, tenant.lastDay);
  const guests = Math.round(members * 0.12);
  const admins = members === 0 ? 0 : Math.min(members, 2 + Math.round(Math.sqrt(members) / 2));
  const registered = share(tenant, 'MFARegistrationV2');
  const safeAdmins = Math.round(admins * share(tenant, 'AdminMFAV2'));
  const people = Array.from({ length: members + guests }, (_, at): SandboxPerson => {
    const guest = at >= members;
    const admin = at < admins;
    const name = `${first[Math.floor(random() * first.length)] ?? 'Ada'} ${last[Math.floor(random() * last.length)] ?? 'Ek'}`;
    const local = `${name.toLowerCase().replace(' ', '.')}${at}`;
    const enabled = admin || random() > 0.04;
    const hasMfa = admin ? at < safeAdmins : random() < registered;
    const seen = random();
    return {
      id: guidOf(`person ${tenant.seed} ${tenant.domain} ${at}`),
      name,
      upn: guest ? `${local}_partner.example#EXT#@${tenant.domain}` : `${local}@${tenant.domain}`,
      ...{ guest, admin, enabled },
      licensed: !guest && (enabled || random() < 0.6),
      synced: !guest && tenant.users > 1_000,
      createdAt: `20${18 + Math.floor(random() * 7)}-0${1 + Math.floor(random() * 9)}-12T09:00:00Z`,
      seenDaysAgo:
        seen < 0.01 ? null : seen < 0.07 ? 95 + Math.floor(random() * 300) : Math.floor(random() * 20),
      mfa: !hasMfa ? 'none' : random() < 0.05 && !admin ? 'registered' : 'capable',
    };
  });
  if (kept.size > 50) kept.clear();
  kept.set(key, people);
  return people;
}

/** A user as Graph has one; `signInActivity` only when it is asked for. */
export function users(tenant: SandboxTenant, today: string): User[] {
  return peopleOf(tenant).map((person) => ({
    id: person.id,
    displayName: person.name,
    userPrincipalName: person.upn,
    mail: person.guest ? null : person.upn,
    givenName: person.name.split(' ')[0] ?? null,
    surname: person.name.split(' ')[1] ?? null,
    businessPhones: [],
    jobTitle: null,
    mobilePhone: null,
    officeLocation: null,
    preferredLanguage: null,
    accountEnabled: person.enabled,
    userType: person.guest ? 'Guest' : 'Member',
    usageLocation: tenant.country,
    createdDateTime: person.createdAt,
    assignedLicenses: person.licensed
      ? [{ disabledPlans: [], skuId: 'cbdc14ab-d96c-4c30-b9f4-6ada7cdc1d46' }]
      : [],
    onPremisesSyncEnabled: person.synced ? true : null,
    ...(person.seenDaysAgo === null ? {} : { signInActivity: activity(person.seenDaysAgo, today) }),
  }));
}

function activity(daysAgo: number, today: string): NonNullable<User['signInActivity']> {
  const at = new Date(Date.parse(`${today}T08:00:00Z`) - daysAgo * 86_400_000)
    .toISOString()
    .replace('.000', '');
  return {
    lastSignInDateTime: at,
    lastSignInRequestId: guidOf(`sign-in ${at}`),
    lastNonInteractiveSignInDateTime: at,
    lastNonInteractiveSignInRequestId: guidOf(`token ${at}`),
    lastSuccessfulSignInDateTime: at,
    lastSuccessfulSignInRequestId: guidOf(`sign-in ${at}`),
  };
}

/** The registration report: a day behind, without those whose account is switched off. */
export function registrations(tenant: SandboxTenant, today: string): UserRegistrationDetails[] {
  return peopleOf(tenant)
    .filter(({ enabled }) => enabled)
    .map((person) => ({
      id: person.id,
      userPrincipalName: person.upn,
      userDisplayName: person.name,
      userType: person.guest ? 'guest' : 'member',
      isAdmin: person.admin,
      isMfaRegistered: person.mfa !== 'none',
      isMfaCapable: person.mfa === 'capable',
      isPasswordlessCapable: false,
      isSsprCapable: person.mfa === 'capable',
      isSsprEnabled: true,
      isSsprRegistered: person.mfa !== 'none',
      isSystemPreferredAuthenticationMethodEnabled: true,
      systemPreferredAuthenticationMethods: [],
      userPreferredMethodForSecondaryAuthentication: person.mfa === 'none' ? undefined : 'push',
      methodsRegistered: person.mfa === 'none' ? [] : ['microsoftAuthenticatorPush'],
      lastUpdatedDateTime: `${today}T03:00:00Z`,
    }));
}

/** P1 comes with every product of the sandbox but the small one. */
export function hasP1(tenant: SandboxTenant): boolean {
  return has(tenant, 'p1');
}
