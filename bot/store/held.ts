import type { PlaceRow, PlaceStore } from '../services.ts';
import { inGroups, type Kit, rowsAtOnce } from './kit.ts';
import { lookAgain } from './outbox-rows.ts';
import { placesDeclaration } from './places.ts';

/**
 * The places, of which every change of members, sharing or binding lets the gate look once more at what it held there
 * (I-8, I-9): who came or went, or whose it is now, decides again. What is held is not lost by a death in between: the
 * clock looks at all of it four times a day.
 */
export function lettingGo(kit: Kit, places: PlaceStore): PlaceStore {
  const rows = kit.engine.collection<PlaceRow & { _id: string }>(placesDeclaration);

  /** Here and, with a team's id, in all its channels. */
  async function again(conversationId: string): Promise<void> {
    const channels = new Set([conversationId]);
    for (let after: string | undefined; ; ) {
      const page = await rows.find({ teamId: conversationId }, { limit: rowsAtOnce, after });
      for (const { _id } of page.rows) channels.add(_id);
      if (page.next === null) break;
      after = page.next;
    }
    for (const group of inGroups([...channels])) await lookAgain(kit, group);
  }

  return {
    ...places,
    async bind(conversationId, binding) {
      await places.bind(conversationId, binding);
      await again(conversationId);
    },
    async bindAsAsked(row) {
      const bound = await places.bindAsAsked(row);
      if (bound) await again(row.conversationId);
      return bound;
    },
    async saveRoster(conversationId, roster, expectedChanges) {
      const saved = await places.saveRoster(conversationId, roster, expectedChanges);
      // Only people of our own are there: perhaps somebody went without a word from Teams.
      if (saved && roster.outsiders === 0) await lookAgain(kit, [conversationId]);
      return saved;
    },
    async dropRoster(conversationId) {
      await places.dropRoster(conversationId);
      await again(conversationId);
    },
  };
}
