import type { PlaceRow, PlaceStore } from '../services.ts';
import type { CollectionDeclaration, Filter, Update } from './engine/collection.ts';
import type { Kit } from './kit.ts';

type PlaceDocument = PlaceRow & { _id: string };

/** Looked up by Teams' conversation id alone, which is unique over all tenants. */
export const placesDeclaration: CollectionDeclaration = {
  name: 'places',
  tenantScoped: false,
  indexes: [{ keys: { teamId: 1 } }, { keys: { 'bindRequest.hash': 1 }, where: ['bindRequest.hash'] }],
  readMostly: true,
};

/** Members or sharing changed: what is known of them, and what is being read, counts no more. */
const change = { $unset: { roster: true }, $inc: { membersChanged: 1 } } satisfies Update;

export function openPlaces({ engine, now }: Kit): PlaceStore {
  const places = engine.collection<PlaceDocument>(placesDeclaration);

  /** A conversation and, when its id is a team's, the team's channels. */
  async function changeAll(conversationId: string, update: Update): Promise<void> {
    await places.updateOne({ _id: conversationId }, update);
    // A team has at most 1,000 channels. One without a roster is counted too: its members may just be being read.
    for (let after: string | undefined; ; ) {
      const { rows, next } = await places.find({ teamId: conversationId }, { limit: 200, after });
      const others = rows.filter(({ _id }) => _id !== conversationId);
      if (others.length > 0) {
        await places.bulkWrite(others.map(({ _id }) => ({ updateOne: { filter: { _id }, update } })));
      }
      if (next === null) return;
      after = next;
    }
  }

  return {
    async get(conversationId) {
      const found = await places.findOne({ _id: conversationId });
      return found === null ? null : rowOf(found);
    },
    async save(row) {
      const { conversationId: _id, teamId } = row;
      // Never the binding: it belongs to the Admin who set it. The greeting belongs to `welcomeOnce`, the members and
      // their changes to `saveRoster` and `dropRoster`.
      const {
        binding: _binding,
        lastCustomer: _customer,
        bindRequest: _request,
        welcomedAt: _welcomed,
        roster: _roster,
        membersChanged: _changed,
        ...fields
      } = row as PlaceRow;
      if (teamId === undefined) {
        await places.updateOne({ _id }, { $set: fields }, { upsert: true });
        return;
      }
      const known = await places.updateOne({ _id, teamId }, { $set: fields });
      if (known.matched === 1) return;
      const made = await places.updateOne({ _id }, { $setOnInsert: fields }, { upsert: true });
      if (made.upserted) return;
      // Known, but not of this team: what changed in the team until now has not reached it.
      await places.updateOne({ _id }, { $set: fields, ...change });
    },
    async saveRoster(conversationId, roster, expectedChanges) {
      // Null is a row that was never counted.
      const membersChanged = expectedChanges === 0 ? { $in: [0, null] } : expectedChanges;
      const filter: Filter = { _id: conversationId, membersChanged };
      return (await places.updateOne(filter, { $set: { roster } })).matched === 1;
    },
    async bind(conversationId, binding) {
      const before = (await places.findOne({ _id: conversationId }))?.binding;
      // Whose it was outlives an `unbind`: otherwise two steps of one Admin would do what takes two.
      const customer = [binding, before].find((one) => one?.kind === 'customer');
      await places.updateOne(
        { _id: conversationId },
        {
          $set: {
            ...(binding === undefined ? {} : { binding }),
            ...(customer?.kind === 'customer' ? { lastCustomer: customer.tenant } : {}),
          },
          $unset: { bindRequest: true, ...(binding === undefined ? { binding: true as const } : {}) },
        },
      );
    },
    async askToBind(conversationId, bindRequest) {
      return (await places.updateOne({ _id: conversationId }, { $set: { bindRequest } })).matched === 1;
    },
    async byBindCode(hash) {
      const { rows } = await places.find({ 'bindRequest.hash': hash }, { limit: 1 });
      return rows[0] === undefined ? null : rowOf(rows[0]);
    },
    async confirmBind(conversationId, hash, until) {
      const done = await places.updateOne(
        { _id: conversationId, 'bindRequest.hash': hash },
        { $set: { 'bindRequest.confirmed': true, 'bindRequest.until': until } },
      );
      return done.matched === 1;
    },
    async bindAsAsked({ conversationId, binding, lastCustomer, bindRequest }) {
      if (bindRequest?.tenant === undefined) return false;
      const { hash, tenant } = bindRequest;
      const absent = { $exists: false };
      const done = await places.updateOne(
        {
          _id: conversationId,
          'bindRequest.hash': hash,
          'binding.tenant': binding?.kind === 'customer' ? binding.tenant : absent,
          lastCustomer: lastCustomer ?? absent,
        },
        {
          $set: { binding: { kind: 'customer', tenant }, lastCustomer: tenant },
          $unset: { bindRequest: true },
        },
      );
      return done.matched === 1;
    },
    dropRoster: (conversationId) => changeAll(conversationId, change),
    markRemoved: (conversationId) => changeAll(conversationId, { $set: { removed: true }, ...change }),
    markBack: (conversationId) => changeAll(conversationId, { $set: { removed: false }, ...change }),
    async welcomeOnce(conversationId) {
      const done = await places.updateOne(
        { _id: conversationId, welcomedAt: { $exists: false } },
        { $set: { welcomedAt: now() } },
      );
      return done.modified === 1;
    },
  };
}

function rowOf({ _id, ...row }: PlaceDocument): PlaceRow {
  return row;
}
