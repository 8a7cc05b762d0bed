import type { PlaceRow, PlaceStore } from '../services.ts';
import type { CollectionDeclaration } from './engine/collection.ts';
import type { Kit } from './kit.ts';

type PlaceDocument = PlaceRow & { _id: string };

/** Looked up by Teams' conversation id alone, which is unique over all tenants. */
export const placesDeclaration: CollectionDeclaration = {
  name: 'places',
  tenantScoped: false,
  indexes: [{ keys: { teamId: 1 } }],
};

export function openPlaces({ engine, now }: Kit): PlaceStore {
  const places = engine.collection<PlaceDocument>(placesDeclaration);
  return {
    async get(conversationId) {
      const found = await places.findOne({ _id: conversationId });
      if (found === null) return null;
      const { _id, ...row } = found;
      return row;
    },
    async save(row) {
      // Never the binding: it belongs to the Admin who set it. The greeting belongs to `welcomeOnce`.
      const { binding: _binding, welcomedAt: _welcomed, ...fields } = row as PlaceRow;
      await places.updateOne({ _id: row.conversationId }, { $set: fields }, { upsert: true });
    },
    async bind(conversationId, binding) {
      const update = binding === undefined ? { $unset: { binding: true as const } } : { $set: { binding } };
      await places.updateOne({ _id: conversationId }, update);
    },
    async dropRoster(conversationId) {
      const update = { $unset: { roster: true as const } };
      await places.updateOne({ _id: conversationId }, update);
      // A team has at most 1,000 channels; those without a roster have nothing to drop.
      for (let after: string | undefined; ; ) {
        const { rows, next } = await places.find({ teamId: conversationId }, { limit: 200, after });
        const known = rows.filter((row) => row.roster !== undefined);
        if (known.length > 0) {
          await places.bulkWrite(known.map(({ _id }) => ({ updateOne: { filter: { _id }, update } })));
        }
        if (next === null) return;
        after = next;
      }
    },
    async markRemoved(conversationId) {
      await places.updateOne({ _id: conversationId }, { $set: { removed: true }, $unset: { roster: true } });
    },
    async welcomeOnce(conversationId) {
      const done = await places.updateOne(
        { _id: conversationId, welcomedAt: { $exists: false } },
        { $set: { welcomedAt: now() } },
      );
      return done.modified === 1;
    },
  };
}
