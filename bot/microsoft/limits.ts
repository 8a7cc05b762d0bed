import { WatchpostError } from '../errors.ts';

/** Which published limit a request falls under: identity protection and Conditional Access allow one a second. */
export type Lane = 'usual' | 'one-a-second';

type Job = { start(): void; refuse(error: unknown): void };
type Line = {
  waiting: Job[];
  running: number;
  most: number;
  /** Between two starts. */
  spacingMs: number;
  parkedUntil: number;
  inTurn: boolean;
  waking: boolean;
};

export type Limits = {
  /** Runs `task` when this tenant's line and the app as a whole have room. `first` = before others of that line. */
  run<T>(tenant: string, lane: Lane, task: () => Promise<T>, first?: boolean): Promise<T>;
  /** Nothing of this line starts for `ms` milliseconds. It holds no slot meanwhile. */
  park(tenant: string, lane: Lane, ms: number): void;
  /** Milliseconds until the line may start something; 0 when it may now. */
  parkedFor(tenant: string, lane: Lane): number;
  counts(): { running: number; waiting: number };
};

/**
 * Who may call now: at most `perTenant` at once for one tenant, `total` for all, tenants served in turn, and a
 * throttled tenant parked instead of a worker (`performance.md` §3.3). `spacingMs` is the distance between two
 * starts in the slow lane: Microsoft says one a second over all apps, so a little more.
 */
export function openLimits(options: {
  now(): number;
  sleep(ms: number): Promise<void>;
  signal: AbortSignal;
  perTenant?: number;
  total?: number;
  spacingMs?: number;
}): Limits {
  const { now, sleep, signal, perTenant = 4, total = 64, spacingMs = 1_200 } = options;
  const lines = new Map<string, Line>();
  let turn: Line[] = [];
  let running = 0;

  signal.addEventListener(
    'abort',
    () => {
      for (const line of lines.values()) {
        for (const job of line.waiting.splice(0)) job.refuse(stopped());
      }
      turn = [];
    },
    { once: true },
  );

  function lineOf(tenant: string, lane: Lane): Line {
    const key = `${lane} ${tenant}`;
    let line = lines.get(key);
    if (line === undefined) {
      const slow = lane === 'one-a-second';
      line = {
        waiting: [],
        running: 0,
        most: slow ? 1 : perTenant,
        spacingMs: slow ? spacingMs : 0,
        parkedUntil: 0,
        inTurn: false,
        waking: false,
      };
      lines.set(key, line);
    }
    return line;
  }

  function offer(line: Line): void {
    if (line.inTurn || line.waiting.length === 0 || line.running >= line.most) return;
    if (line.parkedUntil > now()) {
      wakeLater(line);
      return;
    }
    line.inTurn = true;
    turn.push(line);
  }

  function pump(): void {
    while (running < total) {
      const line = turn.shift();
      if (line === undefined) return;
      line.inTurn = false;
      // Parked after it was offered.
      if (line.parkedUntil > now()) {
        offer(line);
        continue;
      }
      const job = line.waiting.shift();
      if (job === undefined) continue;
      line.running += 1;
      running += 1;
      if (line.spacingMs > 0) parkLine(line, line.spacingMs);
      job.start();
      offer(line);
    }
  }

  function parkLine(line: Line, ms: number): void {
    line.parkedUntil = Math.max(line.parkedUntil, now() + ms);
    offer(line);
  }

  /** One timer a line, and only while somebody waits in it: a command that is done ends, whoever is parked. */
  function wakeLater(line: Line): void {
    if (line.waking) return;
    line.waking = true;
    const wake = async (): Promise<void> => {
      // A timer may fire a little early, and the line may be parked anew; nothing may start before its time.
      while (line.parkedUntil > now() && !signal.aborted) await sleep(line.parkedUntil - now());
      line.waking = false;
      offer(line);
      pump();
    };
    // A wait that is broken off ends with the program; `abort` has refused the jobs already.
    wake().catch(() => undefined);
  }

  return {
    run(tenant, lane, task, first = false) {
      if (signal.aborted) return Promise.reject(stopped());
      const line = lineOf(tenant, lane);
      return new Promise((resolve, reject) => {
        const job: Job = {
          refuse: reject,
          start() {
            task()
              .then(resolve, reject)
              .finally(() => {
                line.running -= 1;
                running -= 1;
                offer(line);
                pump();
              });
          },
        };
        if (first) line.waiting.unshift(job);
        else line.waiting.push(job);
        offer(line);
        pump();
      });
    },
    park(tenant, lane, ms) {
      parkLine(lineOf(tenant, lane), ms);
    },
    parkedFor(tenant, lane) {
      return Math.max(0, (lines.get(`${lane} ${tenant}`)?.parkedUntil ?? 0) - now());
    },
    counts() {
      let waiting = 0;
      for (const line of lines.values()) waiting += line.waiting.length;
      return { running, waiting };
    },
  };
}

function stopped(): WatchpostError {
  return new WatchpostError('stopped', 'Watchpost is stopping.');
}
