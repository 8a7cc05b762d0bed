import { scopeOfJob } from '../../shared/access.ts';
import type { Tenant, TenantId } from '../../shared/tenants/tenant.ts';
import type { ConnectOutcome, ConnectPass, ConsentApp, Services } from '../services.ts';
import * as words from './consent-words.ts';

/**
 * The way of one consent: ticket or link → Microsoft's consent page → back with its state → Microsoft's sign-in → back
 * with its state and a code → who signed in is proved → the check. Every step is a pass of its own, good once, for ten
 * minutes, in the browser it was begun in (R15). What Microsoft's pages say in their query decides nothing but that
 * there was an error.
 */

export type Step =
  /** On to Microsoft, or to our own page that waits. */
  { kind: 'go'; to: string } | { kind: 'over'; outcome: ConnectOutcome; status: number };

const over = (outcome: ConnectOutcome, status = 200): Step => ({ kind: 'over', outcome, status });

/** What the popup begins with: an address good once. The caller has checked that `by` may connect the tenant. */
export async function beginInTab(
  tenant: TenantId,
  by: string,
  services: Services,
): Promise<{ address: string }> {
  await services.store.audit.writeFirst({
    who: by,
    what: 'consent',
    tenant,
    where: 'tab',
    result: 'started',
  });
  const wish = { tenantId: tenant, kind: 'ticket', via: 'tab', by } as const;
  const { token } = await services.store.connectPasses.add(scopeOfJob(tenant), wish);
  return { address: `/connect/start?ticket=${token}` };
}

/** To Microsoft's consent page of the tenant that is expected, never to one that somebody may choose. */
export async function toConsentPage(
  from: Pick<ConnectPass, 'tenantId' | 'via' | 'by'>,
  session: string,
  app: ConsentApp,
  { store }: Services,
): Promise<Step> {
  const { tenantId, via, by } = from;
  const { token } = await store.connectPasses.add(
    scopeOfJob(tenantId),
    { tenantId, kind: 'consent', via, by },
    session,
  );
  return { kind: 'go', to: app.consentUrl(tenantId, token) };
}

/** Both ways back from Microsoft. */
export async function fromMicrosoft(
  query: URLSearchParams,
  session: string | undefined,
  app: ConsentApp,
  services: Services,
): Promise<Step> {
  const { store } = services;
  const states = query.getAll('state');
  const state = states.length === 1 && /^[\w-]{43}$/.test(states[0] ?? '') ? (states[0] ?? '') : '';
  let used = await store.connectPasses.use(state, 'consent', session);
  if (used.kind === 'unknown') used = await store.connectPasses.use(state, 'sign-in', session);
  if (used.kind !== 'right') {
    await refused(used.kind === 'unknown' ? undefined : used.pass, `state: ${used.kind}`, services, 'denied');
    return over(words.unusable(used.kind), 400);
  }
  const { pass } = used;
  const tenant = await store.tenants.get(scopeOfJob(pass.tenantId), pass.tenantId);
  if (tenant === null) return over(words.gone(), 404);
  // Entra says admin_consent=True beside an error, too: an error is what counts.
  const error = query.get('error');
  if (error !== null) {
    await refused(pass, `Microsoft: ${codeOf(query)}`, services);
    return over(saidByMicrosoft(query, tenant, pass));
  }
  // `use` has seen that the session is this browser's.
  if (session === undefined) return over(words.unusable('other-session'), 400);
  return pass.kind === 'consent'
    ? await toSignIn(pass, session, app, services)
    : await signedIn(query, pass, tenant, session, app, services);
}

/** Consent was given, it seems: by whom, only a sign-in proves. */
async function toSignIn(
  { tenantId, via, by }: ConnectPass,
  session: string,
  app: ConsentApp,
  services: Services,
): Promise<Step> {
  const { token, pass } = await services.store.connectPasses.add(
    scopeOfJob(tenantId),
    { tenantId, kind: 'sign-in', via, by },
    session,
  );
  if (pass.proof === null) return over(words.unusable('other-session'), 400);
  return { kind: 'go', to: app.signInUrl(tenantId, token, pass.proof) };
}

async function signedIn(
  query: URLSearchParams,
  pass: ConnectPass,
  tenant: Tenant,
  session: string,
  app: ConsentApp,
  services: Services,
): Promise<Step> {
  const { tenantId, via, by, proof } = pass;
  const code = query.get('code') ?? '';
  if (proof === null || !/^[\x21-\x7e]{1,6000}$/.test(code)) {
    await refused(pass, 'no code', services);
    return over(words.notVerified(via), 400);
  }
  const who = await app.signedIn(tenantId, code, proof);
  if (who.kind === 'failed') {
    await refused(pass, `sign-in: ${who.failure.code ?? who.failure.kind}`, services);
    const number = Number(/^AADSTS(\d+)$/.exec(who.failure.code ?? '')?.[1]);
    const known = words.byNumber(number, tenant, via);
    // A code that is not ours is refused by Entra in many words; for people it is one thing.
    return over(
      known ?? (who.failure.transient ? words.microsoftAway(who.failure.cause, via) : words.notVerified(via)),
    );
  }
  if (who.kind === 'refused') {
    await refused(pass, `ID token: ${who.why}`, services);
    return over(words.notVerified(via));
  }
  if (who.tid !== tenantId) {
    await refused(pass, 'another tenant signed in', services);
    return over(words.wrongTenant(tenant, via));
  }
  if (who.administrator !== true) {
    await refused(pass, who.administrator === null ? 'roles not told' : 'not an administrator', services);
    return over(who.administrator === null ? words.rolesNotTold() : words.notAdministrator(tenant, via));
  }
  await services.store.audit.write({
    who: by,
    what: 'consent',
    tenant: tenantId,
    where: via,
    result: 'done',
    target: `${who.tid}/${who.oid}`,
  });
  const { token } = await services.store.connectPasses.add(
    scopeOfJob(tenantId),
    { tenantId, kind: 'check', via, by },
    session,
  );
  return { kind: 'go', to: `/connect/wait?check=${token}` };
}

function saidByMicrosoft(query: URLSearchParams, tenant: Tenant, { via }: ConnectPass): ConnectOutcome {
  const code = codeOf(query);
  const known = words.byNumber(Number(code.replace('AADSTS', '')), tenant, via);
  if (known !== undefined) return known;
  const declined = ['access_denied', 'consent_required', 'permission_denied'].includes(
    query.get('error') ?? '',
  );
  return declined && code === 'no number' ? words.declined(tenant, via) : words.atMicrosoft(code, via);
}

/** Of what Microsoft describes only the number is looked at; it may hold anything. */
function codeOf(query: URLSearchParams): string {
  const number = /AADSTS(\d{4,8})/.exec(query.get('error_description') ?? '')?.[1];
  return number === undefined ? 'no number' : `AADSTS${number}`;
}

/** A step that was good is written once, since it is good once; what strangers send is counted by the minute. */
async function refused(
  pass: ConnectPass | undefined,
  detail: string,
  { store }: Services,
  how: 'write' | 'denied' = 'write',
): Promise<void> {
  await store.audit[how]({
    who: 'consent page',
    what: 'consent',
    result: 'refused',
    ...(pass === undefined ? {} : { tenant: pass.tenantId, where: pass.via }),
    detail,
  });
}
