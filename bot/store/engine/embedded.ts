import { LRUCache } from 'lru-cache';
import { WatchpostError } from '../../errors.ts';
import { checkDocument, checkFilter, checkFind, checkUpdate, checkWrites } from './check.ts';
import type { Collection, CollectionDeclaration, Engine, Guard } from './collection.ts';
import { ensureSchema, indexedPaths, tableOf } from './schema.ts';
import { openSqlite, rowsAtOnce, type Sqlite, type SqliteOptions, sentence } from './sqlite.ts';
import { count, first, onlyId, page, readById, type Table } from './table-read.ts';
import { bulk, change, deletedAtOnce, guard, insert, removeSome } from './table-write.ts';

/** Characters of text kept together with what was parsed from it. */
const parsedAtMost = 8_000_000;

/**
 * MongoDB's interface over one SQLite file. SQL narrows by the indexed fields, mingo decides the rest. One connection
 * a thread; every write is immediate and on disk before it is answered.
 */
export function openEmbedded(
  file: string,
  declarations: readonly CollectionDeclaration[],
  options?: SqliteOptions,
): Engine {
  const sqlite = openSqlite(file, options);
  const tables = new Map<string, Table>();
  try {
    sentence(() => ensureSchema(sqlite, declarations));
  } catch (error) {
    sqlite.close();
    throw error;
  }
  for (const declaration of declarations) {
    tables.set(declaration.name, {
      sqlite,
      name: declaration.name,
      table: tableOf(declaration.name),
      indexed: indexedPaths(declaration),
      required: declaration.indexes.flatMap((index) =>
        index.unique === true && index.where === undefined ? Object.keys(index.keys) : [],
      ),
      parsed:
        declaration.readMostly === true
          ? new LRUCache({ maxSize: parsedAtMost, sizeCalculation: (kept) => kept.text.length + 100 })
          : undefined,
    });
  }
  const tableNamed = (name: string): Table => {
    const table = tables.get(name);
    if (table === undefined) throw new WatchpostError('bad-input', `The collection ${name} is not declared.`);
    return table;
  };
  return {
    kind: 'embedded',
    collection: <T extends { _id: string }>(declaration: CollectionDeclaration) =>
      openCollection<T>(tableNamed(declaration.name), tableNamed),
    async inOrder(steps) {
      for (const { writes, onlyIf } of steps) {
        checkWrites(writes);
        checkFilter(onlyIf.filter);
      }
      const rows = steps.reduce((sum, { writes }) => sum + writes.length, 0);
      const run = (some: typeof steps): void => {
        let asked: Guard | undefined;
        for (const { collection, writes, onlyIf } of some) {
          // Inside one transaction nobody else can have changed the answer.
          if (onlyIf !== asked) guard(onlyIf, tableNamed);
          asked = onlyIf;
          bulk(tableNamed(collection), writes);
        }
      };
      if (rows <= rowsAtOnce) await sqlite.write(rows, () => run(steps));
      else for (const step of steps) await sqlite.write(step.writes.length, () => run([step]));
    },
    now: openClock(sqlite),
    version: () => sentence(() => sqlite.version()),
    async ping() {
      sentence(() => clockOf(sqlite));
    },
    async close() {
      sqlite.close();
    },
  };
}

/** How long the database's time is carried on by a clock that only counts: a turn asks for it half a dozen times. */
const askAgainMs = 100;

/** Database time as a function: SQLite is asked ten times a second at most, whatever happens to `Date` in between. */
function openClock(sqlite: Sqlite): () => number {
  let told = 0;
  let askedAt = Number.NEGATIVE_INFINITY;
  return () => {
    const since = performance.now() - askedAt;
    if (since < askAgainMs) return told + Math.floor(since);
    told = sentence(() => clockOf(sqlite));
    askedAt = performance.now();
    return told;
  };
}

/** SQLite's own clock: nothing that shifts `Date` in this process shifts it. */
function clockOf(sqlite: Sqlite): number {
  const [seconds] = sqlite.statement("SELECT unixepoch('subsec')").get() as unknown as [number];
  return Math.round(seconds * 1000);
}

function openCollection<T extends { _id: string }>(
  table: Table,
  tableNamed: (name: string) => Table,
): Collection<T> {
  const { sqlite } = table;
  return {
    async findOne(filter) {
      checkFilter(filter);
      const id = onlyId(filter);
      return (
        sentence(() => (id === undefined ? first(table, filter)?.document : readById(table, id)) as T) ?? null
      );
    },
    async find(filter, options) {
      checkFilter(filter);
      checkFind(options);
      return sentence(() => page<T>(table, filter, options));
    },
    async insertOne(document) {
      checkDocument(document);
      await sqlite.write(1, () => insert(table, document));
    },
    async updateOne(filter, update, options) {
      checkFilter(filter);
      checkUpdate(update);
      return await sqlite.write(1, () => change(table, filter, update, options ?? {}).result);
    },
    async findOneAndUpdate(filter, update, options) {
      checkFilter(filter);
      checkUpdate(update);
      const changed = await sqlite.write(1, () => change(table, filter, update, options ?? {}));
      return changed.document as T | null;
    },
    async bulkWrite(writes, options) {
      checkWrites(writes);
      if (options?.onlyIf !== undefined) checkFilter(options.onlyIf.filter);
      // Nothing but the question whether the work is still ours: nobody has to wait for the disk.
      if (writes.length === 0) {
        return sentence(() => {
          guard(options?.onlyIf, tableNamed);
          return bulk(table, writes);
        });
      }
      return await sqlite.write(writes.length, () => {
        guard(options?.onlyIf, tableNamed);
        return bulk(table, writes);
      });
    },
    async deleteMany(filter) {
      checkFilter(filter);
      let deleted = 0;
      for (;;) {
        const gone = await sqlite.write(deletedAtOnce, () => removeSome(table, filter));
        deleted += gone;
        if (gone < deletedAtOnce) return deleted;
      }
    },
    async countDocuments(filter) {
      checkFilter(filter);
      return sentence(() => count(table, filter));
    },
  };
}
