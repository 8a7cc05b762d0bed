import * as v from 'valibot';
import type { Ask } from './gateway.ts';
import { mapItems } from './items.ts';
import { looseFlag } from './tolerant.ts';

/** `GET /domains` (`graph.md` §1.11). */
export const askDomains: Ask = {
  path: '/domains',
  query: (request) => request.select(['id', 'isDefault', 'isVerified']),
};

const domainSchema = v.object({
  id: v.pipe(v.string(), v.nonEmpty(), v.maxLength(255)),
  isDefault: v.optional(looseFlag, false),
  isVerified: v.optional(looseFlag, false),
});

export type Domain = { name: string; isDefault: boolean; isVerified: boolean };

/** A domain's id is its name. The default one first. */
export function domainsOf(items: unknown[]): Domain[] {
  return mapItems(items, domainSchema, ({ id, isDefault, isVerified }) => ({
    name: id.toLowerCase(),
    isDefault,
    isVerified,
  })).sort((a, b) => Number(b.isDefault) - Number(a.isDefault));
}
