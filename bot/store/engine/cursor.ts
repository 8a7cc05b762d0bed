import { WatchpostError } from '../../errors.ts';
import { isScalar } from './check.ts';
import type { Cursor, Filter, Scalar, Sort } from './collection.ts';

/** One step of an order. The last step is always `_id`, so that no two documents are equal in it. */
export type Step = { path: string; direction: 1 | -1 };

/** The order of a read with the tie-breaker at its end. */
export function stepsOf(sort: Sort | undefined): Step[] {
  const steps = Object.entries(sort ?? {}).map(([path, direction]): Step => ({ path, direction }));
  return steps.some((step) => step.path === '_id') ? steps : [...steps, { path: '_id', direction: 1 }];
}

/** Opaque to callers: where the last row stood in the order. */
export function cursorOf(document: object, steps: Step[]): Cursor {
  const values = steps.map((step) => scalarAt(document, step.path));
  return Buffer.from(JSON.stringify(values), 'utf8').toString('base64url');
}

/** The values a cursor holds. Throws `bad-input` when it was not made for this order. */
export function valuesOf(cursor: Cursor, steps: Step[]): Scalar[] {
  let values: unknown;
  try {
    values = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch (cause) {
    throw badCursor(cause);
  }
  if (!Array.isArray(values) || values.length !== steps.length || !values.every(isScalar)) throw badCursor();
  return values;
}

/** "Comes after `values` in this order" as a filter. Missing and null stand first, as in MongoDB and in SQLite. */
export function afterFilter(steps: Step[], values: Scalar[]): Filter {
  const branches: Filter[] = [];
  for (const [at, step] of steps.entries()) {
    const later = beyond(step, values[at] ?? null);
    if (later === undefined) continue;
    const equal = steps.slice(0, at).map((one, i): Filter => ({ [one.path]: values[i] ?? null }));
    branches.push(equal.length === 0 ? later : { $and: [...equal, later] });
  }
  return { $or: branches };
}

function beyond({ path, direction }: Step, value: Scalar): Filter | undefined {
  if (direction === 1) return value === null ? { [path]: { $ne: null } } : { [path]: { $gt: value } };
  if (value === null) return undefined;
  return { $or: [{ [path]: { $lt: value } }, { [path]: null }] };
}

/** The scalar at a dotted path; null when there is none. */
export function scalarAt(document: object, path: string): Scalar {
  let value: unknown = document;
  for (const part of path.split('.')) {
    if (typeof value !== 'object' || value === null) return null;
    value = (value as Record<string, unknown>)[part];
  }
  return isScalar(value) ? value : null;
}

function badCursor(cause?: unknown): WatchpostError {
  return new WatchpostError('bad-input', 'That page does not exist any more.', {
    hint: 'Start again from the first page.',
    cause,
  });
}
