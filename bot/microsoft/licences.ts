import * as v from 'valibot';
import type { LicenceFacts, LicenceTerms } from '../../shared/directory/directory.ts';
import type { Ask } from './gateway.ts';
import { mapItems } from './items.ts';
import { productName } from './subscribed-skus.ts';
import { looseFlag, looseNumber, looseText } from './tolerant.ts';

/** `GET /directory/subscriptions`: what was bought, and when it ends. */
export const askLicenceTerms: Ask = { path: '/directory/subscriptions' };

const mostLines = 100;
/** More than anybody buys: free products come in masses. */
const massOfFree = 500_000;
const freeName = /FREE|VIRAL|TRIAL|EXPLORATORY|ADHOC|DEVELOPER|WINDOWS_STORE|POWERAPPS_DEV/;

const units = v.fallback(
  v.object({
    enabled: v.optional(looseNumber, null),
    warning: v.optional(looseNumber, null),
    suspended: v.optional(looseNumber, null),
  }),
  { enabled: null, warning: null, suspended: null },
);
const skuSchema = v.object({
  skuPartNumber: v.pipe(v.string(), v.nonEmpty(), v.maxLength(200)),
  consumedUnits: v.optional(looseNumber, null),
  prepaidUnits: units,
});

/** Owned, used, running out: `GET /subscribedSkus` (`graph.md` §1.10). What is used most comes first. */
export function licenceFactsOf(items: unknown[]): LicenceFacts {
  const lines = mapItems(items, skuSchema, ({ skuPartNumber, consumedUnits, prepaidUnits }) => {
    const owned = whole(prepaidUnits.enabled) + whole(prepaidUnits.warning);
    return {
      partNumber: skuPartNumber,
      name: productName(skuPartNumber),
      owned,
      used: whole(consumedUnits),
      warning: whole(prepaidUnits.warning),
      suspended: whole(prepaidUnits.suspended),
      free: owned >= massOfFree || (owned >= 10_000 && freeName.test(skuPartNumber.toUpperCase())),
    };
  });
  lines.sort(
    (a, b) => Number(a.free) - Number(b.free) || b.used - a.used || (a.partNumber < b.partNumber ? -1 : 1),
  );
  return { lines: lines.slice(0, mostLines), count: lines.length };
}

const termSchema = v.object({
  skuPartNumber: v.pipe(v.string(), v.nonEmpty(), v.maxLength(200)),
  status: v.optional(looseText, ''),
  totalLicenses: v.optional(looseNumber, null),
  isTrial: v.optional(looseFlag, false),
  nextLifecycleDateTime: v.optional(looseText, ''),
});

/** Each subscription with the day on which it ends unless renewed, the soonest first; those without a day are left out. */
export function licenceTermsOf(items: unknown[]): LicenceTerms {
  const ends: LicenceTerms['ends'] = [];
  mapItems(items, termSchema, (term) => {
    const on = /^(\d{4}-\d{2}-\d{2})T/.exec(term.nextLifecycleDateTime)?.[1];
    if (on === undefined || /^deleted$/i.test(term.status)) return true;
    ends.push({
      partNumber: term.skuPartNumber,
      name: productName(term.skuPartNumber),
      units: whole(term.totalLicenses),
      on,
      isTrial: term.isTrial,
      state: term.status,
    });
    return true;
  });
  ends.sort((a, b) => (a.on < b.on ? -1 : a.on > b.on ? 1 : a.partNumber < b.partNumber ? -1 : 1));
  return { ends: ends.slice(0, mostLines) };
}

function whole(value: number | null): number {
  return value !== null && value > 0 ? Math.floor(value) : 0;
}
