import * as v from 'valibot';
import { type GrantScope, roles } from '../../shared/access.ts';
import { peopleLimits } from '../../shared/api.ts';
import { tagOf } from '../../shared/tenants/tag.ts';
import { tenantId } from '../../shared/tenants/tenant.ts';
import { dayOf, type Instant, plusDays } from '../../shared/time.ts';

/** What the People page sends. Every message is a sentence that repeats nothing of what was typed. */

const object = 'Fill in the form again: it did not come as it was meant.';
const whom = 'Give an address or an object id.';
const which = 'Name tenants or tags, or choose all.';

const person = v.pipe(
  v.string(whom),
  v.trim(),
  v.toLowerCase(),
  v.minLength(3, whom),
  v.maxLength(peopleLimits.person, whom),
);
const ids = v.pipe(
  v.array(
    v.pipe(
      v.string(which),
      v.transform(tenantId),
      v.custom<NonNullable<ReturnType<typeof tenantId>>>((id) => id !== undefined, which),
    ),
    which,
  ),
  v.maxLength(peopleLimits.tenants, `Name at most ${peopleLimits.tenants} tenants at once.`),
);
const tagWords = 'A tag has 1 to 40 characters.';
const tags = v.pipe(
  v.array(
    v.pipe(
      v.string(tagWords),
      v.transform(tagOf),
      v.custom<string>((tag) => tag !== undefined, tagWords),
    ),
    which,
  ),
  v.maxLength(peopleLimits.tags, `Name at most ${peopleLimits.tags} tags at once.`),
);
const dayWords = 'Give the last day as year-month-day, or nothing.';
const until = v.optional(
  v.pipe(
    v.string(dayWords),
    v.isoDate(dayWords),
    v.check((day) => !Number.isNaN(Date.parse(day)) && new Date(day).toISOString().startsWith(day), dayWords),
    // The whole day counts: valid until the next one begins, UTC.
    v.transform((day): Instant => `${plusDays(dayOf(day), 1)}T00:00:00.000Z`),
  ),
);
const covered = { person, all: v.boolean(which), tenants: ids, tags, until };

export const grantSchema = v.strictObject({ ...covered, role: v.picklist(roles, 'Choose a role.') }, object);
export const denySchema = v.strictObject(covered, object);
export const personSchema = v.strictObject({ person }, object);
export const switchSchema = v.strictObject({ person, off: v.boolean(object) }, object);
export const bindSchema = v.strictObject(
  {
    code: v.pipe(
      v.string(object),
      v.trim(),
      v.regex(/^[a-z0-9]{4}[-–— ]?[a-z0-9]{4}$/i, 'A code looks like ABCD-EFGH.'),
      v.maxLength(peopleLimits.code, object),
    ),
  },
  object,
);

/** All, or what is named: both at once, or nothing, is a form that does not say what is meant. */
export function scopeIn(
  form: Pick<v.InferOutput<typeof denySchema>, 'all' | 'tenants' | 'tags'>,
): GrantScope | null {
  const { all, tenants, tags: tagged } = form;
  if (all) return tenants.length + tagged.length === 0 ? 'all' : null;
  return tenants.length + tagged.length === 0 ? null : [...new Set(tenants)];
}
