import { scopeOfJob } from '../../shared/access.ts';
import { clean } from '../../shared/foreign-text.ts';
import type { ConnectLink, ConsentApp, Services } from '../services.ts';
import { fromMicrosoft, type Step, toConsentPage } from './consent.ts';
import { checkConsent, type Patience, usualPatience } from './consent-check.ts';
import { stillMay } from './links.ts';
import type { PageAnswer, PageRequest, PageRoute } from './page-route.ts';
import { askingPage, consentOff, noSuchLink, noSuchWindow, outcomePage, waitingPage } from './pages.ts';
import { keeping, newSession, sessionOf } from './session.ts';

/** Longer than one try of the check may take; the page looks again every few seconds. */
const tryMs = 25_000;

/** The pages of a consent: a link's, the popup's start, the way back from Microsoft, and the page that waits. */
export function connectPages({ patience = usualPatience }: { patience?: Patience } = {}): PageRoute[] {
  return [
    { method: 'GET', path: '/connect/start', handle: acting(start) },
    { method: 'GET', path: '/connect/callback', handle: acting(callback) },
    {
      method: 'GET',
      path: '/connect/wait',
      handle: acting((request, app, services) => wait(request, app, services, patience)),
    },
    { method: 'GET', path: '/connect/:token', handle: look },
    { method: 'POST', path: '/connect/:token', handle: useLink },
  ];
}

type Act = (request: PageRequest, app: ConsentApp, services: Services) => Promise<PageAnswer>;

/** A GET that does something: not for who only looks whether it is there, nor for a browser that guesses ahead. */
function acting(act: Act): PageRoute['handle'] {
  return async (request, services) => {
    if (request.method === 'HEAD') return { status: 200, body: '' };
    if (/prefetch|prerender/i.test(request.headers['sec-purpose'] ?? request.headers.purpose ?? ''))
      return { status: 503, body: '' };
    if (services.consent === undefined) return consentOff(services);
    return await act(request, services.consent, services);
  };
}

async function look(request: PageRequest, services: Services): Promise<PageAnswer> {
  if (services.consent === undefined) return consentOff(services);
  const token = request.params.token ?? '';
  const link = await services.store.connectLinks.look(token);
  const asked = link === null ? null : await askedBy(link, services);
  return asked === null
    ? noSuchLink(services)
    : askingPage({ ...asked, address: `/connect/${token}` }, services);
}

/** The company and the person of a link; null when either is gone. */
async function askedBy(link: ConnectLink, services: Services) {
  const tenant = await services.store.tenants.get(scopeOfJob(link.tenantId), link.tenantId);
  const person = await stillMay(link, services);
  if (tenant === null || person === null) return null;
  return { link, tenant, by: clean(person.name, 100) || 'Somebody who looks after your organisation' };
}

/** *Continue to Microsoft*: uses the link up, once. A form of another site is not ours. */
async function useLink(request: PageRequest, services: Services): Promise<PageAnswer> {
  const { consent, store, settings } = services;
  if (consent === undefined) return consentOff(services);
  if (isForeign(request, settings.publicUrl)) return noSuchLink(services);
  const token = request.params.token ?? '';
  const seen = await store.connectLinks.look(token);
  if (seen === null || (await askedBy(seen, services)) === null) return noSuchLink(services);
  const link = await store.connectLinks.use(token);
  if (link === null) return noSuchLink(services);
  const { tenantId, by } = link;
  await store.audit.write({
    who: by,
    what: 'use connect link',
    tenant: tenantId,
    where: 'link',
    result: 'done',
    request: request.id,
  });
  const session = sessionOf(request, settings.publicUrl) ?? newSession();
  const step = await toConsentPage({ tenantId, via: 'link', by }, session, consent, services);
  return answerOf(step, session, services);
}

/** A browser says where a form comes from. Our own pages name no origin: they tell nobody where they are. */
function isForeign({ headers }: PageRequest, publicUrl: string): boolean {
  const { origin, 'sec-fetch-site': site } = headers;
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return true;
  return origin !== undefined && origin !== 'null' && origin !== new URL(publicUrl).origin;
}

async function start(request: PageRequest, app: ConsentApp, services: Services): Promise<PageAnswer> {
  const { store, settings } = services;
  const used = await store.connectPasses.use(request.query.get('ticket') ?? '', 'ticket', undefined);
  if (used.kind !== 'right' || (await stillMay(used.pass, services)) === null) return noSuchWindow(services);
  const session = sessionOf(request, settings.publicUrl) ?? newSession();
  return answerOf(await toConsentPage(used.pass, session, app, services), session, services);
}

async function callback(request: PageRequest, app: ConsentApp, services: Services): Promise<PageAnswer> {
  const session = sessionOf(request, services.settings.publicUrl);
  return answerOf(await fromMicrosoft(request.query, session, app, services), session, services);
}

async function wait(
  request: PageRequest,
  _app: ConsentApp,
  services: Services,
  patience: Patience,
): Promise<PageAnswer> {
  const { store, settings } = services;
  const token = request.query.get('check') ?? '';
  const session = sessionOf(request, settings.publicUrl);
  const pass = session === undefined ? null : await store.connectPasses.look(token, session);
  if (pass === null || session === undefined) return noSuchWindow(services);
  if (pass.outcome !== undefined) return outcomePage(pass.outcome, services);
  const cookie = { 'Set-Cookie': keeping(session, settings.publicUrl) };
  if (!(await store.connectPasses.claim(token, session, tryMs))) return waitingPage(services, cookie);
  const outcome = await checkConsent(pass, services, patience);
  if (outcome === null) {
    await store.connectPasses.again(token, patience.betweenMs);
    return waitingPage(services, cookie);
  }
  await store.connectPasses.end(token, outcome);
  return outcomePage(outcome, services);
}

function answerOf(step: Step, session: string | undefined, services: Services): PageAnswer {
  const cookie: Record<string, string> =
    session === undefined ? {} : { 'Set-Cookie': keeping(session, services.settings.publicUrl) };
  if (step.kind === 'over') return outcomePage(step.outcome, services, { status: step.status });
  return { status: 303, headers: { Location: step.to, ...cookie }, body: '' };
}
