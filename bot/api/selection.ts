import * as v from 'valibot';
import { type AccessAction, type Caller, covers, scopeFor, type TenantScope } from '../../shared/access.ts';
import { selectionLimits, type TenantMatch, tenantFilters } from '../../shared/api.ts';
import { type Tenant, type TenantId, tenantId } from '../../shared/tenants/tenant.ts';
import { workStates } from '../../shared/tenants/work-state.ts';
import type { Services } from '../services.ts';
import type { Standings } from './standings.ts';
import { matching, tabOf } from './tenants.ts';

const words = `Choose at least one tenant and at most ${selectionLimits.ids.toLocaleString('en-GB')}.`;

const matchSchema = v.strictObject(
  {
    q: v.optional(v.pipe(v.string(), v.maxLength(80))),
    show: v.optional(v.picklist(tenantFilters)),
    state: v.optional(v.picklist(workStates)),
    tag: v.optional(v.pipe(v.string(), v.maxLength(80))),
  },
  words,
);

export const idsSchema = v.pipe(
  v.array(
    v.pipe(
      v.string(words),
      v.transform(tenantId),
      v.check((id) => id !== undefined, words),
      v.transform((id) => id as TenantId),
    ),
    words,
  ),
  v.minLength(1, words),
  v.maxLength(selectionLimits.ids, words),
);

/** Which tenants a change is for: some by id, or all that a list shows. */
export const selectionSchema = v.union(
  [v.strictObject({ ids: idsSchema }), v.strictObject({ match: matchSchema })],
  words,
);
type Selected = v.InferOutput<typeof selectionSchema>;

/** Those of a selection the person may do it to; `left`: how many of the others he may see. */
export type Chosen = { tenants: Tenant[]; scope: TenantScope; left: number };

/**
 * The tenants a person chose and may do `action` to. What he may not even see is as if it did not exist, and is not
 * counted either (I-4). At most `selectionLimits.ids`, the first in the order of the list.
 */
export async function choose(
  selected: Selected,
  action: AccessAction,
  who: Caller,
  standings: Standings,
  services: Services,
): Promise<Chosen> {
  const now = services.now();
  const seen =
    'ids' in selected
      ? await named(selected.ids, who, services)
      : (await matching(who, given(selected.match), standings, services)).slice(0, selectionLimits.ids);
  const scope = scopeFor(who, tabOf(who), action, now);
  const tenants = seen.filter(({ id }) => covers(scope, id));
  return { tenants, scope, left: seen.length - tenants.length };
}

async function named(ids: readonly TenantId[], who: Caller, services: Services): Promise<Tenant[]> {
  const wanted = new Set(ids);
  return (await tenantsSeen(who, services)).filter(({ id }) => wanted.has(id));
}

function given(match: v.InferOutput<typeof matchSchema>): TenantMatch {
  const { q, show, state, tag } = match;
  return {
    ...(q === undefined ? {} : { q }),
    ...(show === undefined ? {} : { show }),
    ...(state === undefined ? {} : { state }),
    ...(tag === undefined ? {} : { tag }),
  };
}

/** All tenants this person may see. */
export async function tenantsSeen(who: Caller, services: Services): Promise<readonly Tenant[]> {
  return await services.store.tenants.list(scopeFor(who, tabOf(who), 'view', services.now()));
}
