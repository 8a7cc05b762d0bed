import { expect, test } from '@jest/globals';
import { chooseTenantCard } from '../../bot/cards/choose-tenant.ts';
import { dropNews } from '../../bot/cards/drop.ts';
import { collapsedNews } from '../../bot/cards/drops.ts';
import { rankingCard, rankingLine } from '../../bot/cards/ranking.ts';
import { tenantsCard, tenantsLine } from '../../bot/cards/tenants.ts';
import { nameApart, namesakes } from '../../bot/cards/tenants-apart.ts';
import { watchingCard, watchingLine } from '../../bot/cards/watching.ts';
import type { CardData } from '../../bot/services.ts';
import { defaultThreshold } from '../../shared/alerts/threshold.ts';
import { clean } from '../../shared/foreign-text.ts';
import type { Tenant } from '../../shared/tenants/tenant.ts';
import { fallOf, falls } from './fallen.ts';
import { aTenant, contosoPosture, idOf, now, settings } from './samples.ts';

/** Two customers may have one name: a list of tenants says which is which, and only then. */

const retail = aTenant(1, 'Contoso Ltd');
const holding = aTenant(2, 'Contoso  LTD', { domain: 'contoso-holding.example' });
const fabrikam = aTenant(3, 'Fabrikam');
const list = [retail, holding, fabrikam];
const fallen = falls();

test.each([
  { what: 'nobody shares', names: ['Contoso', 'Fabrikam'], shared: [] },
  { what: 'case and blanks', names: ['Contoso Ltd', ' CONTOSO\u00a0 ltd'], shared: [1, 2] },
  { what: 'a sign nobody sees', names: ['Con\u200btoso', 'Contoso', 'Other'], shared: [1, 2] },
  { what: 'an accent written in two ways', names: ['Caf\u00e9', 'Cafe\u0301'], shared: [1, 2] },
  { what: 'one is only the beginning', names: ['Contoso', 'Contoso Retail'], shared: [] },
  { what: 'three of one name', names: ['A', 'a', 'A ', 'B'], shared: [1, 2, 3] },
])('$what: $shared share a name', ({ names, shared }) => {
  const found = namesakes(names.map((name, n) => aTenant(n + 1, name)));
  expect([...found].sort()).toEqual(shared.map(idOf));
});

test('a name that is shared brings its domain, any other stands alone', () => {
  const shared = namesakes(list);
  expect(list.map((tenant) => nameApart(tenant, shared, clean, 60))).toEqual([
    'Contoso Ltd (contoso.com)',
    'Contoso LTD (contoso-holding.example)',
    'Fabrikam',
  ]);
});

/** The card as somebody reads it: without the sign that keeps a domain from becoming a link. */
function read(card: CardData): string {
  return JSON.stringify(card).replaceAll('\u2060', '');
}
const watched = {
  except: [],
  here: 'channel' as const,
  all: false,
  by: 'Ana Reyes',
  since: now,
  broken: [],
  now,
  settings,
};
const pages = { page: 1, pages: 1, now, settings };

const lists: { what: string; card: (tenants: Tenant[]) => CardData; line?: (tenants: Tenant[]) => string }[] =
  [
    {
      what: 'the ranking',
      card: (tenants) => rankingCard({ rows: ranked(tenants), ...pages, count: tenants.length, every: true }),
      line: (tenants) => rankingLine(ranked(tenants), now),
    },
    {
      what: 'what is watched',
      card: (tenants) => watchingCard({ ...watched, rows: watchedRows(tenants) }),
      line: (tenants) => watchingLine({ ...watched, rows: watchedRows(tenants) }),
    },
    {
      what: 'many falls',
      card: (tenants) => collapsedOf(tenants).card,
      line: (tenants) => collapsedOf(tenants).text.replaceAll('\u2060', ''),
    },
  ];

test.each(lists)(
  '$what: the domain stands beside a name that is not one tenant’s alone',
  ({ card, line }) => {
    const shown = read(card(list));
    expect(shown).toMatch(/"contoso\.com · /);
    expect(shown).toMatch(/"contoso-holding\.example · /);
    expect(shown).not.toContain('fabrikam.com');
    expect(line?.(list)).toContain('Contoso Ltd (contoso.com)');
    expect(line?.(list)).toContain('Contoso LTD (contoso-holding.example)');
    // The others are not told apart from anybody.
    const different = [retail, fabrikam];
    expect(read(card(different))).not.toMatch(/contoso\.com|fabrikam\.com/);
    expect(line?.(different)).not.toContain('.com');
  },
);

test('in the lists that always show the domain, a button and the words for screen readers say it too', () => {
  const choose = read(chooseTenantCard('sync', 'contoso', list));
  const tenants = read(tenantsCard({ rows: list, ...pages, count: 3 }));
  for (const [card, verb] of [
    [choose, 'Sync'],
    [tenants, 'Show'],
  ]) {
    expect(card).toContain(`"${verb} Contoso Ltd (contoso.com)"`);
    expect(card).toContain(`"${verb} Contoso LTD (contoso-holding.example)"`);
    expect(card).toContain(`"${verb} Fabrikam"`);
  }
  expect(JSON.parse(choose)).toMatchObject({
    fallbackText: 'Which one? Contoso Ltd (contoso.com), Contoso LTD (contoso-holding.example), Fabrikam',
  });
  expect(tenantsLine(list)).toBe(
    'Contoso Ltd (contoso.com): Connected. Contoso LTD (contoso-holding.example): Connected. Fabrikam: Connected.',
  );
});

test('the card of one fall always says the domain: whoever reads it has no list beside', () => {
  for (const tenant of list) {
    const { card } = dropNews({
      tenant,
      ...fallOf(fallen.opened, tenant.id),
      now,
      settings,
      maybeRepeated: false,
      mayAcknowledge: true,
    });
    expect(read(card)).toContain(`"text":"${tenant.domain}"`);
  }
});

function ranked(tenants: Tenant[]) {
  return tenants.map((tenant) => ({ tenant, posture: contosoPosture(tenant.id) }));
}
function watchedRows(tenants: Tenant[]) {
  return tenants.map((tenant) => ({ tenant, threshold: defaultThreshold }));
}
function collapsedOf(tenants: Tenant[]) {
  const rows = tenants.map((tenant) => ({
    tenant,
    transition: fallOf(fallen.opened, tenant.id).transition,
  }));
  return collapsedNews({ rows, now, settings, maybeRepeated: false });
}
