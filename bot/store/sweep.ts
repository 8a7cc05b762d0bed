import { plus } from '../../shared/time.ts';
import { claimTriesDeclaration } from './claims.ts';
import { connectLinksDeclaration, linksKeptMs } from './connect-links.ts';
import { connectPassesDeclaration, passesKeptMs } from './connect-passes.ts';
import type { CollectionDeclaration } from './engine/collection.ts';
import { inboundDeclaration, inboundKeptMs } from './inbound.ts';
import type { Kit } from './kit.ts';
import { inGroups } from './kit.ts';
import { nextCredentialKeptMs, nextCredentialsDeclaration } from './next-credentials.ts';
import { sweepOutbox } from './outbox-sweep.ts';
import { paceDeclaration, paceKeptMs } from './pace.ts';
import { syncRequestsDeclaration } from './sync-requests.ts';

const mostRows = 1_000;
const dayMs = 24 * 3_600_000;

/** How long rows are kept, counted from their field `at`. */
const kept: { declaration: CollectionDeclaration; ms: number }[] = [
  { declaration: inboundDeclaration, ms: inboundKeptMs },
  { declaration: claimTriesDeclaration, ms: dayMs },
  { declaration: syncRequestsDeclaration, ms: 7 * dayMs },
  { declaration: paceDeclaration, ms: paceKeptMs },
  { declaration: nextCredentialsDeclaration, ms: nextCredentialKeptMs },
  { declaration: connectLinksDeclaration, ms: linksKeptMs },
  { declaration: connectPassesDeclaration, ms: passesKeptMs },
];

/** Deletes up to 1,000 rows whose time is over and answers how many went. */
export async function sweep(kit: Kit): Promise<number> {
  const { engine, now } = kit;
  let gone = await sweepOutbox(kit, mostRows);
  for (const { declaration, ms } of kept) {
    if (gone === mostRows) break;
    const rows = engine.collection<{ _id: string }>(declaration);
    const old = { at: { $lte: plus(now(), -ms) } };
    const page = await rows.find(old, { sort: { at: 1 }, limit: mostRows - gone });
    for (const group of inGroups(page.rows)) {
      // Asked again with the id: a key that was used anew in between stays.
      const done = await rows.bulkWrite(group.map(({ _id }) => ({ deleteOne: { filter: { _id, ...old } } })));
      gone += done.deleted;
    }
  }
  return gone;
}
