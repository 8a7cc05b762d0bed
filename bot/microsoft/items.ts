import * as v from 'valibot';
import { MicrosoftError, nonsense } from './failures.ts';

/**
 * Each item through its schema and `map`; what does not fit, or maps to undefined, is left out. When something came
 * and nothing of it fits, that is no empty list but an answer we cannot read. Throws MicrosoftError.
 */
export function mapItems<S extends v.GenericSchema, T>(
  items: unknown[],
  schema: S,
  map: (item: v.InferOutput<S>) => T | undefined,
): T[] {
  const mapped = items.flatMap((item) => {
    const parsed = v.safeParse(schema, item);
    const one = parsed.success ? map(parsed.output) : undefined;
    return one === undefined ? [] : [one];
  });
  if (items.length > 0 && mapped.length === 0) {
    throw new MicrosoftError(nonsense('Microsoft answered with something that cannot be read.', 'SHAPE'));
  }
  return mapped;
}

/** An answer about another tenant than the one asked for must never be stored. */
export function wrongTenant(): MicrosoftError {
  return new MicrosoftError(nonsense('Microsoft answered about another tenant.', 'WRONG_TENANT'));
}
