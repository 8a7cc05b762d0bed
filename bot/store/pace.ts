import type { Instant } from '../../shared/time.ts';
import type { OutboxStore } from '../services.ts';
import type { Collection, CollectionDeclaration } from './engine/collection.ts';
import type { Kit } from './kit.ts';

/** When something went to a conversation or tenant: the newest moments one by one, the last hour by the minute. */
type PaceDocument = {
  _id: string;
  revision: number;
  /** Milliseconds, oldest first. */
  times: number[];
  /** Minute since 1970 and how many. */
  minutes: [number, number][];
  /** Of the last one: old rows are swept by it. */
  at: Instant;
};

/** Not scoped to a tenant: a conversation's id is the key, or the id of the tenant that owns conversations. */
export const paceDeclaration: CollectionDeclaration = {
  name: 'pace',
  tenantScoped: false,
  indexes: [{ keys: { at: 1 } }],
};

export const paceKeptMs = 86_400_000;

type Limits = { windows: readonly (readonly [count: number, ms: number])[]; hour?: number };

/**
 * One less than Teams' published 7/1 s, 8/2 s, 60/30 s and 1,800/h of a conversation: what is counted here arrives
 * there at any time until the next is counted, so that with the full numbers one more might arrive within a window.
 */
export const conversationLimits: Limits = {
  windows: [
    [6, 1_000],
    [7, 2_000],
    [59, 30_000],
  ],
  hour: 1_799,
};
/** Half of the published 30/1 s: the members of a conversation may have to be asked for before each message. */
export const tenantLimits: Limits = { windows: [[14, 1_000]] };

const mostTries = 40;

/** May one more go? Rows in the store: the limits hold over all threads and instances. */
export function openPace({ engine, now }: Kit): OutboxStore['pace'] {
  const rows = engine.collection<PaceDocument>(paceDeclaration);
  return async (conversationId, hostTenantId) => {
    const conversation = `conversation ${conversationId}`;
    const known = await rows.findOne({ _id: conversation });
    const wait = waitMs(known, conversationLimits, Date.parse(now()));
    if (wait > 0) return { kind: 'wait', ms: wait };
    // The tenant's second is short: one counted there in vain costs less than one in a conversation's hour.
    const tenantWait = await take(rows, `tenant ${hostTenantId}`, tenantLimits, now);
    if (tenantWait > 0) return { kind: 'wait', ms: tenantWait };
    const ms = await take(rows, conversation, conversationLimits, now);
    return ms > 0 ? { kind: 'wait', ms } : { kind: 'go' };
  };
}

/** Counts one more when the limits leave room: 0, else the milliseconds to wait. */
async function take(
  rows: Collection<PaceDocument>,
  _id: string,
  limits: Limits,
  now: () => Instant,
): Promise<number> {
  for (let tries = 0; tries < mostTries; tries += 1) {
    const row = await rows.findOne({ _id });
    const at = now();
    const ms = Date.parse(at);
    const wait = waitMs(row, limits, ms);
    if (wait > 0) return wait;
    const fields = { ...withOneMore(row, limits, ms), at, revision: (row?.revision ?? 0) + 1 };
    // Only over what was read: of two who count at once, one looks again.
    const written =
      row === null
        ? (await rows.updateOne({ _id }, { $setOnInsert: fields }, { upsert: true })).upserted
        : (await rows.updateOne({ _id, revision: row.revision }, { $set: fields })).matched === 1;
    if (written) return 0;
  }
  return 50;
}

/** Milliseconds until one more is within all limits; 0 for now. */
function waitMs(row: PaceDocument | null, { windows, hour }: Limits, now: number): number {
  if (row === null) return 0;
  let wait = 0;
  for (const [count, ms] of windows) {
    const first = row.times.at(-count);
    if (first !== undefined && first + ms > now) wait = Math.max(wait, Math.min(ms, first + ms - now));
  }
  if (hour === undefined) return wait;
  const minute = Math.floor(now / 60_000);
  // An hour touches 61 minutes: counted whole, so that no hour holds more, wherever it begins.
  const counted = row.minutes.filter(([at]) => at >= minute - 60);
  const sum = counted.reduce((all, [, count]) => all + count, 0);
  const oldest = counted[0];
  if (sum < hour || oldest === undefined) return wait;
  return Math.max(wait, (oldest[0] + 61) * 60_000 - now);
}

function withOneMore(
  row: PaceDocument | null,
  { windows, hour }: Limits,
  now: number,
): Pick<PaceDocument, 'times' | 'minutes'> {
  const longest = Math.max(...windows.map(([count]) => count));
  // Never before the one before it: the database's clock may be set back.
  const at = Math.max(now, row?.times.at(-1) ?? 0);
  const times = [...(row?.times ?? []), at].slice(-longest);
  if (hour === undefined) return { times, minutes: [] };
  const minute = Math.floor(at / 60_000);
  const minutes: [number, number][] = (row?.minutes ?? []).filter(([one]) => one >= minute - 60);
  const last = minutes.at(-1);
  if (last !== undefined && last[0] === minute) minutes[minutes.length - 1] = [minute, last[1] + 1];
  else minutes.push([minute, 1]);
  return { times, minutes };
}
