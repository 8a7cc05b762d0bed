import autocannon from 'autocannon';
import type { Inbound } from './activities.ts';
import { canaryMs, cpuMs, mainThreadCpuMs, rssMb } from './process-figures.ts';

export type Target = {
  /** Where activities are posted. */
  url: string;
  /** The process that is weighed. */
  pid: number;
  next(): Inbound;
  /** Replies that Teams' connector has accepted so far. */
  replies(): Promise<number>;
};

/** Turns that are under way at any moment. */
export const inFlight = 16;

/** What one round gave. `null` = could not be measured here. */
export type TurnCell = {
  turns: number;
  seconds: number;
  turnsPerSecond: number;
  p50Ms: number;
  p99Ms: number;
  cpuMsPerTurn: number | null;
  /** The same of the thread that answers people alone. */
  botCpuMsPerTurn: number | null;
  /** CPU seconds per second: below 0.85 the process was kept waiting by something else than itself. */
  busy: number | null;
  rssMb: number | null;
  /** Time of a fixed piece of arithmetic right after the round: longer than usual = the machine was disturbed. */
  canaryMs: number;
};
const standstillMs = 2_000;

/**
 * `turns` activities, `connections` in flight, the next one sent when one is answered. Latency is that of the HTTP answer; the
 * round is over when the last answer and the last reply are there. Throws when an answer is not 2xx or when replies
 * and answers differ in number: a figure of unanswered turns says nothing.
 */
export async function round(target: Target, turns: number, connections = inFlight): Promise<TurnCell> {
  const repliesBefore = await target.replies();
  const cpuBefore = cpuMs(target.pid);
  const botBefore = mainThreadCpuMs(target.pid);
  const latencies: number[] = [];
  let bad = 0;
  let badStatus = 0;
  const startedAt = performance.now();
  let endedAt = startedAt;
  let cpuAfter = cpuBefore;
  let botAfter = botBefore;

  const result = await new Promise<autocannon.Result>((resolve, reject) => {
    const run = autocannon(
      {
        url: target.url,
        connections,
        amount: turns,
        method: 'POST',
        timeout: 30,
        sampleInt: 50,
        requests: [
          {
            setupRequest(request) {
              const { authorization, body } = target.next();
              return {
                ...request,
                headers: { authorization, 'content-type': 'application/json; charset=utf-8' },
                body,
              };
            },
          },
        ],
      },
      (error, done) => (error ? reject(error) : resolve(done)),
    );
    run.on('response', (_, status, __, ms) => {
      latencies.push(ms);
      if (status < 200 || status > 299) {
        bad += 1;
        badStatus = status;
      }
      if (latencies.length === turns) {
        endedAt = performance.now();
        cpuAfter = cpuMs(target.pid);
        botAfter = mainThreadCpuMs(target.pid);
      }
    });
  });
  if (bad > 0) throw new Error(`${bad} of ${turns} turns were answered with ${badStatus}`);
  if (latencies.length !== turns || result.errors > 0)
    throw new Error(`${turns} turns were sent, ${latencies.length} answered, ${result.errors} broke off`);

  const replies = (await settled(target, repliesBefore + turns)) - repliesBefore;
  checkReplies(turns, replies);

  const seconds = (endedAt - startedAt) / 1000;
  const cpu = cpuBefore === null || cpuAfter === null ? null : cpuAfter - cpuBefore;
  latencies.sort((a, b) => a - b);
  return {
    turns,
    seconds,
    turnsPerSecond: turns / seconds,
    p50Ms: percentile(latencies, 0.5),
    p99Ms: percentile(latencies, 0.99),
    cpuMsPerTurn: cpu === null ? null : cpu / turns,
    botCpuMsPerTurn: botBefore === null || botAfter === null ? null : (botAfter - botBefore) / turns,
    busy: cpu === null ? null : cpu / 1000 / seconds,
    rssMb: rssMb(target.pid),
    canaryMs: canaryMs(),
  };
}

/** Throws unless every turn has exactly one reply. */
export function checkReplies(turns: number, replies: number): void {
  if (replies < turns) throw new Error(`${turns - replies} of ${turns} turns got no reply`);
  if (replies > turns) throw new Error(`${replies - turns} replies too many for ${turns} turns`);
}

/** The value that the share `rank` of a sorted list lies below or at (nearest rank). */
export function percentile(sorted: readonly number[], rank: number): number {
  const at = Math.min(sorted.length - 1, Math.max(0, Math.ceil(sorted.length * rank) - 1));
  return sorted[at] ?? Number.NaN;
}

/** The count once it has reached `wanted`, or when it has not moved for 2 s. */
async function settled(target: Target, wanted: number): Promise<number> {
  let seen = await target.replies();
  let movedAt = performance.now();
  // Looked at once more after it is reached: a reply too many would come late.
  for (let looks = 0; looks < 2; ) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    const now = await target.replies();
    if (now !== seen) movedAt = performance.now();
    seen = now;
    if (seen >= wanted) looks += 1;
    else if (performance.now() - movedAt > standstillMs) break;
  }
  return seen;
}
