import { scopeOfJob } from '../../shared/access.ts';
import { tenantId } from '../../shared/tenants/tenant.ts';
import { hasCode } from '../errors.ts';
import { noting, tolerant } from '../noted.ts';
import type { AuditEntryToWrite, Services } from '../services.ts';
import { personOf } from './allowed.ts';
import { problem } from './problem.ts';
import type { ApiAnswer, ApiRequest, ApiRoute } from './route.ts';

/**
 * A route whose audit entries do not depend on its handler's memory (R61): what it notes carries the request's id; what
 * it refuses by rule (403, 404) and what it changes (a POST that went well) is noted here when it has not done so. A
 * privileged action that could not be noted first was not done, and says so (R64).
 */
export function audited(route: ApiRoute): ApiRoute {
  const { path } = route;
  const changes = route.method === 'POST' && !(route.auth === 'tab' && route.reads === true);
  const what = nameOf(route);
  if (route.auth === 'none') {
    if (!changes) return route;
    return {
      ...route,
      handle: (request: ApiRequest, services: Services) =>
        run(request, 'anybody', services, async (inner) => await route.handle(request, inner)),
    };
  }
  return {
    ...route,
    handle: (request, who, services) =>
      run(request, personOf(who), services, async (inner) => await route.handle(request, who, inner)),
  };

  async function run(
    request: ApiRequest,
    who: string,
    services: Services,
    handle: (services: Services) => Promise<ApiAnswer>,
  ): Promise<ApiAnswer> {
    const inner = noting(services, request.id);
    const note = async (result: AuditEntryToWrite['result'], detail?: string): Promise<void> => {
      if (inner.noted() > 0) return;
      const entry = {
        who,
        what,
        where: 'tab',
        result,
        request: request.id,
        ...(await aboutIn(request, services)),
      };
      const whole = detail === undefined ? entry : { ...entry, detail };
      if (result === 'refused') await services.store.audit.denied(whole);
      else await tolerant(whole, services);
    };
    let answer: ApiAnswer;
    try {
      answer = await handle(inner.services);
    } catch (error) {
      if (hasCode(error, 'audit')) {
        return problem(503, [error.message, error.hint].filter(Boolean).join(' '), request.id);
      }
      if (hasCode(error, 'scope', 'not-found', 'refused')) await note('refused');
      else if (changes && !hasCode(error, 'stopped', 'bad-input')) {
        await note('failed');
      }
      throw error;
    }
    if (answer.status === 403 || answer.status === 404) await note('refused', String(answer.status));
    else if (changes && answer.status < 400) await note('done');
    return answer;
  }

  /** The tenant in the path, when there is such a one: its Admins see who tried. */
  async function aboutIn(
    request: ApiRequest,
    { store }: Services,
  ): Promise<Pick<AuditEntryToWrite, 'tenant' | 'target'>> {
    const said = request.params.id;
    if (said === undefined) return {};
    const id = path.includes('/tenants/') ? tenantId(said) : undefined;
    if (id !== undefined && (await store.tenants.get(scopeOfJob(id), id)) !== null) return { tenant: id };
    return { target: said.slice(0, 100) };
  }
}

/** `GET /api/tab/tenants/:id` is "look at tenants/:id"; a POST is called by its path. */
function nameOf({ method, path }: ApiRoute): string {
  const subject = path.replace(/^\/api\/tab\//, '');
  return method === 'GET' ? `look at ${subject}` : subject;
}
