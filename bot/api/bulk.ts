import { setImmediate as breathe } from 'node:timers/promises';
import * as v from 'valibot';
import type { Caller } from '../../shared/access.ts';
import type { BulkAnswer, BulkSync, BulkSyncProgress } from '../../shared/api.ts';
import {
  type CadencePart,
  cadenceChoices,
  cadenceParts,
  cronFor,
  cronOfChoice,
} from '../../shared/tenants/cadence.ts';
import { isNotConnected } from '../../shared/tenants/not-connected.ts';
import { longestTag, mostTags, tagOf } from '../../shared/tenants/tag.ts';
import type { Tenant } from '../../shared/tenants/tenant.ts';
import { plus } from '../../shared/time.ts';
import { directoryAfterMs } from '../cron.ts';
import { hasCode } from '../errors.ts';
import { nextDue } from '../jobs/cadence.ts';
import type { Services, WorkKind, WorkRow } from '../services.ts';
import { allWork } from './all-work.ts';
import { type Gate, personOf, tooFast } from './allowed.ts';
import { wrongWith } from './connect-body.ts';
import { problem } from './problem.ts';
import type { ApiAnswer, ApiRequest, ApiRoute } from './route.ts';
import { choose, idsSchema, selectionSchema } from './selection.ts';
import type { Standings } from './standings.ts';

const atOnce = 8;
const form = 'Fill in the form again: it did not come as it was meant.';
const tagWords = `A tag has one to ${longestTag} characters, and a tenant at most ${mostTags} tags.`;

const tag = v.pipe(
  v.string(tagWords),
  v.maxLength(400, tagWords),
  v.transform(tagOf),
  v.check((found) => found !== undefined, tagWords),
  v.transform((found) => found ?? ''),
);
export const tagsSchema = v.pipe(v.array(tag, tagWords), v.maxLength(mostTags, tagWords));

const bulkTagsSchema = v.strictObject(
  { of: selectionSchema, add: v.optional(tagsSchema, []), remove: v.optional(tagsSchema, []) },
  form,
);
const oneTagsSchema = v.strictObject({ tags: tagsSchema }, form);
const cadenceSchema = v.strictObject(
  {
    of: selectionSchema,
    part: v.picklist(cadenceParts, form),
    every: v.picklist(cadenceChoices, 'Choose how often.'),
  },
  form,
);
const syncSchema = v.strictObject({ of: selectionSchema }, form);
const progressSchema = v.strictObject({ ids: idsSchema, since: v.pipe(v.string(), v.isoTimestamp()) }, form);

/** Which work a part is read by. */
export const kindOf: Record<CadencePart, WorkKind> = { scores: 'sync-scores', directory: 'sync-directory' };

