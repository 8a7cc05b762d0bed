import type { Collection, CollectionDeclaration, Engine } from './collection.ts';

/** The same engine, telling `onCall` how long each operation took. The names of operations are the port's own: few. */
export function measured(engine: Engine, onCall: (operation: string, ms: number) => void): Engine {
  // Beside the operation, not in its way: each turn waits for half a dozen of them.
  function timed<R>(operation: string, work: () => Promise<R>): Promise<R> {
    const started = performance.now();
    const asked = work();
    const ended = (): void => onCall(operation, performance.now() - started);
    asked.then(ended, ended);
    return asked;
  }
  return {
    kind: engine.kind,
    inOrder: (steps) => timed('inOrder', () => engine.inOrder(steps)),
    now: () => engine.now(),
    version: () => engine.version(),
    ping: () => timed('ping', () => engine.ping()),
    close: () => engine.close(),
    collection<T extends { _id: string }>(declaration: CollectionDeclaration): Collection<T> {
      const inner = engine.collection<T>(declaration);
      return {
        findOne: (...given) => timed('findOne', () => inner.findOne(...given)),
        find: (...given) => timed('find', () => inner.find(...given)),
        insertOne: (...given) => timed('insertOne', () => inner.insertOne(...given)),
        updateOne: (...given) => timed('updateOne', () => inner.updateOne(...given)),
        findOneAndUpdate: (...given) => timed('findOneAndUpdate', () => inner.findOneAndUpdate(...given)),
        bulkWrite: (...given) => timed('bulkWrite', () => inner.bulkWrite(...given)),
        deleteMany: (...given) => timed('deleteMany', () => inner.deleteMany(...given)),
        countDocuments: (...given) => timed('countDocuments', () => inner.countDocuments(...given)),
      };
    },
  };
}
