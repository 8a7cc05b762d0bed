import type { PageLink } from '../../shared/api.ts';
import { type Licences, type TenantId, tenantId } from '../../shared/tenants/tenant.ts';
import { WatchpostError } from '../errors.ts';
import type { Failure, Reading, Services, TenantAccess } from '../services.ts';
import { entraPage } from './entra-pages.ts';

/** One line of a connection test: what was tried, whether it works, and what to do when it does not. */
export type TestStep = {
  step: string;
  works: boolean;
  says: string;
  remedy?: string;
  /** Works as far as this tenant goes: its licences do not reach further. */
  gap?: boolean;
  /** Microsoft's code of the failure. */
  code?: string;
  /** Where in Entra it is mended. */
  link?: PageLink;
};

export type Tested = {
  steps: TestStep[];
  /** Steps that were not tried, because an earlier one failed. */
  notTried: string[];
  /** What the token allows; empty without one. */
  roles: string[];
  /** Set when everything works: what the organisation calls itself. */
  organization: { name: string; domains: string[] } | null;
};

/** In this order; a licence gap fails none of them. */
export const stepNames = {
  token: 'Sign in to the tenant',
  organization: 'Read the organisation',
  domains: 'Read the domains',
  licences: 'Read the licences',
  scores: 'Read Secure Score',
  profiles: 'Read the recommended actions',
} as const;

const all: readonly string[] = Object.values(stepNames);

/**
 * The tenant a domain or id belongs to. Throws `bad-input` when there is none, and what Entra's discovery throws. Only
 * the hosts of this cloud are asked (R59).
 */
export async function tenantOf(
  domain: string,
  { microsoft }: Pick<Services, 'microsoft'>,
): Promise<TenantId> {
  const id = await microsoft.tenantOfDomain(domain);
  if (id !== null) return id;
  const what = tenantId(domain) === undefined ? 'domain' : 'id';
  throw new WatchpostError('bad-input', `No Microsoft 365 tenant has the ${what} "${domain}".`, {
    hint: 'Check the spelling. A tenant of another national cloud is found only when CLOUD names that one: ask who runs Watchpost.',
  });
}

/**
 * Tests the way into a tenant step by step and saves nothing. Once the organisation was read, or only a permission is
 * missing there, everything else is tried at once, so that all that is missing is told together. `deadlineMs` bounds
 * the whole test: what has not answered by then has failed.
 */
export async function testConnection(
  access: TenantAccess,
  { microsoft, settings }: Pick<Services, 'microsoft' | 'settings'>,
  deadlineMs = 60_000,
): Promise<Tested> {
  const id = access.tenantId;
  const steps: TestStep[] = [];
  let roles: string[] = [];
  const end = performance.now() + deadlineMs;
  const inTime = <T>(reading: Promise<Reading<T>>): Promise<Reading<T>> => within(end, reading);
  const tried = <T>(step: string, reading: Reading<T>): boolean => {
    const line = told(step, reading, access, settings.entraPortal);
    steps.push(line);
    return line.works;
  };
  const ended = (organization: Tested['organization']): Tested => {
    const done = new Set(steps.map(({ step }) => step));
    return { steps, notTried: all.filter((step) => !done.has(step)), roles, organization };
  };

  // A token of earlier credentials must not make wrong new ones look right.
  microsoft.forget(id);
  const token = await inTime(microsoft.token(access));
  if (!tried(stepNames.token, token)) return ended(null);
  if (token.kind === 'ok') roles = token.value.roles;
  const organization = await inTime(microsoft.organization(access));
  const readable = tried(stepNames.organization, organization);
  // What is missing of the permissions is told whole; without an answer for another reason nothing else is tried.
  if (organization.kind === 'failed' && organization.failure.kind !== 'permission') return ended(null);
  if (organization.kind === 'ok' && organization.value.id !== id) {
    steps.push({
      step: 'Right tenant',
      works: false,
      says: 'Microsoft answered for another tenant than the domain belongs to.',
      remedy: 'Check the domain.',
    });
    return ended(null);
  }
  const [domains, licences, scores, profiles] = await Promise.all([
    inTime(microsoft.domains(access)),
    inTime(microsoft.subscribedSkus(access)),
    inTime(microsoft.secureScores(access, 1)),
    inTime(microsoft.secureScoreControlProfiles(access)),
  ]);
  const works = [
    readable,
    tried(stepNames.domains, domains),
    tried(stepNames.licences, licences),
    tried(stepNames.scores, scores),
    tried(stepNames.profiles, profiles),
  ];
  if (licences.kind === 'ok') sayWhatLicencesLack(steps, licences.value);
  if (works.includes(false) || organization.kind !== 'ok') return ended(null);
  return ended({ name: organization.value.name, domains: organization.value.domains });
}

function told<T>(step: string, reading: Reading<T>, access: TenantAccess, portal: string): TestStep {
  if (reading.kind !== 'failed') return { step, works: true, says: 'works' };
  const { failure } = reading;
  if (failure.kind === 'licence') {
    return { step, works: true, gap: true, says: `not in this tenant's licences: ${failure.cause}` };
  }
  const link = entraPage(failure, access.tenantId, access.appId, portal);
  return {
    step,
    works: false,
    says: failure.cause,
    remedy: remedyOf(failure),
    ...(failure.code === undefined ? {} : { code: failure.code }),
    ...(link === null ? {} : { link }),
  };
}

/** Here nothing is synced yet, so what Graph's table says to do afterwards is another thing: to test again. */
function remedyOf({ remedy, code }: Failure): string {
  const todo = remedy.replace(/(?<=\bthen )sync once more\b/, 'test again');
  return `${todo || 'Try again in a few minutes.'}${code === undefined || isOfSystem(code) ? '' : ` (${code})`}`;
}

/** Microsoft's codes can be looked up; what our own system calls a broken connection is for the log. */
function isOfSystem(code: string): boolean {
  return /^(?!AADSTS)[A-Z][A-Z0-9_]*$/.test(code);
}

/** The licences were read well; what they do not hold is said, and fails nothing. */
function sayWhatLicencesLack(steps: TestStep[], { entraP1, entraP2 }: Licences): void {
  const line = steps.find(({ step }) => step === stepNames.licences);
  if (line === undefined) return;
  if (entraP1.known && !entraP1.value) {
    line.gap = true;
    line.says = 'no Entra ID P1 or P2: risky users, sign-in logs and Conditional Access cannot be seen here';
  } else if (entraP2.known && !entraP2.value) {
    line.gap = true;
    line.says = 'no Entra ID P2: risky users cannot be seen here';
  }
}

/** The reading, or a failure when it has not come by `end` (of `performance.now()`); it goes on by its own limits. */
export async function within<T>(end: number, reading: Promise<Reading<T>>): Promise<Reading<T>> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<Reading<T>>((resolve) => {
    const failure: Failure = {
      kind: 'service',
      cause: 'Microsoft did not answer in time.',
      remedy: '',
      transient: true,
    };
    timer = setTimeout(() => resolve({ kind: 'failed', failure }), Math.max(0, end - performance.now()));
  });
  return await Promise.race([reading, late]).finally(() => clearTimeout(timer));
}
