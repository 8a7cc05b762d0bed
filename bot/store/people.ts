import { randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { type Grant, liveDenies, needsReach, type Reach, reachOf } from '../../shared/access.ts';
import type { Tenant, TenantId } from '../../shared/tenants/tenant.ts';
import { type Instant, plus } from '../../shared/time.ts';
import { WatchpostError } from '../errors.ts';
import type { PeopleStore, Person, Rights } from '../services.ts';
import type { CollectionDeclaration } from './engine/collection.ts';
import type { Kit } from './kit.ts';
import { sortName } from './tenants.ts';

/** Null leaves all as it is. */
type Decision = (Partial<Rights> & { appRolesAt?: Instant }) | null;

/** What the filters ask about grants stands beside them, written together with them; `revision` counts the writes. */
type PersonDocument = Omit<Person, 'reach'> & {
  _id: string;
  tenantId: TenantId;
  addressKey?: string;
  sortName: string;
  /** A grant, a deny, or switched off: somebody whom the list of people shows. */
  hasGrants: boolean;
  hasAdmin: boolean;
  /** When the newest token was issued whose app roles were looked at. */
  appRolesAt?: Instant;
  revision: number;
};

export const peopleDeclaration: CollectionDeclaration = {
  name: 'people',
  tenantScoped: true,
  indexes: [
    { keys: { tenantId: 1, oid: 1 }, unique: true },
    { keys: { tenantId: 1, addressKey: 1 } },
    { keys: { oid: 1 } },
    { keys: { hasGrants: 1, sortName: 1 } },
    { keys: { hasAdmin: 1 } },
  ],
};

/** A revocation on another instance is known here after this long at the latest. */
const cachedMs = 30_000;
const seenEveryMs = 3_600_000;
const mostGrants = 100;
const mostDenies = 50;
const mostAlike = 10;
/** Entra makes an object id once in the world: more than one row has it only by an error. */
const mostOfOneOid = 50;
const tries = 20;

/** `tenants` is the list of this thread, for what tags mean. */
export function openPeople(
  { engine, now, monotonic }: Kit,
  tenants: () => Promise<readonly Tenant[]>,
): PeopleStore {
  const people = engine.collection<PersonDocument>(peopleDeclaration);
  const cache = new LRUCache<string, { person: Person | null; needsReach: boolean }>({
    max: 10_000,
    ttl: cachedMs,
    ttlResolution: 0,
    perf: { now: monotonic },
  });
  let writes = 0;

  function forget(id: string): void {
    writes += 1;
    cache.delete(id);
  }

  async function get(tid: TenantId, oid: string): Promise<Person | null> {
    const id = idOf(tid, oid);
    const known = cache.get(id) ?? (await read(id));
    // What is kept is the person, never what tags mean: a tenant that is tagged now is covered now.
    if (!known.needsReach || known.person === null) return known.person;
    return { ...known.person, reach: reachOfList(await tenants()) };
  }

  async function read(id: string): Promise<{ person: Person | null; needsReach: boolean }> {
    const before = writes;
    const found = await people.findOne({ _id: id });
    const person = found === null ? null : personOf(found);
    const known = { person, needsReach: person !== null && needsReach(person) };
    // A grant taken away while we read must not come back for 30 s.
    if (before === writes) cache.set(id, known);
    return known;
  }

  /** Reads, decides, writes if nobody wrote in between. Without a `name` nobody is made who is not there. */
  async function change(
    tid: TenantId,
    oid: string,
    name: string | undefined,
    decide: (held: Rights, row: PersonDocument | null) => Decision,
  ): Promise<{ before: Rights; after: Rights }> {
    const id = idOf(tid, oid);
    for (let i = 0; i < tries; i += 1) {
      const row = await people.findOne({ _id: id });
      const before = rightsOf(row);
      if (row === null && name === undefined) return { before, after: before };
      const decision = decide(before, row);
      if (decision === null) return { before, after: before };
      const { appRolesAt, ...changed } = decision;
      const after = { ...before, ...changed };
      refuseTooMany(after);
      try {
        forget(id);
        if (await put(id, tid, oid, name ?? '', row, after, appRolesAt)) return { before, after };
      } finally {
        forget(id);
      }
    }
    throw new WatchpostError(
      'conflict',
      'This person was changed by others all the time; nothing was changed.',
      {
        hint: 'Try again.',
      },
    );
  }

  async function put(
    id: string,
    tid: TenantId,
    oid: string,
    name: string,
    row: PersonDocument | null,
    { grants, denies, disabled }: Rights,
    appRolesAt: Instant | undefined,
  ): Promise<boolean> {
    const set = {
      grants,
      ...(denies.length === 0 && row?.denies === undefined ? {} : { denies }),
      disabled,
      ...(appRolesAt === undefined ? {} : { appRolesAt }),
      hasGrants: grants.length > 0 || denies.length > 0 || disabled,
      hasAdmin: grants.some((grant) => grant.role === 'Admin'),
    };
    if (row !== null) {
      const done = await people.updateOne(
        { _id: id, revision: row.revision },
        { $set: set, $inc: { revision: 1 } },
      );
      return done.matched === 1;
    }
    const made = { tenantId: tid, tid, oid, name, sortName: sortName(name), revision: 1 };
    // Not an insert: two at once must not end in an error, the second looks again.
    const done = await people.updateOne({ _id: id }, { $setOnInsert: { ...made, ...set } }, { upsert: true });
    return done.upserted;
  }

  return {
    get,
    async seen({ tid, oid, name, address, mail, teamsId }) {
      const known = await get(tid, oid);
      const at = now();
      // What was not said this time is not forgotten, and no reason to write.
      const same =
        known?.name === name &&
        (address === undefined || known.address === address) &&
        (mail === undefined || known.mail === mail) &&
        (teamsId === undefined || known.teamsId === teamsId);
      if (same && known.seenAt !== undefined && plus(known.seenAt, seenEveryMs) > at) return;
      const id = idOf(tid, oid);
      try {
        await people.updateOne(
          { _id: id },
          {
            $set: {
              name,
              sortName: sortName(name),
              address,
              addressKey: address?.toLowerCase(),
              mail,
              teamsId,
              seenAt: at,
            },
            $setOnInsert: {
              ...{ tenantId: tid, tid, oid, disabled: false, grants: [] },
              ...{ hasGrants: false, hasAdmin: false, revision: 0 },
            },
          },
          { upsert: true },
        );
      } finally {
        forget(id);
      }
    },
    async byAddress(tid, address) {
      const page = await people.find(
        { tenantId: tid, addressKey: address.trim().toLowerCase() },
        { limit: mostAlike },
      );
      return page.rows.map(personOf);
    },
    async byOid(oid) {
      const page = await people.find({ oid }, { limit: mostOfOneOid });
      return page.rows.map(personOf);
    },
    async withGrants({ limit, after }) {
      const page = await people.find({ hasGrants: true }, { sort: { sortName: 1 }, limit, after });
      return { rows: page.rows.map(personOf), next: page.next };
    },
    change: (tid, oid, name, decide) => change(tid, oid, name, (held) => decide(held)),
    async addGrant(tid, oid, name, grant) {
      await change(tid, oid, name, ({ grants }) => ({
        grants: [...grants.filter((one) => one.id !== grant.id), grant],
      }));
    },
    async removeGrants(tid, oid, source) {
      const { before, after } = await change(tid, oid, undefined, ({ grants }) => {
        const left = source === undefined ? [] : grants.filter((grant) => grant.source !== source);
        return left.length === grants.length ? null : { grants: left };
      });
      return before.grants.length - after.grants.length;
    },
    async revoke(tid, oid, mayTake) {
      let allowed = true;
      const { before } = await change(tid, oid, undefined, ({ grants }) => {
        allowed = mayTake(grants);
        return allowed && grants.length > 0 ? { grants: [] } : null;
      });
      if (before.grants.length === 0) return { kind: 'none' };
      return allowed ? { kind: 'taken', grants: before.grants } : { kind: 'refused' };
    },
    async saveAppRoles(tid, oid, name, roles, { issuedAt, until, groupRoles = [] }) {
      const at = now();
      const wanted = [
        ...[...new Set(roles)].map((role) => ({ role, ...fromToken['app-role'] })),
        ...[...new Set(groupRoles)].map((role) => ({ role, ...fromToken.group })),
      ];
      await change(tid, oid, name, ({ grants }, row) => {
        if (row?.appRolesAt !== undefined && issuedAt <= row.appRolesAt) return null;
        const held = grants.filter(isFromToken);
        if (stillGood(held, wanted, until)) return { appRolesAt: issuedAt };
        const made = wanted.map(
          ({ role, source, by }): Grant => ({
            id: randomBytes(9).toString('base64url'),
            ...{ role, scope: 'all', source, by, at, until },
          }),
        );
        return {
          grants: [...grants.filter((grant) => !isFromToken(grant)), ...made],
          appRolesAt: issuedAt,
        };
      });
    },
    async anyAdmin(at) {
      let after: string | undefined;
      do {
        const page = await people.find({ hasAdmin: true, disabled: false }, { limit: 200, after });
        if (page.rows.some((person) => isLiveAdmin(person, at))) return true;
        after = page.next ?? undefined;
      } while (after !== undefined);
      return false;
    },
  };
}

/** Where in Entra a grant came from, which each token says anew. */
const fromToken = {
  'app-role': { source: 'app-role', by: 'Entra app role' },
  group: { source: 'group', by: 'Entra group' },
} as const;

function isFromToken({ source }: Pick<Grant, 'source'>): boolean {
  return Object.hasOwn(fromToken, source);
}

/** The same roles, and the end moves by less than an hour: since when and from where stays as it was told. */
function stillGood(held: Grant[], wanted: Pick<Grant, 'role' | 'source'>[], until: Instant): boolean {
  const named = (grants: Pick<Grant, 'role' | 'source'>[]): string =>
    grants
      .map(({ role, source }) => `${source} ${role}`)
      .sort()
      .join();
  if (named(held) !== named(wanted)) return false;
  return held.every((grant) => grant.until !== undefined && plus(grant.until, seenEveryMs) > until);
}

function isLiveAdmin({ grants, denies }: PersonDocument, at: Instant): boolean {
  // Who is denied some tenants can still give roles; who is denied all can do nothing.
  if (liveDenies({ denies }, at).some(({ scope }) => scope === 'all')) return false;
  return grants.some((grant) => grant.role === 'Admin' && (grant.until === undefined || grant.until > at));
}

function rightsOf(row: PersonDocument | null): Rights {
  return { grants: row?.grants ?? [], denies: row?.denies ?? [], disabled: row?.disabled ?? false };
}

function refuseTooMany({ grants, denies }: Rights): void {
  if (grants.length > mostGrants) {
    throw new WatchpostError('bad-input', `A person can hold at most ${mostGrants} grants.`, {
      hint: 'Revoke what is no longer needed, or grant several tenants at once.',
    });
  }
  if (denies.length > mostDenies) {
    throw new WatchpostError('bad-input', `A person can be denied at most ${mostDenies} times.`, {
      hint: 'Lift what is no longer needed, or deny several tenants at once.',
    });
  }
}

/** What a list of tenants says of tags is worked out once: the same list is handed to everybody for a while. */
const reaches = new WeakMap<readonly Tenant[], Reach>();

function reachOfList(list: readonly Tenant[]): Reach {
  const before = reaches.get(list);
  if (before !== undefined) return before;
  const reach = reachOf(list);
  reaches.set(list, reach);
  return reach;
}

function idOf(tid: TenantId, oid: string): string {
  return `${tid}:${oid}`;
}

function personOf(document: PersonDocument): Person {
  const { tid, oid, name, address, teamsId, mail, disabled, seenAt, grants, denies } = document;
  return {
    ...{ tid, oid, name, address, teamsId, disabled, seenAt, grants },
    ...(mail === undefined ? {} : { mail }),
    ...(denies === undefined || denies.length === 0 ? {} : { denies }),
  };
}
