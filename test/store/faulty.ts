import { collections } from '../../bot/store/collections.ts';
import type { Collection, CollectionDeclaration, Engine } from '../../bot/store/engine/collection.ts';

/** Engines with a fault in them, and a way to see all that is stored: tests give them to `storeOver`. */

type Any = Collection<{ _id: string }>;

/** The same engine with some of its operations replaced. */
export function changed(engine: Engine, change: (inner: Any, name: string) => Partial<Any>): Engine {
  const faulty = (declaration: CollectionDeclaration): Any => {
    const inner = engine.collection(declaration);
    return { ...inner, ...change(inner, declaration.name) };
  };
  return {
    ...engine,
    collection<T extends { _id: string }>(declaration: CollectionDeclaration): Collection<T> {
      return faulty(declaration) as unknown as Collection<T>;
    },
    // One after the other, as a store does that cannot do all at once: the fault may come between two.
    async inOrder(steps) {
      for (const { collection, writes, onlyIf } of steps) {
        const declaration = collections.find(({ name }) => name === collection);
        if (declaration === undefined) throw new Error(`${collection} is not declared`);
        await faulty(declaration).bulkWrite(writes, { onlyIf });
      }
    },
  };
}

/** Plants the defect "the fence is ignored". */
export function ignoringGuards(engine: Engine): Engine {
  return changed(engine, (inner) => ({ bulkWrite: (writes) => inner.bulkWrite(writes) }));
}

export class Crash extends Error {}

/** Every write from the `after`-th on fails, as if the process had been killed there. */
export function crashing(engine: Engine, after: number): Engine {
  let writes = 0;
  const unlessDead = async <R>(work: () => Promise<R>): Promise<R> => {
    writes += 1;
    if (writes > after) throw new Crash();
    return await work();
  };
  return changed(engine, (inner) => ({
    insertOne: (...given) => unlessDead(() => inner.insertOne(...given)),
    updateOne: (...given) => unlessDead(() => inner.updateOne(...given)),
    findOneAndUpdate: (...given) => unlessDead(() => inner.findOneAndUpdate(...given)),
    bulkWrite: (...given) => unlessDead(() => inner.bulkWrite(...given)),
    deleteMany: (...given) => unlessDead(() => inner.deleteMany(...given)),
  }));
}

/** Everything that is stored, of the collections named or of all; `guards` is MongoDB's own trace of a look. */
export async function dump(engine: Engine, names?: string[]): Promise<Record<string, unknown[]>> {
  const all: Record<string, unknown[]> = {};
  for (const declaration of collections) {
    if (names !== undefined && !names.includes(declaration.name)) continue;
    const { rows } = await engine
      .collection<{ _id: string; guards?: number }>(declaration)
      .find({}, { limit: 1_000 });
    all[declaration.name] = rows.map(({ guards: _, ...row }) => row);
  }
  return all;
}
