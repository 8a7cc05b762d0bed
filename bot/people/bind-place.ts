import { createHash } from 'node:crypto';
import { type Caller, may, scopeFor } from '../../shared/access.ts';
import { baseOf } from '../../shared/conversation.ts';
import { plain } from '../../shared/foreign-text.ts';
import { findTenant } from '../../shared/tenants/find-tenant.ts';
import type { TenantId } from '../../shared/tenants/tenant.ts';
import { plus } from '../../shared/time.ts';
import type { Place, PlaceRow, Services } from '../services.ts';

/** How long the code of a binding counts, and how long a second Admin has after the first. */
export const bindMs = 600_000;

export type Bound =
  | { kind: 'bound'; tenant: TenantId }
  | { kind: 'internal' }
  | { kind: 'unbound' }
  /** Shown in the conversation; the same whatever tenant was typed (I-4). */
  | { kind: 'code'; code: string }
  /** The first of two has confirmed. */
  | { kind: 'second' }
  | { kind: 'unknown-code' }
  | { kind: 'refused'; say: string };

type Asking = { who: Caller; where: Place; services: Services };

/** Letters and digits nobody misreads, as in the code of the first Admin. */
const alphabet = 'ABCDEFGHJKMNPQRSTUVWXYZ23456789';
const letters = 8;

/** `bind internal`: an Admin of all tenants vouches for a conversation of the home tenant whose members cannot be read. */
export async function bindInternal({ who, where, services }: Asking): Promise<Bound> {
  const { store, settings } = services;
  const note = noteOf(who, where.conversationId, 'bind', services);
  const refused = async (say: string, why: string): Promise<Bound> => {
    await note('refused', `internal: ${why}`);
    return { kind: 'refused', say };
  };
  if (!everywhere(who, services)) {
    return await refused(
      'Only an Admin of all tenants can say that a place is internal: every tenant may be named there.',
      'not an Admin of all tenants',
    );
  }
  if (where.hostTenantId !== settings.homeTenantId) {
    return await refused(
      'Another organisation owns this place, so it cannot be internal. It can belong to one customer.',
      'owned by another organisation',
    );
  }
  const id = baseOf(where.conversationId);
  const row = await store.places.get(id);
  if (row === null) return await refused(notKnown, 'not known yet');
  if ((row.roster?.outsiders ?? 0) > 0) {
    return await refused(
      'Guests or people of another organisation are here, so this place cannot be internal. It can belong to one customer.',
      'guests are here',
    );
  }
  // Noted first, here and below: what cannot be noted is not done (R64).
  await note('done', `internal, was ${wasOf(row)}`);
  await store.places.bind(id, { kind: 'internal' });
  return { kind: 'internal' };
}

/** `unbind`: who is here decides again. Whose it was is remembered: giving it to another customer still takes two. */
export async function unbind({ who, where, services }: Asking): Promise<Bound> {
  const { store } = services;
  const note = noteOf(who, where.conversationId, 'unbind', services);
  const id = baseOf(where.conversationId);
  const row = await store.places.get(id);
  if (row?.binding === undefined) return { kind: 'refused', say: 'Nothing is bound here.' };
  const { binding } = row;
  const allowed =
    binding.kind === 'internal'
      ? everywhere(who, services)
      : may(who, 'bind', binding.tenant, services.now());
  if (!allowed) {
    await note('refused', 'beyond the own scope');
    return { kind: 'refused', say: 'Your role does not cover what is bound here. Ask another Admin.' };
  }
  await note('done', `was ${wasOf(row)}`);
  await store.places.bind(id, undefined);
  return { kind: 'unbound' };
}

/**
 * `bind contoso`: nothing is bound yet; a code is made that is shown in the conversation, so that the Admin sees where
 * it will count. A name that is no tenant gets one too, which binds nothing: others read along here. Only among ourselves it is said at once.
 */
export async function askToBind(typed: string, { who, where, services }: Asking): Promise<Bound> {
  const { store } = services;
  const note = noteOf(who, where.conversationId, 'bind', services);
  const now = services.now();
  const mine = await store.tenants.list(scopeFor(who, alone(who), 'bind', now));
  const found = findTenant(typed, mine);
  if (found.kind !== 'one' && where.audience.kind === 'internal') {
    const name = plain(typed, 80);
    return {
      kind: 'refused',
      say:
        found.kind === 'none'
          ? `No tenant called "${name}" is available here. Type tenants to see which are.`
          : `“${name}” fits several tenants. Write the domain instead.`,
    };
  }
  const tenant = found.kind === 'one' ? found.tenant.id : undefined;
  const code = newCode();
  const request = {
    ...{ hash: hashOf(code), by: keyOf(who), until: plus(now, bindMs) },
    ...(tenant === undefined ? {} : { tenant }),
  };
  if (!(await store.places.askToBind(baseOf(where.conversationId), request))) {
    await note('refused', 'not known yet');
    return { kind: 'refused', say: notKnown };
  }
  await note('done', 'asked: a code is shown', tenant);
  return { kind: 'code', code };
}

