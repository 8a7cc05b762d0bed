import { covers, type TenantScope } from '../../shared/access.ts';
import { mostTags } from '../../shared/tenants/tag.ts';
import type { Tenant, TenantId } from '../../shared/tenants/tenant.ts';
import { WatchpostError } from '../errors.ts';
import type { TenantStore } from '../services.ts';
import type { Collection, CollectionDeclaration } from './engine/collection.ts';
import { type Kit, requireAnyScope, requireScope } from './kit.ts';

export type TenantDocument = Omit<Tenant, 'id'> & {
  _id: string;
  tenantId: TenantId;
  sortName: string;
  /** How often the tags were changed: who changes them has seen all that others changed. */
  tagged?: number;
};

export const tenantsDeclaration: CollectionDeclaration = {
  name: 'tenants',
  tenantScoped: true,
  indexes: [{ keys: { tenantId: 1 }, unique: true }, { keys: { sortName: 1 } }],
  readMostly: true,
};

const most = 10_000;
/**
 * Another thread or instance may write meanwhile, so the list is kept only as long as reading it again is dear: 200
 * times what it took, at most 5 s, and as long as the store can tell that nothing was written. Five tenants are read
 * anew nearly every time, 10,000 a few times a minute.
 */
const longestMs = 5_000;
const timesItsCost = 200;
/** How often a change of tags begins again because somebody else was first. */
const mostTries = 50;

/** `forget` drops this thread's list: for writes to tenants that happen in other subject files. */
export function openTenants({ engine, monotonic }: Kit): { tenants: TenantStore; forget(): void } {
  const collection = engine.collection<TenantDocument>(tenantsDeclaration);
  let cached: { list: readonly Tenant[]; until: number; version: number | undefined } | undefined;
  let writes = 0;

  async function all(): Promise<readonly Tenant[]> {
    if (cached !== undefined && (monotonic() < cached.until || isNewest(cached.version))) return cached.list;
    const before = writes;
    const version = engine.version();
    const began = monotonic();
    const list = await readAll(collection);
    const now = monotonic();
    // A write that came in between may be missing in what was read: used once, not kept.
    if (before === writes) {
      cached = { list, until: now + Math.min(longestMs, (now - began) * timesItsCost), version };
    }
    return list;
  }

  function isNewest(version: number | undefined): boolean {
    return version !== undefined && version === engine.version();
  }

  function forget(): void {
    writes += 1;
    cached = undefined;
  }

  const tenants: TenantStore = {
    async list(scope: TenantScope) {
      requireAnyScope(scope);
      const list = await all();
      return scope.all ? list : list.filter((tenant) => covers(scope, tenant.id));
    },
    async get(scope, id) {
      requireScope(scope, id);
      const found = await collection.findOne({ _id: id });
      return found === null ? null : known(found);
    },
    async save(scope, tenant) {
      requireScope(scope, tenant.id);
      const { id, name, named, domain, domains, tags, permissions, ...first } = tenant;
      try {
        await collection.updateOne(
          { _id: id },
          {
            $set: {
              name,
              domain,
              domains,
              sortName: sortName(name),
              ...(named === undefined ? {} : { named }),
              ...(tags === undefined ? {} : { tags }),
              ...(permissions === undefined ? {} : { permissions }),
            },
            $setOnInsert: { tenantId: id, ...first },
          },
          { upsert: true },
        );
      } finally {
        forget();
      }
    },
    async changeTags(scope, id, decide) {
      requireScope(scope, id);
      for (let tries = 0; tries < mostTries; tries += 1) {
        const found = await collection.findOne({ _id: id });
        if (found === null) return null;
        const before = found.tags ?? [];
        const after = [...new Set(decide(before))].sort();
        if (after.length > mostTags) {
          throw new WatchpostError('bad-input', `A tenant may have ${mostTags} tags.`, {
            hint: 'Take some away first.',
          });
        }
        if (after.join('\n') === [...before].sort().join('\n')) return { before, after };
        try {
          const { matched } = await collection.updateOne(
            { _id: id, tagged: found.tagged ?? { $exists: false } },
            { $set: { tags: after }, $inc: { tagged: 1 } },
          );
          if (matched === 1) return { before, after };
        } finally {
          forget();
        }
      }
      throw new WatchpostError('conflict', 'Others change the tags of this tenant right now.', {
        hint: 'Try again in a moment.',
      });
    },
    async setCadence(scope, id, part, cron) {
      requireScope(scope, id);
      const path = `cadence.${part}`;
      try {
        await collection.updateOne(
          { _id: id },
          cron === undefined ? { $unset: { [path]: true } } : { $set: { [path]: cron } },
        );
      } finally {
        forget();
      }
    },
    async setHealth(scope, id, health) {
      requireScope(scope, id);
      try {
        await collection.updateOne({ _id: id }, { $set: { health } });
      } finally {
        forget();
      }
    },
  };
  return { tenants, forget };
}

/** Names in one order for everybody, whatever the case. */
export function sortName(name: string): string {
  return name.normalize('NFKC').toLowerCase().slice(0, 200);
}

/** A document that the engine gives again is the same tenant object again: what was worked out about it still holds. */
function known(document: TenantDocument): Tenant {
  const before = shared.get(document);
  if (before !== undefined) return before;
  const tenant = frozen(tenantOf(document));
  if (Object.isFrozen(document)) shared.set(document, tenant);
  return tenant;
}

const shared = new WeakMap<TenantDocument, Tenant>();

async function readAll(collection: Collection<TenantDocument>): Promise<readonly Tenant[]> {
  const list: Tenant[] = [];
  let after: string | undefined;
  do {
    const page = await collection.find({}, { sort: { sortName: 1 }, limit: 1_000, after });
    for (const document of page.rows) list.push(frozen(tenantOf(document)));
    after = page.next ?? undefined;
  } while (after !== undefined && list.length < most);
  return Object.freeze(list);
}

function tenantOf(document: TenantDocument): Tenant {
  const { _id, tenantId, sortName: _, tagged: _tagged, ...rest } = document;
  return { id: tenantId, ...rest };
}

/** The list is shared by everybody who asks within its time: nobody may change it. */
function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const inner of Object.values(value)) frozen(inner);
  return value;
}
