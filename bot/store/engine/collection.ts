/** The subset of the mongodb driver's own interface that Watchpost uses. Two engines: `embedded.ts`, `mongo.ts`. */

export type Scalar = string | number | boolean | null;

export type Condition =
  | Scalar
  | {
      $eq?: Scalar;
      $in?: readonly Scalar[];
      $gt?: Scalar;
      $gte?: Scalar;
      $lt?: Scalar;
      $lte?: Scalar;
      $ne?: Scalar;
      $exists?: boolean;
    };

/** Field paths may be dotted. Values are scalars only: an object is refused, so no operator can be smuggled in. */
export type Filter = { [path: string]: Condition } | { $and: Filter[] } | { $or: Filter[] };

export type Update = {
  $set?: Record<string, unknown>;
  $unset?: Record<string, true>;
  $inc?: Record<string, number>;
  $setOnInsert?: Record<string, unknown>;
  $push?: Record<string, { $each: unknown[]; $slice?: number }>;
  $addToSet?: Record<string, unknown>;
  $min?: Record<string, Scalar>;
  $max?: Record<string, Scalar>;
};

export type Sort = Record<string, 1 | -1>;

/** Keyset paging: `after` is the cursor of the last row seen; never an offset. `limit` is at most 1,000. */
export type FindOptions = { sort?: Sort; limit: number; after?: Cursor };
export type Cursor = string;
export type Page<T> = { rows: T[]; next: Cursor | null };

export type WriteResult = { matched: number; modified: number; upserted: boolean };

export type BulkWrite<T> =
  | { insertOne: { document: T } }
  | { updateOne: { filter: Filter; update: Update; upsert?: boolean } }
  /** In place of the document with its `_id`, or as a new one: nobody has to read what was there. */
  | { replaceOne: { document: T } }
  | { deleteOne: { filter: Filter } };

export type BulkResult = {
  matched: number;
  modified: number;
  upserted: number;
  inserted: number;
  deleted: number;
  conflicts: number;
};

/**
 * The writes happen only while `filter` matches a document of `collection`: the check is part of the same
 * transaction, so somebody who has lost a lease writes nothing. No match: `conflict`, and nothing was written.
 */
export type Guard = { collection: string; filter: Filter };

/** Every document has a string `_id`. Instants are ISO strings. Errors: WatchpostError `conflict`, `store`, `bad-input`. */
export interface Collection<T extends { _id: string }> {
  findOne(filter: Filter): Promise<T | null>;
  find(filter: Filter, options: FindOptions): Promise<Page<T>>;
  insertOne(document: T): Promise<void>;
  updateOne(filter: Filter, update: Update, options?: { upsert?: boolean }): Promise<WriteResult>;
  /** Atomic; returns the document after the update, null when nothing matched and `upsert` is off. */
  findOneAndUpdate(
    filter: Filter,
    update: Update,
    options?: { upsert?: boolean; sort?: Sort },
  ): Promise<T | null>;
  /** Unordered. At most 200 writes; a unique conflict is counted, never fatal. With `onlyIf` write upserts by `_id`: in
   * a transaction of MongoDB a conflict undoes all of it. */
  bulkWrite(writes: BulkWrite<T>[], options?: { onlyIf?: Guard }): Promise<BulkResult>;
  deleteMany(filter: Filter): Promise<number>;
  countDocuments(filter: Filter): Promise<number>;
}

/**
 * A field of an index holds one kind of scalar, or is missing; every field of a unique index without `where` is
 * there. `where`: only documents that have all these fields.
 */
export type Index = { keys: Sort; unique?: boolean; where?: string[] };

/** Declared beside each subject file and gathered in `bot/store/collections.ts`; an undeclared one fails the build. */
export type CollectionDeclaration = {
  name: string;
  /** `one`: each tenant has one document, whose `_id` is the tenant's id; no index has to find it. */
  tenantScoped: boolean | 'one';
  indexes: Index[];
  /** Read on every turn and rarely written: `findOne` by `_id` may answer a frozen document shared with others. */
  readMostly?: boolean;
};

/** One bulk write among several that belong together. */
export type OrderedWrite = {
  collection: string;
  // What a document must hold is checked by whoever made the writes.
  writes: BulkWrite<{ _id: string }>[];
  onlyIf: Guard;
};

export interface Engine {
  readonly kind: 'embedded' | 'mongo';
  /**
   * Bulk writes one after the other, as a crash may cut them: what is undone has nothing done after it. Where the
   * store can do it for free, all are done or none. Throws `conflict` like `bulkWrite` with a guard.
   */
  inOrder(steps: readonly OrderedWrite[]): Promise<void>;
  collection<T extends { _id: string }>(declaration: CollectionDeclaration): Collection<T>;
  /** Database time in milliseconds: SQLite's clock, or the local clock corrected by the server's. */
  now(): number;
  /** The same number as before: nothing in the store has changed since. Undefined where that cannot be told for free. */
  version(): number | undefined;
  ping(): Promise<void>;
  close(): Promise<void>;
}
