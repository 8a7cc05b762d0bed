import { expect, test } from '@jest/globals';
import { compareRanks, type Rank, rate, type Standing } from '../../../shared/score/worst-first.ts';
import type { HealthState, Tenant } from '../../../shared/tenants/tenant.ts';
import { plus } from '../../../shared/time.ts';
import { aTenant } from '../../cards/samples.ts';

const now = '2026-11-20T12:00:00.000Z';
const hour = 3_600_000;
const staleAfterMs = 24 * hour;

/** "Contoso −3.1 permission-error 50h": name, change (? = not known, absent = never read), health, hours since read. */
function listed(text: string, n: number): { tenant: Tenant; standing: Standing | undefined } {
  const [name = '', change, ...rest] = text.split(' ');
  const hours = Number(rest.find((word) => /^\d+h$/.test(word))?.slice(0, -1) ?? 2);
  const state = (rest.find((word) => !/^\d+h$/.test(word)) ?? 'connected') as HealthState;
  const tenant = aTenant(n, name.replaceAll('_', ' '), {
    health: { state, since: now, cause: '', remedy: '' },
    datasets: {},
  });
  if (change === undefined || change === 'never') return { tenant, standing: undefined };
  const known = change === '?' ? null : Number(change);
  return { tenant, standing: { change: known, readAt: plus(now, -hours * hour) } };
}

function ordered(texts: readonly string[], compare: (a: Rank, b: Rank) => number = compareRanks): string[] {
  return texts
    .map((text, n) => {
      const { tenant, standing } = listed(text, n);
      return { text, rank: rate(tenant, standing, now, staleAfterMs).rank };
    })
    .sort((a, b) => compare(a.rank, b.rank))
    .map(({ text }) => text);
}

const tables: { rule: string; order: string[] }[] = [
  { rule: 'the biggest fall first', order: ['B -9', 'C -3.1', 'A -0.1'] },
  { rule: 'then the smallest rise', order: ['Z -1', 'C 0', 'B 0.1', 'A 12'] },
  { rule: 'falls that read alike stand by name', order: ['Adatum -3.14', 'Contoso -3.11', 'Fabrikam -3.1'] },
  { rule: 'what rounds to 0.0 did not fall', order: ['C -0.1', 'A -0.04', 'B 0.04', 'D 0.06'] },
  {
    rule: 'who cannot be read stands behind who fell and before who is well',
    order: ['C -0.1', 'A 5 permission-error', 'B never authentication-error', 'D 0'],
  },
  {
    rule: 'a fall counts though nothing can be read since',
    order: ['B -9 service-error 90h', 'A -3', 'C 1 service-error 90h'],
  },
  { rule: 'what was not read for too long may have fallen unseen', order: ['Z -1', 'B 2 25h', 'A 0 24h'] },
  {
    rule: 'whose change is not known stands last: one day only, or never read',
    order: ['Z -1', 'Y 0 permission-error', 'X 3', 'A ?', 'B never waiting', 'C ?'],
  },
  { rule: 'names without regard to case and blanks', order: ['adatum 0', 'Adatum__B 0', 'ADATUM_c 0'] },
];

test.each(tables)('$rule: $order', ({ order }) => {
  expect(ordered([...order].reverse())).toEqual(order);
  expect(ordered([...order.slice(1), ...order.slice(0, 1)])).toEqual(order);
});

test('tenants of one name stand by their id, so every place in the list is one', () => {
  const ranks = [2, 1].map((n) => rate(aTenant(n, 'Contoso'), undefined, now, staleAfterMs).rank);
  expect(compareRanks(ranks[0] as Rank, ranks[1] as Rank)).toBe(1);
});

test('the table is awake: an order by change alone breaks it', () => {
  const wrong = tables.filter(
    ({ order }) => String(ordered([...order].reverse(), (a, b) => a[1] - b[1])) !== String(order),
  );
  expect(wrong.length).toBeGreaterThan(4);
});
