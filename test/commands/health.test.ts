import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { cardActions } from '../../bot/commands/index.ts';
import type { CardData } from '../../bot/services.ts';
import { scopeOfSystem } from '../../shared/access.ts';
import type { Tenant } from '../../shared/tenants/tenant.ts';
import { aTenant } from '../cards/samples.ts';
import {
  aGrant,
  customer,
  internal,
  nobody,
  openRig,
  personal,
  type Rig,
  reader,
  someone,
  unbound,
} from './rig.ts';

/** `health`: what needs somebody first; one tenant with each thing that is read. Only of tenants this person may see. */

const since = '2026-11-18T08:00:00.000Z';
const read = aTenant(1, 'x').datasets;
const tenants: Tenant[] = [
  aTenant(1, 'Adventure Works'),
  aTenant(2, 'Contoso'),
  aTenant(3, 'Fabrikam', {
    health: {
      ...{ state: 'connected', since, cause: '', remedy: '' },
      failing: { times: 2, since, cause: 'Microsoft did not answer in time.' },
    },
  }),
  aTenant(4, 'Northwind', {
    health: { state: 'service-error', since, cause: 'Microsoft did not answer.', remedy: '' },
  }),
  aTenant(5, 'Woodgrove *Bank*', {
    health: {
      ...{ state: 'permission-error', since, cause: 'Consent was withdrawn.' },
      remedy: 'Ask an administrator to consent again.',
    },
    datasets: {
      ...read,
      secureScores: {
        ...{ state: 'permission-missing', triedAt: since, readAt: since },
        ...{ why: 'The permission is missing.', permission: 'SecurityEvents.Read.All' },
      },
      groups: { state: 'not-granted', triedAt: since, permission: 'Group.Read.All' },
    },
  }),
];
const [, contoso, , , woodgrove] = tenants as [Tenant, Tenant, Tenant, Tenant, Tenant];
const few = someone(1, [aGrant('Reader', [contoso.id, woodgrove.id])]);

let rig: Rig;
beforeAll(async () => {
  rig = await openRig();
  for (const tenant of tenants) await rig.services.store.tenants.save(scopeOfSystem(), tenant);
});
afterAll(async () => {
  rig.stop.abort();
  await rig.close();
});

function wordsOf(card: CardData | undefined): string[] {
  return [...JSON.stringify(card ?? {}).matchAll(/"text":"((?:[^"\\]|\\.)*)"/g)].map(([, text = '']) => text);
}

test('all tenants: what cannot be read first, then what failed, then the rest by name', async () => {
  const { card, tenants: about } = await rig.say('health', reader, internal);
  const words = wordsOf(card);
  expect(words[0]).toBe('2 of 5 tenants cannot be read');
  const names = tenants.map(({ name }) => name.replaceAll('*', '\\\\*'));
  expect(words.filter((text) => names.includes(text))).toEqual([
    'Woodgrove \\\\*Bank\\\\*',
    ...['Northwind', 'Fabrikam', 'Adventure Works', 'Contoso'],
  ]);
  expect(words.join(' ')).toContain(': Microsoft did not answer in time. It is tried again by itself.');
  expect(about).toHaveLength(5);
});

test('who may see some is told of those, and counts those', async () => {
  const { card, tenants: about } = await rig.say('health', few, personal(few));
  expect(wordsOf(card)[0]).toBe('1 of 2 tenants cannot be read');
  expect(about.toSorted()).toEqual([contoso.id, woodgrove.id].toSorted());
});

test('one tenant: why, what to do, and each thing that is read; what was never granted once, below', async () => {
  const { card, text, tenants: about } = await rig.say('health woodgrove', reader, internal);
  const words = wordsOf(card);
  expect(words[0]).toBe('Woodgrove \\\\*Bank\\\\*: Permission Error since 18 Nov');
  expect(words.join('\n')).toContain('Consent was withdrawn. Ask an administrator to consent again.');
  expect(words).toContain('Permission missing');
  expect(words).toContain('The permission is missing. SecurityEvents.Read.All');
  expect(words).toContain('Not granted: groups.');
  expect(text).toContain('Permission Error since 18 Nov.');
  expect(about).toEqual([woodgrove.id]);
});

test('one that this person may not see, or this place may not show, is one that does not exist', async () => {
  const answers = await Promise.all([
    rig.say('health fabrikam', few, personal(few)),
    rig.say('health fabrikam', reader, customer(contoso.id)),
  ]);
  for (const { text, tenants: about } of answers) {
    expect(text).toContain('No tenant called "fabrikam" is available here.');
    expect(about).not.toContain(tenants[2]?.id);
  }
  expect((await rig.say('health', reader, unbound)).tenants).toEqual([]);
});

test('a click shows the same, by the rights of today', async () => {
  const press = async (who: typeof reader) =>
    await cardActions.health?.run({ verb: 'health', tenant: woodgrove.id }, {}, who, internal, rig.services);
  expect((await press(reader))?.tenants).toEqual([woodgrove.id]);
  expect((await press(nobody))?.tenants).toEqual([]);
  const page = await cardActions['health-of-all']?.run(
    { verb: 'health-of-all', object: '1' },
    {},
    reader,
    internal,
    rig.services,
  );
  expect(wordsOf(page?.card)[0]).toBe('2 of 5 tenants cannot be read');
});
