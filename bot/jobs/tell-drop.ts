import { scopeOfJob } from '../../shared/access.ts';
import { findingId } from '../../shared/alerts/finding.ts';
import { tenantThreshold, thresholdsFor } from '../../shared/alerts/route.ts';
import { decideScoreDrop, scoreObject } from '../../shared/alerts/score-drop.ts';
import type { ControlProfile, EvaluatedSnapshot } from '../../shared/score/score.ts';
import { digest } from '../digest.ts';
import type { Lease, Services } from '../services.ts';
import { mostTries, neverStill, saveAndTell } from './save-and-tell.ts';

export type DropToJudge = {
  /** Both are asked for only when the day is really judged: they are large. Null: no day was evaluated yet. */
  snapshot(): Promise<EvaluatedSnapshot | null>;
  profiles(): Promise<readonly ControlProfile[]>;
  /** Hashes of what was read. */
  content: string;
  /** Nothing new was read: the same content with the same wishes is not judged again. */
  again: boolean;
};
/** What was judged last of each tenant, in this thread. */
export type Judged = { get(tenant: string): string | undefined; set(tenant: string, key: string): unknown };

/**
 * Judges a tenant's newest evaluated day by the rule of the score drop and writes what follows from it in the order of
 * a crash (R34): the finding, the outbox rows of the conversations that hear of it, last of all the baseline. A repeat
 * after a crash anywhere gives the same rows. Throws `conflict` when the lease was lost.
 */
export async function tellDrop(
  lease: Lease,
  { snapshot, profiles, content, again }: DropToJudge,
  services: Services,
  judged: Judged,
): Promise<void> {
  const { store, now } = services;
  const { tenantId } = lease;
  const scope = scopeOfJob(tenantId);
  const id = findingId(tenantId, 'scoreDrop', scoreObject, digest);
  for (let tries = 0; tries < mostTries; tries += 1) {
    const kept = await store.findings.get(scope, tenantId, id);
    const subscriptions = await store.subscriptions.all();
    const threshold = tenantThreshold(tenantId, subscriptions);
    const thresholds = thresholdsFor(tenantId, subscriptions);
    const finding = kept === null || kept.value.rule !== 'scoreDrop' ? null : kept.value;
    const keyOf = (revision: number) => JSON.stringify([content, thresholds, revision]);
    // What is put aside may have come to its end.
    const isSame = judged.get(tenantId) === keyOf(kept?.revision ?? 0);
    if (again && isSame && finding?.aside === undefined) return;

    const day = await snapshot();
    if (day === null) return;
    const baseline = await store.findings.baseline(scope, tenantId);
    const decided = decideScoreDrop({
      baseline,
      snapshot: day,
      profiles: await profiles(),
      threshold,
      thresholds,
      finding,
      now: now(),
      digest,
    });
    let revision = kept?.revision ?? 0;
    if (decided.finding !== null && (decided.finding !== finding || decided.tell.length > 0)) {
      const { finding: next, tell } = decided;
      const told = { finding: next, tell };
      const stands = await saveAndTell(lease, told, kept?.revision ?? null, subscriptions, services);
      // Somebody changed it meanwhile, by *Acknowledge*: judged again with what stands there now.
      if (stands === null) continue;
      revision = stands;
    }
    if (decided.baseline !== baseline) await store.findings.saveBaseline(scope, lease, decided.baseline);
    judged.set(tenantId, keyOf(revision));
    return;
  }
  throw neverStill();
}
