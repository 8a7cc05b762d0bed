import { type Caller, scopeFor } from '../../shared/access.ts';
import type { AuditLine } from '../../shared/api-audit.ts';
import { clean } from '../../shared/foreign-text.ts';
import { tenantId } from '../../shared/tenants/tenant.ts';
import type { AuditRow, Services } from '../services.ts';
import { tabOf } from './tenants.ts';

const guid = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';
const personKey = new RegExp(`${guid}/${guid}`, 'g');

/** Names for the ids of entries, each looked up once; of tenants only those this person may see. */
export async function openNames(
  who: Caller,
  services: Services,
): Promise<{
  person(key: string): Promise<string | null>;
  tenant(id: string): string | null;
  inText(text: string): Promise<string>;
}> {
  const { store } = services;
  const scope = scopeFor(who, tabOf(who), 'view', services.now());
  const tenants = new Map((await store.tenants.list(scope)).map(({ id, name }) => [String(id), name]));
  const people = new Map<string, Promise<string | null>>();

  async function look(key: string): Promise<string | null> {
    const [tid, oid, more] = key.split('/');
    const id = tenantId(tid ?? '');
    if (id === undefined || oid === undefined || more !== undefined) return null;
    const name = (await store.people.get(id, oid))?.name ?? '';
    return name === '' ? null : clean(name, 120);
  }
  function person(key: string): Promise<string | null> {
    let known = people.get(key);
    if (known === undefined) {
      known = look(key);
      people.set(key, known);
    }
    return known;
  }
  return {
    person,
    tenant: (id) => tenants.get(id) ?? null,
    /** "Operator of all tenants to Eli Novak": ids of people and tenants give way to their names. */
    async inText(text) {
      const keys = new Set(text.match(personKey) ?? []);
      let said = text;
      for (const key of keys) said = said.replaceAll(key, (await person(key)) ?? key);
      return said.replace(new RegExp(guid, 'g'), (id) => tenants.get(id) ?? id);
    },
  };
}
export type Names = Awaited<ReturnType<typeof openNames>>;

/** A stored entry as the page shows it. */
export async function lineOf(row: AuditRow, names: Names): Promise<AuditLine> {
  const { id, seq, at, who, what, target, tenant, result, detail, request } = row;
  return {
    ...{ id, seq: seq ?? null, at },
    who: { key: who, name: await names.person(who) },
    what,
    target: target === undefined ? null : await names.inText(target),
    tenant: tenant === undefined ? null : { id: tenant, name: names.tenant(tenant) },
    where: placeOf(row.where),
    result,
    detail: detail === undefined ? null : await names.inText(detail),
    request: request ?? null,
  };
}

function placeOf(where: string | undefined): AuditLine['where'] {
  if (where === undefined) return null;
  return where === 'tab' || where === 'command line' ? where : 'chat';
}
