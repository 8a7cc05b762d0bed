import { isStanding } from '../../shared/alerts/finding.ts';
import { plus } from '../../shared/time.ts';
import type { BulkWrite } from './engine/collection.ts';
import { type FindingDocument, findingDocumentId, findingsDeclaration } from './findings.ts';
import { inGroups, type Kit } from './kit.ts';
import { type OutboxDocument, outboxDeclaration, outboxKeptMs } from './outbox-rows.ts';

/**
 * Deletes up to `most` rows that ended long ago and answers how many went. What a standing finding told stays: where
 * its card is must be known when it is over.
 */
export async function sweepOutbox({ engine, now }: Kit, most: number): Promise<number> {
  const rows = engine.collection<OutboxDocument>(outboxDeclaration);
  const findings = engine.collection<FindingDocument>(findingsDeclaration);
  const at = now();
  const old = { at: { $lte: plus(at, -outboxKeptMs) } };
  const page = await rows.find(old, { sort: { at: 1 }, limit: most });
  let gone = 0;
  for (const group of inGroups(page.rows)) {
    const ids = [...new Set(group.map(({ tenantId, finding }) => findingDocumentId(tenantId, finding.id)))];
    const known = await findings.find({ _id: { $in: ids } }, { limit: ids.length });
    const standing = new Map(
      known.rows.filter(({ value }) => isStanding(value)).map(({ _id, value }) => [_id, value.generation]),
    );
    const done = await rows.bulkWrite(
      group.map(({ _id, tenantId, finding }): BulkWrite<OutboxDocument> => {
        const stands = standing.get(findingDocumentId(tenantId, finding.id)) === finding.generation;
        const filter = { _id, ...old };
        // Looked at again when as much time has passed once more.
        return stands ? { updateOne: { filter, update: { $set: { at } } } } : { deleteOne: { filter } };
      }),
    );
    gone += done.deleted;
  }
  return gone;
}
