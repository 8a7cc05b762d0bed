import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openRequireUser } from '../../bot/api/require-user.ts';
import { demoHome, demoPeople, demoTabAppId } from '../../bot/cast.ts';
import { silentLog } from '../../bot/log.ts';
import { actions, may, scopeFor } from '../../shared/access.ts';
import { idOf } from '../cards/samples.ts';
import { count, seed, seeded } from '../support/counts.ts';
import { openTestStore } from '../support/store.ts';
import { issuer, openTestEntra } from '../tab/tab-tokens.ts';

/** R12: who somebody is comes from `tid` and `oid`; whatever else a token says about a person changes no decision. */

const display = ['name', 'preferred_username', 'email', 'upn', 'unique_name', 'given_name', 'family_name'];
const tenants = [idOf(1), idOf(2)];
const known = [
  { scope: 'all' as const, role: 'Admin' as const },
  { scope: [idOf(1)], role: 'Operator' as const },
];

let opened: Awaited<ReturnType<typeof openTestStore>>;
const entra = openTestEntra();
beforeAll(async () => {
  opened = await openTestStore();
  for (const [at, grant] of known.entries()) {
    const { oid = '', name = '', address } = demoPeople[at] ?? {};
    await opened.store.people.seen({ tid: demoHome.id, oid, name, address });
    await opened.store.people.addGrant(demoHome.id, oid, name, {
      ...{ id: String(at), source: 'chat', by: 'x', at: opened.store.now(), ...grant },
    });
  }
});
afterAll(() => opened.close());

test('permuting name, email and upn among people changes no decision', async () => {
  const { store } = opened;
  const requireUser = openRequireUser({
    services: { store, entraKeys: entra.keys, log: silentLog(), now: () => store.now() },
    ...{ audience: demoTabAppId, homeTenantId: demoHome.id, issuer },
  });
  const random = seeded(seed + 12);
  const words = demoPeople.flatMap(({ name, address, oid }) => [name, address, oid, `${address}.evil`, '']);
  const one = (): string => words[Math.floor(random() * words.length)] ?? '';
  /** All that is decided about a person who comes with these claims. */
  async function decided(person: number, claims: Record<string, unknown>): Promise<string> {
    const oid = demoPeople[person]?.oid;
    const token = await entra.token({ oid, name: undefined, preferred_username: undefined, ...claims });
    const answer = await requireUser(`Bearer ${token}`);
    if (answer.kind === 'refused') return `refused ${answer.status}`;
    const { who } = answer;
    const now = store.now();
    const rights = actions.flatMap((action) => tenants.map((tenant) => may(who, action, tenant, now)));
    const scope = scopeFor(who, { kind: 'personal', oid: who.oid, tid: who.tid }, 'view', now);
    return JSON.stringify([who.tid, who.oid, who.home, rights, scope.all, [...scope.ids]]);
  }
  const plain = await Promise.all([0, 1, 2].map((person) => decided(person, {})));
  // Otherwise the sentence below would hold for a check that decides nothing.
  expect(new Set(plain).size).toBe(3);
  const cases = count(60, 10_000);
  const different: string[] = [];
  for (let at = 0; at < cases; at += 1) {
    const person = at % 3;
    const claims = Object.fromEntries(display.filter(() => random() < 0.6).map((claim) => [claim, one()]));
    if ((await decided(person, claims)) !== plain[person])
      different.push(`${person} ${JSON.stringify(claims)}`);
  }
  console.log(`seed ${seed}: ${cases} tokens`);
  expect(different).toEqual([]);
  // Nor can anybody be found by what only a token said.
  for (const { oid, address } of demoPeople.slice(0, 2)) {
    const found = await store.people.byAddress(demoHome.id, address);
    expect(found.map((person) => person.oid)).toEqual([oid]);
  }
}, 300_000);
