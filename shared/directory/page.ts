import { type MailDomain, type MailMark, mailMark } from '../mail/mail-domain.ts';
import {
  type DatasetState,
  type DirectoryDatasetName,
  directoryDatasetNames,
  type Tenant,
} from '../tenants/tenant.ts';
import type { Instant } from '../time.ts';
import type {
  ConditionalAccessFacts,
  Directory,
  DirectoryPart,
  GroupFacts,
  LicenceFacts,
  LicenceTerms,
  MfaFacts,
  RoleFacts,
  SignInFacts,
  UserFacts,
} from './directory.ts';
import { type Enforcement, mfaEnforcement } from './mfa-enforcement.ts';
import { partOf } from './parts.ts';

/** What was read and when, or why it is not known: half a sentence without a full stop. */
export type Fact<T> = { known: true; value: T; readAt: Instant | null } | { known: false; why: string };

/** A domain as it is shown. `pointsTo` of a key, names and texts are foreign. */
export type MarkedDomain = MailDomain & MailMark;

/** `GET /api/tab/tenants/{id}/directory`. Lists hold at most 50 names, 100 licences, 50 domains. */
export type DirectoryPage = {
  now: Instant;
  users: Fact<UserFacts>;
  signIns: Fact<SignInFacts>;
  mfa: Fact<MfaFacts>;
  enforcement: Enforcement;
  conditionalAccess: Fact<ConditionalAccessFacts>;
  roles: Fact<RoleFacts>;
  groups: Fact<GroupFacts>;
  licences: Fact<LicenceFacts>;
  terms: Fact<LicenceTerms>;
  mail: Fact<MarkedDomain[]>;
  /** Each dataset with how the last try went. `waiting`: never tried. */
  datasets: {
    name: DirectoryDatasetName;
    state: DatasetState['state'] | 'waiting';
    why: string;
    permission: string | null;
    readAt: Instant | null;
    triedAt: Instant | null;
  }[];
};

const reasons: Readonly<Record<Exclude<DatasetState['state'], 'ok'>, string>> = {
  'not-licensed': 'it is not licensed',
  'not-granted': 'it was not granted',
  'permission-missing': 'a permission is missing',
  throttled: 'Microsoft asks us to wait',
  error: 'it could not be read',
};

/** All that is known of a tenant's directory; what is not known says why, and nothing is zero for want of knowing. */
export function directoryPage(
  tenant: Pick<Tenant, 'datasets'>,
  directory: Directory,
  now: Instant,
): DirectoryPage {
  const nameOf = (part: DirectoryPart): DirectoryDatasetName =>
    directoryDatasetNames.find((name) => partOf[name] === part) ?? 'users';

  function fact<K extends DirectoryPart>(part: K): Fact<NonNullable<Directory[K]>> {
    const state = tenant.datasets[nameOf(part)];
    const value = directory[part];
    if (value !== undefined && value !== null) return { known: true, value, readAt: state?.readAt ?? null };
    return { known: false, why: whyNot(state) };
  }

  const mail = fact('mail');
  const [securityDefaults, conditionalAccess] = [fact('securityDefaults'), fact('conditionalAccess')];
  return {
    now,
    users: fact('users'),
    signIns: fact('signIns'),
    mfa: fact('mfa'),
    enforcement: mfaEnforcement(securityDefaults, conditionalAccess),
    conditionalAccess,
    roles: fact('roles'),
    groups: fact('groups'),
    licences: fact('licences'),
    terms: fact('terms'),
    mail: mail.known ? { ...mail, value: mail.value.map((one) => ({ ...one, ...mailMark(one) })) } : mail,
    datasets: directoryDatasetNames.map((name) => {
      const state = tenant.datasets[name];
      return {
        name,
        state: state?.state ?? 'waiting',
        why: state?.why ?? '',
        permission: state?.permission ?? null,
        readAt: state?.readAt ?? null,
        triedAt: state?.triedAt ?? null,
      };
    }),
  };
}

function whyNot(state: DatasetState | undefined): string {
  if (state === undefined) return 'it was not read yet';
  if (state.state === 'ok') return 'it is being read';
  const why = (state.why ?? '').trim().replace(/[.]$/, '');
  if (state.state === 'not-granted' && why !== '') return `it was ${why}`;
  return why === '' ? reasons[state.state] : lowered(why);
}

/** A sentence of ours within another one; names keep their capital. */
function lowered(text: string): string {
  return /^(The|This|An?|It|Nothing|Somebody) /.test(text)
    ? text.charAt(0).toLowerCase() + text.slice(1)
    : text;
}