/** Changes of many tenants with one press. Who may change only some of them changes those, and is told so. */
export function bulkRoutes(gate: Gate, standings: Standings): ApiRoute[] {
  /** The door of all of them: rate, form. */
  function route<S extends v.GenericSchema>(
    path: string,
    schema: S,
    handle: (
      body: v.InferOutput<S>,
      who: Caller,
      services: Services,
      request: ApiRequest,
    ) => Promise<ApiAnswer>,
    reads?: true,
  ): ApiRoute {
    return {
      method: 'POST',
      path: `/api/tab/tenants/${path}`,
      auth: 'tab',
      ...(reads === undefined ? {} : { reads }),
      handle: async (request, who, services) => {
        const action = path.startsWith('sync') ? 'sync' : 'connect';
        const refusal =
          (await gate.door.toSome(request, who, action, services)) ?? tooFast(gate.bulk, who, request);
        if (refusal !== null) return refusal;
        const body = v.safeParse(schema, request.body, { abortEarly: true });
        if (!body.success) return problem(400, wrongWith(body.issues), request.id);
        return await handle(body.output, who, services, request);
      },
    };
  }

  return [
    route('tags', bulkTagsSchema, async ({ of, add, remove }, who, services) => {
      const { tenants, scope, left } = await choose(of, 'connect', who, standings, services);
      const gone = new Set(remove);
      let full = 0;
      const changed = await each(tenants, async ({ id }) => {
        try {
          const done = await services.store.tenants.changeTags(scope, id, (tags) => [
            ...tags.filter((one) => !gone.has(one)),
            ...add,
          ]);
          if (done === null || done.before.join('\n') === done.after.join('\n')) return false;
          await noteTags(id, done, who, services);
          return true;
        } catch (error) {
          // One that is full keeps what it has; the others get theirs.
          if (!hasCode(error, 'bad-input')) throw error;
          full += 1;
          return false;
        }
      });
      const body: BulkAnswer = { changed, same: tenants.length - changed - full, left: left + full };
      return { status: 200, body };
    }),
    {
      method: 'POST',
      path: '/api/tab/tenants/:id/tags',
      auth: 'tab',
      handle: async (request, who, services) => {
        const allowed = await gate.door.toTenant(request, who, 'connect', services);
        if (allowed.kind === 'no') return allowed.answer;
        const refusal = tooFast(gate.bulk, who, request);
        if (refusal !== null) return refusal;
        const body = v.safeParse(oneTagsSchema, request.body, { abortEarly: true });
        if (!body.success) return problem(400, wrongWith(body.issues), request.id);
        const { tenant, scope } = allowed;
        const done = await services.store.tenants.changeTags(scope, tenant.id, () => body.output.tags);
        if (done === null) return problem(404, 'No such tenant is available here.', request.id);
        if (done.before.join('\n') !== done.after.join('\n')) await noteTags(tenant.id, done, who, services);
        return { status: 200, body: { tags: done.after } };
      },
    },
    route('cadence', cadenceSchema, async ({ of, part, every }, who, services) => {
      const { tenants, scope, left } = await choose(of, 'connect', who, standings, services);
      const cron = cronOfChoice(every);
      const changed = await each(tenants, async (tenant) => {
        if (tenant.cadence?.[part] === cron) return false;
        await services.store.tenants.setCadence(scope, tenant.id, part, cron);
        // Read more often from now on: the next time comes forward; a longer way begins after the next one.
        if (!isNotConnected(tenant.health)) {
          const next = nextDue(cron ?? cronFor(null, part, services.settings), tenant.id, services.now());
          await services.store.work.schedule(scope, tenant.id, kindOf[part], next);
        }
        await services.store.audit.write({
          ...{ who: personOf(who), what: 'change sync frequency', where: 'tab', tenant: tenant.id },
          ...{ result: 'done', detail: `${part}: ${every}` },
        });
        return true;
      });
      const body: BulkAnswer = { changed, same: tenants.length - changed, left };
      return { status: 200, body };
    }),
    route('sync', syncSchema, async ({ of }, who, services) => {
      const chosen = await choose(of, 'sync', who, standings, services);
      const tenants = chosen.tenants.filter(({ health }) => !isNotConnected(health));
      const since = services.now();
      await each(tenants, async ({ id }) => {
        await services.store.work.schedule(chosen.scope, id, 'sync-scores', since);
        await services.store.work.schedule(chosen.scope, id, 'sync-directory', plus(since, directoryAfterMs));
        await services.store.audit.write({
          ...{ who: personOf(who), what: 'sync', where: 'tab', tenant: id, result: 'done' },
        });
        return true;
      });
      services.nudge();
      const left = chosen.left + chosen.tenants.length - tenants.length;
      const body: BulkSync = { ids: tenants.map(({ id }) => id), since, left };
      return { status: 200, body };
    }),
    route(
      'sync/progress',
      progressSchema,
      async ({ ids, since }, who, services) => {
        const { tenants, scope } = await choose({ ids }, 'sync', who, standings, services);
        const wanted = new Set(tenants.map(({ id }) => id));
        const rows = (await allWork(scope, services, 'sync-scores')).filter((row) =>
          wanted.has(row.tenantId),
        );
        return { status: 200, body: progressOf(rows, since) };
      },
      true,
    ),
  ];
}

/** A run counts that began after it was asked for: one that was under way may have read before. */
function progressOf(rows: readonly WorkRow[], since: string): BulkSyncProgress {
  const progress: BulkSyncProgress = { total: rows.length, done: 0, failed: 0, running: 0 };
  for (const { lastStartedAt, lastDoneAt, lastOutcome, lease } of rows) {
    if (lease !== undefined) progress.running += 1;
    else if (lastStartedAt !== undefined && lastStartedAt >= since && (lastDoneAt ?? '') >= since) {
      if (lastOutcome === 'failed' || lastOutcome === 'gone') progress.failed += 1;
      else progress.done += 1;
    }
  }
  return progress;
}

async function noteTags(
  id: Tenant['id'],
  { before, after }: { before: readonly string[]; after: readonly string[] },
  who: Caller,
  services: Services,
): Promise<void> {
  const added = after.filter((one) => !before.includes(one)).map((one) => `+${one}`);
  const removed = before.filter((one) => !after.includes(one)).map((one) => `-${one}`);
  await services.store.audit.write({
    ...{ who: personOf(who), what: 'change tags', where: 'tab', tenant: id, result: 'done' },
    detail: [...added, ...removed].join(' ').slice(0, 300),
  });
}

/** Runs through all, eight at a time; answers how many said yes. Others get their turn between. */
export async function each<T>(all: readonly T[], run: (one: T) => Promise<boolean>): Promise<number> {
  let yes = 0;
  let at = 0;
  const hand = async (): Promise<void> => {
    for (let one = all[at++]; one !== undefined; one = all[at++]) {
      if (await run(one)) yes += 1;
      if (at % 50 === 0) await breathe();
    }
  };
  await Promise.all(Array.from({ length: atOnce }, hand));
  return yes;
}
