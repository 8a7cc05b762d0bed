import * as v from 'valibot';
import type { RemoveAnswer } from '../../shared/api.ts';
import { isTyped } from '../../shared/tenants/shown-name.ts';
import type { Tenant } from '../../shared/tenants/tenant.ts';
import { counted } from '../../shared/words.ts';
import { type Removal, removeTenant } from '../connect/remove-tenant.ts';
import { type Gate, personOf } from './allowed.ts';
import { removeSchema, wrongWith } from './connect-body.ts';
import { problem } from './problem.ts';
import type { ApiRoute } from './route.ts';

/** *Remove*: for an Admin who types the tenant's name; all that is kept of it goes, and what went is said. */
export function removeRoute(gate: Gate): ApiRoute {
  return {
    method: 'POST',
    path: '/api/tab/tenants/:id/remove',
    auth: 'tab',
    handle: async (request, who, services) => {
      const allowed = await gate.door.toTenant(request, who, 'purge', services);
      if (allowed.kind === 'no') return allowed.answer;
      const body = v.safeParse(removeSchema, request.body, { abortEarly: true });
      if (!body.success) return problem(400, wrongWith(body.issues), request.id);
      const { tenant } = allowed;
      if (!isNamed(tenant, body.output.name)) {
        return problem(400, 'That is not the name of this tenant, so nothing was removed.', request.id);
      }
      const removal = await removeTenant(tenant, personOf(who), services);
      const answer: RemoveAnswer = { name: tenant.name, deleted: inWords(removal) };
      return { status: 200, body: answer };
    },
  };
}

/** Its name as the page shows it, or its domain. */
function isNamed({ name, domain }: Tenant, typed: string): boolean {
  return [name, domain].some((one) => isTyped(one, typed));
}

/** One line for each of these; whatever else there was is counted together. */
const names: readonly { collection: string; one: string; many: string }[] = [
  { collection: 'credentials', one: 'credential', many: 'credentials' },
  { collection: 'snapshots', one: 'day of scores', many: 'days of scores' },
  { collection: 'changes', one: 'change of a control', many: 'changes of controls' },
  { collection: 'findings', one: 'finding', many: 'findings' },
  { collection: 'people', one: 'person of that tenant', many: 'people of that tenant' },
];

function inWords({ rows, channels }: Removal): string[] {
  const named = new Set(names.map(({ collection }) => collection));
  const rest = Object.entries(rows)
    .filter(([collection]) => !named.has(collection))
    .reduce((sum, [, count]) => sum + count, 0);
  const lines: [number, string, string][] = [
    ...names.map(({ collection, one, many }): [number, string, string] => [rows[collection] ?? 0, one, many]),
    [channels, 'subscription of a channel', 'subscriptions of channels'],
    [rest, 'further record', 'further records'],
  ];
  return lines.filter(([count]) => count > 0).map((line) => counted(...line));
}
