import { type Caller, liveDenies, liveGrants, scopeFor } from '../../shared/access.ts';
import type { Command } from '../../shared/command.ts';
import { clean, plain } from '../../shared/foreign-text.ts';
import type { Tenant, TenantId } from '../../shared/tenants/tenant.ts';
import type { Instant } from '../../shared/time.ts';
import { pageButtons, rowsOnPage } from '../cards/ranking.ts';
import { listCard, type Row } from '../cards/rows.ts';
import type { Person, Place, Reply, Services } from '../services.ts';
import { byId, denyInWords, grantInWords, namedIds, whyInWords } from './grants-in-words.ts';
import { refuse, withCard } from './reply.ts';

/** Nobody pages further by chat than this. */
const mostPages = 100;

/** `people`: who has which role and since when. Admins only; of named tenants only those the Admin may see. */
export async function people(
  command: Extract<Command, { kind: 'people' }>,
  who: Caller,
  where: Place,
  services: Services,
): Promise<Reply> {
  const now = services.now();
  const tenants = byId(await services.store.tenants.list(scopeFor(who, where.audience, 'grant', now)));
  const { rows, page, more } = await pageOf(command.page, services);
  const told = rows.flatMap((person) => personRow(person, tenants, who, now));
  if (told.length === 0) return refuse(where, 'Nobody with a role is listed here.');

  const card = listCard({
    fallback: clean(`People. ${told.map(({ line }) => line).join(' ')}`, 600),
    title: 'People',
    caption: page > 1 || more ? `with a role or a deny · page ${page}` : 'with a role or a deny',
    rows: told.map(({ row }) => row),
    foot: 'grant @Ana operator gives a role, revoke @Ana takes all of them.',
    buttons: pageButtons('people', page, more ? page + 1 : page),
  });
  const text = plain(told.map(({ line }) => line).join(' '), 600);
  return withCard(
    where,
    card,
    text,
    told.flatMap(({ ids }) => ids),
  );
}

/** The page asked for, or the last one there is. */
async function pageOf(
  wanted: number,
  services: Services,
): Promise<{ rows: Person[]; page: number; more: boolean }> {
  const read = (after: string | null) =>
    services.store.people.withGrants({ limit: rowsOnPage, ...(after === null ? {} : { after }) });
  let page = 1;
  let current = await read(null);
  while (page < Math.min(wanted, mostPages) && current.next !== null) {
    const next = await read(current.next);
    if (next.rows.length === 0) return { rows: current.rows, page, more: false };
    current = next;
    page += 1;
  }
  return { rows: current.rows, page, more: current.next !== null };
}

function personRow(
  person: Person,
  tenants: ReadonlyMap<TenantId, Tenant>,
  who: Caller,
  now: Instant,
): { row: Row; line: string; ids: TenantId[] }[] {
  // What is denied or switched off counts for nothing, and is shown all the same: it comes back when that is lifted.
  const grants = liveGrants({ ...person, disabled: false, denies: [], home: person.tid === who.tid }, now);
  const denies = liveDenies(person, now);
  const held = grants.flatMap((grant) => {
    const phrase = grantInWords(grant, tenants);
    return phrase === null ? [] : [`${phrase}: ${whyInWords(grant, now)}`];
  });
  const off = person.disabled ? ['switched off'] : [];
  const words = [...off, ...denies.map((deny) => denyInWords(deny, tenants, now)), ...held];
  // Of somebody of whose tenants none may be named here nothing is said, not even that there is something.
  if (held.length === 0 && grants.length > 0) return [];
  if (words.length === 0) return [];
  const role = grants.map((grant) => grant.role);
  const outside = person.tid === who.tid ? '' : 'not of this organisation · ';
  return [
    {
      row: {
        name: plain(person.name, 80),
        detail: `${outside}${person.address === undefined ? '' : plain(person.address, 80)}`,
        note: `${words.slice(0, 5).join('; ')}.`,
      },
      line: `${clean(person.name, 60)}: ${[...new Set([...off, ...role, ...denies.map(() => 'denied')])].join(', ')}.`,
      ids: [...grants, ...denies].flatMap((one) => namedIds(one, tenants)),
    },
  ];
}
