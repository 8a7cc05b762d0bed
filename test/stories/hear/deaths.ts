import { readFile, rm, writeFile } from 'node:fs/promises';
import { repeatedLine } from '../../../bot/cards/finding.ts';
import { digest } from '../../../bot/digest.ts';
import {
  type OutboxDocument,
  outboxDeclaration,
  outboxQueuesDeclaration,
  type QueueDocument,
} from '../../../bot/store/outbox-rows.ts';
import { scopeOfJob } from '../../../shared/access.ts';
import { findingId } from '../../../shared/alerts/finding.ts';
import { scoreObject } from '../../../shared/alerts/score-drop.ts';
import { personalWith, type Spot } from '../../support/actors.ts';
import type { SandboxCustomer } from '../../support/production.ts';
import { poll } from '../../support/program.ts';
import { idOf } from '../restart/new-customers.ts';
import type { Soc, Told } from './soc.ts';

/** Where the process dies: at a commit of the clock's thread, or while the message is under way. */
export type Death = { commit: number; when: 'before' | 'after' } | { away: string; fault: object };

/** What came of one fall in whose telling the process died; `wrong` says what must not be. */
export type Fate = { death: Death; killed: boolean; creates: number; wrong: string[] };

/** Killed long before the answer comes, on any machine. */
const delayMs = 9_000;
export const whileAway: readonly Death[] = [
  { away: 'Teams has taken it and is about to say so', fault: { delayMs } },
  { away: 'Teams has taken it and is about to fail', fault: { status: 502, accept: true, delayMs } },
  { away: 'Teams has not taken it and is about to say so', fault: { status: 503, delayMs } },
];

export type Deaths = {
  /** How many commits the clock's thread makes while it reads a fall and tells it. */
  commits(customer: SandboxCustomer): Promise<number>;
  /** A fall, the death in the middle of it, the next start, one more sync; judged by what Teams has. */
  die(customer: SandboxCustomer, death: Death): Promise<Fate>;
};

/** `order` is the file that `kill-at.ts` looks for; `env` is what the next process is started with. */
export function openDeaths(soc: Soc, where: Spot, order: string, env: Record<string, string> = {}): Deaths {
  const outbox = soc.engine.collection<OutboxDocument>(outboxDeclaration);
  const queues = soc.engine.collection<QueueDocument>(outboxQueuesDeclaration);

  function rowOf({ id }: SandboxCustomer): Promise<OutboxDocument | null> {
    return outbox.findOne({ tenantId: id, conversationId: where.id });
  }

  async function told(customer: SandboxCustomer): Promise<Told[]> {
    const id = findingId(idOf(customer), 'scoreDrop', scoreObject, digest);
    return (await soc.told(where, 'create')).filter((one) => one.id === id);
  }

  /** Nothing of it is left to do: it was read, and nothing waits. */
  async function isOver(customer: SandboxCustomer): Promise<boolean> {
    const id = idOf(customer);
    const work = await soc.store.work.get(scopeOfJob(id), id, 'sync-scores');
    const queue = await queues.findOne({ _id: where.id });
    return work?.lease === undefined && queue?.leaseOwner === '' && (await rowOf(customer))?.state === 'sent';
  }

  async function begin(customer: SandboxCustomer): Promise<void> {
    await soc.score(customer, { drop: 12 });
    soc.say(soc.bo, personalWith(soc.bo), `sync ${customer.domain}`);
  }

  async function underWay(fault: object, before: () => Promise<void>): Promise<void> {
    const path = `/v3/conversations/${encodeURIComponent(where.id)}`;
    await soc.sandbox.control('POST', '/_sandbox/faults', { path, method: 'POST', times: 1, ...fault });
    await before();
    await poll(
      async () => (await soc.sandbox.control<object[]>('GET', '/_sandbox/faults')).length === 0,
      30_000,
      () => 'nothing was posted',
    );
  }

  return {
    async commits(customer) {
      await writeFile(order, JSON.stringify({ commit: 0, when: 'after' }));
      await begin(customer);
      await poll(
        () => isOver(customer),
        30_000,
        () => 'it was not told',
      );
      await rm(order);
      // Written anew at each commit: it may just be empty.
      return await poll(
        async () => Number(await readFile(`${order}.seen`, 'utf8')),
        5_000,
        () => 'no commit was seen',
      );
    },
    async die(customer, death) {
      const { child } = soc.program();
      const gone = new Promise<true>((resolve) => child.once('exit', () => resolve(true)));
      let killed = true;
      if ('commit' in death) {
        await writeFile(order, JSON.stringify(death));
        await begin(customer);
        // The last commits of both kinds of work come in any order: now and then there are fewer.
        killed = await Promise.race([
          gone,
          poll(
            () => isOver(customer),
            30_000,
            () => 'it was neither killed nor told',
          ).then(() => false),
        ]);
        await rm(order);
      } else {
        await underWay(death.fault, () => begin(customer));
      }
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
      await gone;
      const atDeath = await rowOf(customer);
      await soc.start(0, env);
      await soc.sync(customer);
      await poll(
        async () => (await rowOf(customer))?.state !== 'waiting',
        30_000,
        () => 'it waits for ever',
      );
      const creates = await told(customer);
      return {
        death,
        killed,
        creates: creates.length,
        wrong: judge(creates, atDeath, await rowOf(customer)),
      };
    },
  };
}

/**
 * Told once, or, where nobody can know whether it arrived, twice with the word that it may be there already. `atDeath`
 * is what Watchpost knew when it died; what arrived is only asked of Teams.
 */
export function judge(
  creates: readonly Told[],
  atDeath: Pick<OutboxDocument, 'state' | 'attempting'> | null,
  inTheEnd: Pick<OutboxDocument, 'activityId'> | null,
): string[] {
  const wrong: string[] = [];
  const isUnclear = atDeath?.state === 'waiting' && atDeath.attempting === true;
  if (creates.length === 0) wrong.push('it is lost');
  if (creates.length > 2) wrong.push(`it came ${creates.length} times`);
  if (creates.length > 1 && !isUnclear) wrong.push('it came again although nothing was unclear');
  if (creates.slice(1).some((one) => !one.repeated)) wrong.push('it came again and does not say so');
  if (creates.some((one) => one.repeated && !isUnclear))
    wrong.push('it says for no reason that it came again');
  if (creates.some((one) => one.repeated !== one.words.includes(repeatedLine.replace(/\.$/, ''))))
    wrong.push('what people read and what the ledger reads differ');
  if (inTheEnd?.activityId !== creates.at(-1)?.post.activityId) wrong.push('Watchpost knows another card');
  return wrong;
}
