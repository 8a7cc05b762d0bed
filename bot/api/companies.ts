import * as v from 'valibot';
import type { Caller } from '../../shared/access.ts';
import { type Added, type CompanyLines, companyLimits, type LookedUp } from '../../shared/api.ts';
import { tenantId } from '../../shared/tenants/tenant.ts';
import { sentence } from '../../shared/words.ts';
import { addCompany } from '../connect/add-company.ts';
import { cleanCompany, readCompanies } from '../connect/read-companies.ts';
import { findingBy, openTenantFinder, type TenantFinder } from '../connect/tenant-finder.ts';
import { hasCode, WatchpostError } from '../errors.ts';
import type { Services } from '../services.ts';
import { type Gate, personOf, tooFast } from './allowed.ts';
import { wrongWith } from './connect-body.ts';
import { problem } from './problem.ts';
import type { ApiAnswer, ApiRoute } from './route.ts';
import { tenantsSeen } from './selection.ts';

/** Below the server's own limit for an answer: what Entra has not said by then is asked for again. */
const patienceMs = 15_000;
const form = 'Fill in the form again: it did not come as it was meant.';
const long = 'This list is too long. Add it in parts.';
const callWords = `At most ${companyLimits.calls} at once.`;

const readSchema = v.strictObject(
  { text: v.pipe(v.string(form), v.maxLength(companyLimits.text, long)) },
  form,
);
const domain = v.pipe(v.string(form), v.maxLength(253, form), v.toLowerCase());
const lookUpSchema = v.strictObject(
  {
    domains: v.pipe(
      v.array(domain, form),
      v.minLength(1, callWords),
      v.maxLength(companyLimits.calls, callWords),
    ),
  },
  form,
);
const addSchema = v.strictObject(
  {
    companies: v.pipe(
      v.array(
        v.strictObject(
          {
            name: v.pipe(v.string(form), v.maxLength(companyLimits.name, form)),
            domain,
            tags: v.pipe(
              v.array(v.pipe(v.string(form), v.maxLength(100, form)), form),
              v.maxLength(50, form),
            ),
            /** As the look-up said. */
            id: v.pipe(v.string(form), v.maxLength(36, form)),
          },
          form,
        ),
        form,
      ),
      v.minLength(1, callWords),
      v.maxLength(companyLimits.calls, callWords),
    ),
  },
  form,
);

/** Adding companies in three steps that can each be repeated: read the list, find the tenants, add what is good. */
export function companiesRoutes(gate: Gate): ApiRoute[] {
  const find = openTenantFinder();

  function route<S extends v.GenericSchema>(
    path: string,
    schema: S,
    handle: (body: v.InferOutput<S>, who: Caller, services: Services) => Promise<ApiAnswer>,
    reads?: true,
  ): ApiRoute {
    return {
      method: 'POST',
      path: `/api/tab/companies/${path}`,
      auth: 'tab',
      ...(reads === undefined ? {} : { reads }),
      handle: async (request, who, services) => {
        const refusal =
          (await gate.door.toNewTenants(request, who, services)) ?? tooFast(gate.bulk, who, request);
        if (refusal !== null) return refusal;
        const body = v.safeParse(schema, request.body, { abortEarly: true });
        if (!body.success) return problem(400, wrongWith(body.issues), request.id);
        try {
          return await handle(body.output, who, services);
        } catch (error) {
          if (!hasCode(error, 'bad-input')) throw error;
          return problem(400, `${error.message} ${error.hint ?? ''}`.trim(), request.id);
        }
      },
    };
  }

  return [
    route(
      'read',
      readSchema,
      async ({ text }, who, services) => {
        const lines = readCompanies(text);
        const known = new Map<string, string>();
        for (const { id, name, domains } of await tenantsSeen(who, services)) {
          for (const one of [id, ...domains]) known.set(one, name);
        }
        for (const line of lines) {
          const name = known.get(line.domain);
          if (line.fault === '' && name !== undefined) line.fault = thereAlready(name);
        }
        const body: CompanyLines = { lines };
        return { status: 200, body };
      },
      true,
    ),
    route(
      'look-up',
      lookUpSchema,
      async ({ domains }, who, services) => {
        const late = AbortSignal.timeout(patienceMs);
        const known = new Map((await tenantsSeen(who, services)).map(({ id, name }) => [id, name]));
        const found = await Promise.all(
          domains.map(async (one): Promise<LookedUp> => {
            const answer = await lookUp(one, find, late, services);
            if (answer.kind !== 'found') return { domain: one, ...answer };
            const id = tenantId(answer.id);
            const name = id === undefined ? undefined : known.get(id);
            return { domain: one, ...answer, known: name === undefined ? null : { id: answer.id, name } };
          }),
        );
        return { status: 200, body: { found } };
      },
      true,
    ),
    route('add', addSchema, async ({ companies }, who, services) => {
      const by = personOf(who);
      const late = AbortSignal.timeout(patienceMs);
      const added: Added[] = [];
      // One after the other: what was found before needs no question, and each is written whole before the next.
      for (const given of companies) {
        const company = cleanCompany(given);
        if (company.fault !== '') {
          added.push({ domain: given.domain, kind: 'failed', says: company.fault });
          continue;
        }
        const looked = await lookUp(company.domain, find, late, services);
        if (looked.kind !== 'found') {
          added.push({ domain: given.domain, kind: 'failed', says: looked.says });
        } else if (looked.id !== given.id) {
          const says = 'Its domain belongs to another tenant than the preview showed. Look at it again.';
          added.push({ domain: given.domain, kind: 'failed', says });
        } else {
          const { name, tags } = company;
          const done = await addCompany(
            { domain: company.domain, ...(name === '' ? {} : { name }), tags, by },
            findingBy(find, services),
          );
          added.push({ domain: given.domain, kind: done.kind, id: done.tenant.id, name: done.tenant.name });
        }
      }
      return { status: 200, body: { added } };
    }),
  ];
}

function thereAlready(name: string): string {
  return `It is there already, as ${name}.`;
}

type Looked = { kind: 'found'; id: string } | { kind: 'none' | 'later'; says: string };

async function lookUp(
  asked: string,
  find: TenantFinder,
  late: AbortSignal,
  services: Services,
): Promise<Looked> {
  const ended = new Promise<'late'>((resolve) => {
    if (late.aborted) resolve('late');
    late.addEventListener('abort', () => resolve('late'), { once: true });
  });
  try {
    const id = await Promise.race([find(asked, services), ended]);
    if (id === 'late') return { kind: 'later', says: 'Microsoft has not answered yet.' };
    return id === null
      ? { kind: 'none', says: 'No Microsoft 365 tenant has this domain.' }
      : { kind: 'found', id };
  } catch (error) {
    if (!(error instanceof WatchpostError) || error.code === 'stopped') throw error;
    // Another cloud is for good; everything else may be over in a minute.
    return { kind: error.code === 'bad-input' ? 'none' : 'later', says: sentence(error.message) };
  }
}