/**
 * The code typed back, in the conversation (`where`) or in the tab: by who asked, within ten minutes, and from one
 * customer to another by a second Admin as well. A code of another conversation is as unknown as one that never was.
 */
export async function confirmBinding(
  code: string,
  who: Caller,
  where: string,
  services: Services,
): Promise<Bound> {
  const { store } = services;
  const now = services.now();
  const row = await store.places.byBindCode(hashOf(code));
  const request = row?.bindRequest;
  const there = where === 'tab' || row?.conversationId === baseOf(where);
  const note = noteOf(who, where === 'tab' ? 'tab' : baseOf(where), 'bind', services);
  if (row === null || request === undefined || !there || request.until <= now) {
    await note('refused', 'unknown or late code');
    return { kind: 'unknown-code' };
  }
  const { tenant } = request;
  const refused = async (say: string, why: string): Promise<Bound> => {
    await note('refused', why, tenant);
    return { kind: 'refused', say };
  };
  if (tenant === undefined) {
    return await refused(
      'Nothing was bound: no single tenant of yours is meant by what was typed. Ask again with its domain.',
      'no single tenant was meant',
    );
  }
  const from = row.binding?.kind === 'customer' ? row.binding.tenant : row.lastCustomer;
  const over = [tenant, ...(from === undefined ? [] : [from])];
  if (!over.every((id) => may(who, 'bind', id, now))) {
    return await refused(
      'Your role does not cover what this place belongs to now and then. Ask another Admin.',
      'beyond the own scope',
    );
  }
  const takesTwo = from !== undefined && from !== tenant;
  const asked = request.by === keyOf(who);
  if (!asked && request.confirmed !== true) {
    return await refused('Whoever asked for this binding confirms it first.', 'not who asked');
  }
  if (takesTwo && request.confirmed !== true) {
    if (!(await store.places.confirmBind(row.conversationId, request.hash, plus(now, bindMs)))) {
      return { kind: 'unknown-code' };
    }
    await note('done', `${row.conversationId}: first of two`, tenant);
    return { kind: 'second' };
  }
  if (takesTwo && asked) {
    return await refused('A second Admin has to type this code: one alone cannot.', 'the same Admin twice');
  }
  await note('done', `${row.conversationId}: customer, was ${wasOf(row)}`, tenant);
  if (await store.places.bindAsAsked(row)) return { kind: 'bound', tenant };
  await note('refused', `${row.conversationId}: changed meanwhile`, tenant);
  return { kind: 'unknown-code' };
}

const notKnown = 'I do not know this place yet. Write to me here once more.';

/** The rights of the person wherever it is. */
function alone({ oid, tid }: Caller) {
  return { kind: 'personal' as const, oid, tid };
}

function everywhere(who: Caller, services: Services): boolean {
  return scopeFor(who, alone(who), 'bind', services.now()).all;
}

function keyOf({ tid, oid }: Caller): string {
  return `${tid}/${oid}`;
}

function wasOf({ binding }: PlaceRow): string {
  return binding?.kind === 'customer' ? binding.tenant : (binding?.kind ?? 'not bound');
}

function newCode(): string {
  let code = '';
  while (code.length < letters) {
    for (const byte of crypto.getRandomValues(new Uint8Array(16))) {
      // Bytes that would favour a letter are skipped.
      if (byte < 256 - (256 % alphabet.length) && code.length < letters)
        code += alphabet[byte % alphabet.length];
    }
  }
  return `${code.slice(0, 4)}-${code.slice(4)}`;
}

/** Whatever its case and with or without the dash. */
function hashOf(code: string): string {
  const bare = code.toUpperCase().replace(/[^A-Z0-9]/g, '');
  return createHash('sha256').update(`bind ${bare}`).digest('hex');
}

function noteOf(who: Caller, where: string, what: string, { store }: Services) {
  return async (result: 'done' | 'refused', detail: string, tenant?: TenantId): Promise<void> => {
    const entry = {
      ...{ who: keyOf(who), what, where, result, detail },
      ...(tenant === undefined ? {} : { tenant }),
    };
    await (result === 'done' ? store.audit.writeFirst(entry) : store.audit.write(entry));
  };
}
