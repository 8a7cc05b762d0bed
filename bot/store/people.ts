import { randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Grant } from '../../shared/access.ts';
import type { TenantId } from '../../shared/tenants/tenant.ts';
import { type Instant, plus } from '../../shared/time.ts';
import { WatchpostError } from '../errors.ts';
import type { PeopleStore, Person } from '../services.ts';
import type { CollectionDeclaration } from './engine/collection.ts';
import type { Kit } from './kit.ts';
import { sortName } from './tenants.ts';

/** Null leaves all as it is. */
type Decision = { grants: Grant[]; appRolesAt?: Instant } | null;

/** What the filters ask about grants stands beside them, written together with them; `revision` counts the writes. */
type PersonDocument = Person & {
  _id: string;
  tenantId: TenantId;
  addressKey?: string;
  sortName: string;
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
const mostAlike = 10;
/** Entra makes an object id once in the world: more than one row has it only by an error. */
const mostOfOneOid = 50;
const tries = 20;

export function openPeople({ engine, now, monotonic }: Kit): PeopleStore {
  const people = engine.collection<PersonDocument>(peopleDeclaration);
  const cache = new LRUCache<string, { person: Person | null }>({
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
    const known = cache.get(id);
    if (known !== undefined) return known.person;
    const before = writes;
    const found = await people.findOne({ _id: id });
    const person = found === null ? null : personOf(found);
    // A grant taken away while we read must not come back for 30 s.
    if (before === writes) cache.set(id, { person });
    return person;
  }

  /** Reads, decides, writes if nobody wrote in between. Without a `name` nobody is made who is not there. */
  async function changeGrants(
    tid: TenantId,
    oid: string,
    name: string | undefined,
    decide: (held: Grant[], row: PersonDocument | null) => Decision,
  ): Promise<{ before: number; after: number }> {
    const id = idOf(tid, oid);
    for (let i = 0; i < tries; i += 1) {
      const row = await people.findOne({ _id: id });
      if (row === null && name === undefined) return { before: 0, after: 0 };
      const decision = decide(row?.grants ?? [], row);
      const before = row?.grants.length ?? 0;
      if (decision === null) return { before, after: before };
      const after = decision.grants.length;
      if (after > mostGrants) {
        throw new WatchpostError('bad-input', `A person can hold at most ${mostGrants} grants.`, {
          hint: 'Revoke what is no longer needed, or grant several tenants at once.',
        });
      }
      try {
        forget(id);
        if (await put(id, tid, oid, name ?? '', row, decision)) return { before, after };
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
    { grants, appRolesAt }: NonNullable<Decision>,
  ): Promise<boolean> {
    const set = {
      grants,
      ...(appRolesAt === undefined ? {} : { appRolesAt }),
      hasGrants: grants.length > 0,
      hasAdmin: grants.some((grant) => grant.role === 'Admin'),
    };
    if (row !== null) {
      const done = await people.updateOne(
        { _id: id, revision: row.revision },
        { $set: set, $inc: { revision: 1 } },
      );
      return done.matched === 1;
    }
    const made = { tenantId: tid, tid, oid, name, sortName: sortName(name), disabled: false, revision: 1 };
    // Not an insert: two at once must not end in an error, the second looks again.
    const done = await people.updateOne({ _id: id }, { $setOnInsert: { ...made, ...set } }, { upsert: true });
    return done.upserted;
  }

  return {
    get,
    async seen({ tid, oid, name, address, teamsId }) {
      const known = await get(tid, oid);
      const at = now();
      // What was not said this time is not forgotten, and no reason to write.
      const same =
        known?.name === name &&
        (address === undefined || known.address === address) &&
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
    async addGrant(tid, oid, name, grant) {
      await changeGrants(tid, oid, name, (held) => ({
        grants: [...held.filter((one) => one.id !== grant.id), grant],
      }));
    },
    async removeGrants(tid, oid, source) {
      const { before, after } = await changeGrants(tid, oid, undefined, (grants) => {
        const left = source === undefined ? [] : grants.filter((grant) => grant.source !== source);
        return left.length === grants.length ? null : { grants: left };
      });
      return before - after;
    },
    async revoke(tid, oid, mayTake) {
      let held: Grant[] = [];
      let allowed = true;
      await changeGrants(tid, oid, undefined, (grants) => {
        held = grants;
        allowed = mayTake(grants);
        return allowed && grants.length > 0 ? { grants: [] } : null;
      });
      if (held.length === 0) return { kind: 'none' };
      return allowed ? { kind: 'taken', grants: held } : { kind: 'refused' };
    },
    async saveAppRoles(tid, oid, name, roles, { issuedAt, until }) {
      const at = now();
      const wanted = [...new Set(roles)].sort();
      await changeGrants(tid, oid, name, (grants, row) => {
        if (row?.appRolesAt !== undefined && issuedAt <= row.appRolesAt) return null;
        const held = grants.filter((grant) => grant.source === 'app-role');
        if (stillGood(held, wanted, until)) return { grants, appRolesAt: issuedAt };
        const made = wanted.map(
          (role): Grant => ({
            id: randomBytes(9).toString('base64url'),
            role,
            scope: 'all',
            source: 'app-role',
            by: 'Entra app role',
            at,
            until,
          }),
        );
        return {
          grants: [...grants.filter((grant) => grant.source !== 'app-role'), ...made],
          appRolesAt: issuedAt,
        };
      });
    },
    async anyAdmin(at) {
      let after: string | undefined;
      do {
        const page = await people.find({ hasAdmin: true, disabled: false }, { limit: 200, after });
        if (page.rows.some((person) => person.grants.some((grant) => isLiveAdmin(grant, at)))) return true;
        after = page.next ?? undefined;
      } while (after !== undefined);
      return false;
    },
  };
}

/** The same roles, and the end moves by less than an hour: since when and from where stays as it was told. */
function stillGood(held: Grant[], wanted: string[], until: Instant): boolean {
  const roles = held.map((grant) => grant.role).sort();
  if (roles.length !== wanted.length || !roles.every((role, at) => role === wanted[at])) return false;
  return held.every((grant) => grant.until !== undefined && plus(grant.until, seenEveryMs) > until);
}

function isLiveAdmin(grant: Grant, at: Instant): boolean {
  return grant.role === 'Admin' && (grant.until === undefined || grant.until > at);
}

function idOf(tid: TenantId, oid: string): string {
  return `${tid}:${oid}`;
}

function personOf(document: PersonDocument): Person {
  const { tid, oid, name, address, teamsId, disabled, seenAt, grants } = document;
  return { tid, oid, name, address, teamsId, disabled, seenAt, grants };
}
