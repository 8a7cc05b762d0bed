import { chmodSync } from 'node:fs';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { LRUCache } from 'lru-cache';
import { WatchpostError } from '../../errors.ts';

/** Rows in one transaction: the other thread waits no longer than these take. */
export const rowsAtOnce = 200;
/** The usual patience with another thread's write. */
export const lockTimeoutMs = 5_000;

type Write = { rows: number; run(): unknown; resolve(value: unknown): void; reject(error: unknown): void };

export type SqliteOptions = {
  /** How long a write waits for another thread's. */
  timeoutMs?: number;
  /** How long a write waits for others to be committed with it: what a commit costs is the disk's one promise. */
  gatherMs?: number;
};

/** One thread's connection to the file: prepared statements are kept, writes that come together are committed together. */
export type Sqlite = {
  statement(sql: string): StatementSync;
  exec(sql: string): void;
  /** Runs `work` inside a transaction that holds the write lock; `work` throwing undoes only what it has not written. */
  write<T>(rows: number, work: () => T): Promise<T>;
  /** A number that grows when anything in the file may have changed, by whomever: what was read before may be old. */
  version(): number;
  close(): void;
};

/** Opens or makes the file. Throws `store` with a sentence when it is damaged or cannot be written. */
export function openSqlite(
  file: string,
  { timeoutMs = lockTimeoutMs, gatherMs = 0 }: SqliteOptions = {},
): Sqlite {
  const database = sentence(() => {
    const opened = new DatabaseSync(file, { timeout: timeoutMs });
    try {
      chmodSync(file, 0o600);
      switchToWal(opened);
      opened.exec('PRAGMA synchronous = FULL');
      return opened;
    } catch (error) {
      opened.close();
      throw error;
    }
  });
  const statements = new LRUCache<string, StatementSync>({ max: 500 });
  // SQLite tells of the commits of other connections only; ours are counted with them.
  const dataVersion = database.prepare('PRAGMA data_version');
  dataVersion.setReturnArrays(true);
  let others = -1;
  let version = 0;
  const queue: Write[] = [];
  let queued = 0;
  let timer: NodeJS.Timeout | undefined;
  let scheduled = false;
  let restUntil = 0;
  let closed = false;

  function statement(sql: string): StatementSync {
    let known = statements.get(sql);
    if (known === undefined) {
      known = database.prepare(sql);
      known.setReturnArrays(true);
      statements.set(sql, known);
    }
    return known;
  }

  /**
   * What is queued, at most 200 rows in a transaction. Who gathers rests after each at least as long as it took: SQLite
   * lets a waiting thread only look now and then whether the file is free, and one that commits without a pause would
   * keep the others out for seconds.
   */
  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    scheduled = false;
    while (queue.length > 0) {
      const began = performance.now();
      commit(nextBatch());
      const now = performance.now();
      if (gatherMs === 0 || closed) continue;
      restUntil = now + (now - began);
      if (queue.length > 0) schedule();
      return;
    }
  }

  function schedule(): void {
    scheduled = true;
    if (gatherMs === 0) setImmediate(flush);
    else timer = setTimeout(flush, Math.max(gatherMs, restUntil - performance.now()));
  }

  function nextBatch(): Write[] {
    let rows = 0;
    let end = 0;
    for (const write of queue) {
      if (end > 0 && rows + write.rows > rowsAtOnce) break;
      rows += write.rows;
      end += 1;
    }
    queued -= rows;
    return queue.splice(0, end);
  }

  /** One transaction. A write that fails by itself (a unique index) leaves the others alone. */
  function commit(batch: Write[]): void {
    const settle: (() => void)[] = [];
    version += 1;
    try {
      statement('BEGIN IMMEDIATE').run();
      for (const write of batch) settle.push(attempt(write));
      statement('COMMIT').run();
    } catch (error) {
      undo();
      const said = inWords(error);
      for (const write of batch) write.reject(said);
      return;
    }
    for (const done of settle) done();
  }

  /** A savepoint each: half a bulk of a write that then fails does not stay. */
  function attempt(write: Write): () => void {
    statement('SAVEPOINT one').run();
    try {
      const value = write.run();
      statement('RELEASE one').run();
      return () => write.resolve(value);
    } catch (error) {
      if (!database.isTransaction) throw error; // SQLite itself gave the whole transaction up: disk full, damage
      statement('ROLLBACK TO one').run();
      statement('RELEASE one').run();
      const said = inWords(error);
      return () => write.reject(said);
    }
  }

  function undo(): void {
    if (database.isTransaction) database.exec('ROLLBACK');
  }

  return {
    statement,
    exec(sql) {
      version += 1;
      sentence(() => database.exec(sql));
    },
    write<T>(rows: number, run: () => T): Promise<T> {
      if (closed) return Promise.reject(new WatchpostError('stopped', 'The store is closed.'));
      return new Promise<T>((resolve, reject) => {
        queue.push({ rows, run, resolve: resolve as (value: unknown) => void, reject });
        queued += rows;
        if (!scheduled) schedule();
        else if (timer !== undefined && queued >= rowsAtOnce && performance.now() >= restUntil) flush();
      });
    },
    version() {
      const [now] = dataVersion.get() as unknown as [number];
      if (now !== others) version += 1;
      others = now;
      return version;
    },
    close() {
      if (closed) return;
      closed = true;
      flush();
      statements.clear();
      database.close();
    },
  };
}

/** The change to WAL needs the file for itself for a moment and does not wait for it: two threads may start together. */
function switchToWal(database: DatabaseSync): void {
  const started = performance.now();
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (;;) {
    try {
      database.exec('PRAGMA journal_mode = WAL');
      return;
    } catch (error) {
      if (codeOf(error) !== 5 || performance.now() - started > lockTimeoutMs) throw error;
      Atomics.wait(pause, 0, 0, 5);
    }
  }
}

/** Runs something that talks to SQLite; its failure becomes ours, in words. */
export function sentence<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw inWords(error);
  }
}

function inWords(error: unknown): unknown {
  if (error instanceof WatchpostError) return error;
  const code = codeOf(error);
  if (code === undefined) return error;
  if (code === 19) {
    return new WatchpostError('conflict', 'Something with this identity is already in the store.', {
      cause: error,
    });
  }
  const damaged = code === 11 || code === 26 || (code === 1 && /malformed JSON/.test(String(error)));
  if (damaged) {
    return new WatchpostError('store', 'The data file is damaged.', {
      hint: 'Stop Watchpost, put the last good copy of the data folder in its place, and start again.',
      cause: error,
    });
  }
  const said = sentences[code] ?? 'The data file could not be used.';
  return new WatchpostError('store', said, { hint: 'Look at the disk and the data folder.', cause: error });
}

/** SQLite's primary result codes that people can do something about. */
const sentences: Record<number, string> = {
  5: 'The data file stayed locked for 5 seconds.',
  6: 'The data file stayed locked for 5 seconds.',
  8: 'The data file cannot be written.',
  10: 'The disk did not take or give the data.',
  13: 'The disk is full.',
  14: 'The data file cannot be opened.',
};

/** True when a unique index refused a row. */
export function isConflict(error: unknown): boolean {
  return codeOf(error) === 19;
}

function codeOf(error: unknown): number | undefined {
  // Not by class: Node makes these errors in its own realm, which is not always ours.
  if (typeof error !== 'object' || error === null) return undefined;
  const { code, errcode } = error as { code?: unknown; errcode?: unknown };
  if (code !== 'ERR_SQLITE_ERROR' || typeof errcode !== 'number') return undefined;
  return errcode & 0xff;
}
