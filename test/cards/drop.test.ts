import { expect, test } from '@jest/globals';
import { type DropNews, dropNews, dropNote } from '../../bot/cards/drop.ts';
import { collapsedNews } from '../../bot/cards/drops.ts';
import { acknowledgedObject, acknowledgeObject } from '../../bot/cards/finding.ts';
import { mostRows } from '../../bot/cards/many.ts';
import type { CardData } from '../../bot/services.ts';
import { reopened, resolved } from '../../shared/alerts/tell.ts';
import { acknowledged, type Fall, fallAlong, fallOf, falls } from './fallen.ts';
import { aTenant, idOf, now, settings } from './samples.ts';

/** What the card of a fall says, in which state, and what it offers. */

const contoso = aTenant(1, 'Contoso Ltd');
const fallen = falls();

function newsOf(fall: Fall, change: Partial<DropNews> = {}): DropNews {
  const rest = { now, settings, maybeRepeated: false, mayAcknowledge: true };
  return { tenant: contoso, ...fall, ...rest, ...change };
}

type Shown = { band: string; texts: string[]; buttons: string[] };

function shownBy(card: CardData): Shown {
  const texts: string[] = [];
  const walk = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    if ('type' in node && node.type === 'TextBlock' && 'text' in node) texts.push(String(node.text));
    for (const value of Object.values(node)) walk(value);
  };
  walk(card.body);
  const [band] = card.body as { style?: string }[];
  const buttons = (card.actions as { title: string }[]).map(({ title }) => title);
  return { band: band?.style ?? '', texts, buttons };
}

const both = ['Acknowledge', 'Open in Watchpost'];

test.each<{ what: string; news: DropNews; band: string; title: string; detail: string; buttons: string[] }>([
  {
    what: 'fell',
    news: newsOf(fallen.opened),
    band: 'attention',
    title: 'Contoso Ltd fell to 62.4\u202f%',
    detail: '−16 points (−3.1 %-points) since 19\u00a0Nov, was 65.5\u202f%',
    buttons: both,
  },
  {
    what: 'fell while Microsoft moved the maximum',
    news: newsOf(fallen.aside),
    band: 'attention',
    title: 'Contoso Ltd fell to 61.2\u202f%',
    detail: '−16 points (−3.1 %-points) since 19\u00a0Nov, −1.2 %-points by Microsoft, was 65.5\u202f%',
    buttons: both,
  },
  {
    what: 'fell further',
    news: newsOf(fallen.worsened),
    band: 'attention',
    title: 'Contoso Ltd fell further, to 62.4\u202f%',
    detail: '−10 points more, −16 in all (−3.1 %-points) since 19\u00a0Nov, was 65.5\u202f%',
    buttons: both,
  },
  {
    what: 'fell again',
    news: newsOf(fallen.reopened),
    band: 'attention',
    title: 'Contoso Ltd fell again, to 62.4\u202f%',
    detail: '−16 points (−3.1 %-points) since 21\u00a0Nov, was 65.5\u202f%',
    buttons: both,
  },
  {
    what: 'lost points while its score rose',
    news: newsOf(fallAlong([{ scores: { AdminMFAV2: 0 }, max: 480 }])),
    band: 'attention',
    title: 'Contoso Ltd lost 10 points',
    detail: '−10 points (−2.0 %-points) since 19\u00a0Nov, score 67.5\u202f%',
    buttons: both,
  },
  {
    what: 'lost points while nothing can be reached any more',
    news: newsOf(fallAlong([{ scores: { AdminMFAV2: 0 }, max: 0 }])),
    band: 'attention',
    title: 'Contoso Ltd lost 10 points',
    detail: '−10 points (−2.0 %-points) since 19\u00a0Nov',
    buttons: both,
  },
  {
    what: 'acknowledged',
    news: newsOf(acknowledged(fallen.opened)),
    band: 'warning',
    title: 'Contoso Ltd fell to 62.4\u202f%',
    detail: '−16 points (−3.1 %-points) since 19\u00a0Nov, was 65.5\u202f%',
    buttons: ['Open in Watchpost'],
  },
  {
    what: 'fell further after it was acknowledged: red again, and it can be taken on',
    news: newsOf(acknowledged(fallen.worsened)),
    band: 'attention',
    title: 'Contoso Ltd fell further, to 62.4\u202f%',
    detail: '−10 points more, −16 in all (−3.1 %-points) since 19\u00a0Nov, was 65.5\u202f%',
    buttons: both,
  },
  {
    what: 'recovered',
    news: newsOf(fallen.resolved),
    band: 'good',
    title: 'Contoso Ltd recovered',
    detail: 'Everything that was lost is back. Its score is 65.5\u202f%.',
    buttons: ['Open in Watchpost'],
  },
  {
    what: 'nobody may acknowledge there',
    news: newsOf(fallen.opened, { mayAcknowledge: false }),
    band: 'attention',
    title: 'Contoso Ltd fell to 62.4\u202f%',
    detail: '−16 points (−3.1 %-points) since 19\u00a0Nov, was 65.5\u202f%',
    buttons: ['Open in Watchpost'],
  },
])('$what: $title', ({ news, band, title, detail, buttons }) => {
  const shown = shownBy(dropNews(news).card);
  expect(shown.band).toBe(band);
  expect(shown.texts.slice(0, 2)).toEqual([title, detail]);
  expect(shown.buttons).toEqual(buttons);
});

test('the reasons add up to the loss, also where the card is cut', () => {
  for (const fall of [fallen.opened, fallen.worsened, fallen.many]) {
    const { texts } = shownBy(dropNews(newsOf(fall)).card);
    const points = texts.flatMap((text) => /^−([0-9.]+)$/.exec(text)?.[1] ?? []);
    const more = texts.flatMap(
      (text) => /^and 5 more controls with −([0-9.]+) points$/.exec(text)?.[1] ?? [],
    );
    const sum = [...points, ...more].reduce((all, one) => all + Number(one), 0);
    expect(sum).toBeCloseTo(fall.transition.facts.points);
    expect(points.length).toBeLessThanOrEqual(8);
    expect(more).toHaveLength(fall === fallen.many ? 1 : 0);
  }
});

test('what does not count is told apart, and in what was gained there is no comfort', () => {
  const { texts } = shownBy(dropNews(newsOf(fallen.aside, { maybeRepeated: true })).card);
  expect(texts).toContain('Microsoft moved the maximum by +10; that is not counted.');
  expect(texts).toContain('Licences or users changed: −5 licensed users; that is not counted.');
  expect(texts.at(-1)).toBe('This may have reached you before.');
  const gained = fallAlong([{ scores: { AdminMFAV2: 0, Rule0: 5 } }]);
  expect(shownBy(dropNews(newsOf(gained)).card).texts).toContain(
    'Other controls gained 2 points; that does not make up for what was lost.',
  );
});

test('text and note say it without a card', () => {
  const { text } = dropNews(newsOf(acknowledged(fallen.worsened), { maybeRepeated: true }));
  expect(text).toBe(
    'Contoso Ltd lost a further 10\u00a0points: now 16\u00a0points (3.1\u00a0%-points) since 19 Nov. Its score fell from 65.5\u202f% to 62.4\u202f%. ' +
      'Why: MFA for all administrators −10.0, Self-service password reset −6.0. First: MFA for all administrators (10\u00a0points). ' +
      'Acknowledged by Ana Reyes on 20 Nov, 09:14 UTC, before it fell further. This may have reached you before.',
  );
  expect(dropNote(newsOf(acknowledged(fallen.worsened)))).toBe(
    'Contoso Ltd lost a further 10\u00a0points: now 16\u00a0points (3.1\u00a0%-points) since 19 Nov. Its score fell from 65.5\u202f% to 62.4\u202f%. ' +
      'Acknowledged by Ana Reyes on 20 Nov, 09:14 UTC, before it fell further.',
  );
  expect(dropNote(newsOf(fallen.resolved, { maybeRepeated: true }))).toBe(
    'Contoso Ltd recovered: everything that was lost is back. Its score is 65.5\u202f%. This may have reached you before.',
  );
});

test('a card that is over keeps what it was: how much, since when, and who had taken it on', () => {
  const { finding } = acknowledged(fallen.opened);
  const was = { points: finding.facts.points, percent: finding.facts.percent, since: finding.facts.since };
  expect(fallen.resolved.transition.facts.was).toEqual(was);
  const over = resolved(finding, { facts: fallen.resolved.transition.facts, at: now, why: '' });
  const shown = shownBy(dropNews(newsOf({ ...fallen.resolved, finding: over })).card);
  expect(shown.texts).toContain('It had lost 16\u00a0points (3.1\u00a0%-points) since 19 Nov.');
  expect(shown.texts).toContain('Acknowledged by Ana Reyes on 20 Nov, 09:14 UTC.');
  const unseen = shownBy(dropNews(newsOf(fallen.resolved)).card);
  expect(unseen.texts.join(' ')).not.toContain('Acknowledged');
});

test('what happened to a later fall is not told of this one, and a card that is behind offers nothing', () => {
  const { finding } = fallen.opened;
  const news = { facts: finding.facts, severity: finding.severity, at: now, why: '' };
  const over = resolved(finding, news);
  const again = acknowledged({ ...fallen.opened, finding: reopened(over, news) }).finding;
  for (const later of [over, again, { ...finding, id: 'another' }]) {
    const shown = shownBy(dropNews(newsOf({ ...fallen.opened, finding: later })).card);
    expect(shown.buttons).toEqual(['Open in Watchpost']);
    expect(shown.texts.join(' ')).not.toContain('Acknowledged');
  }
});

test.each([
  { object: acknowledgeObject({ id: 'a.b:c', generation: 12 }), is: { id: 'a.b:c', generation: 12 } },
  { object: undefined, is: null },
  { object: '', is: null },
  { object: '0.x', is: null },
  { object: '-1.x', is: null },
  { object: '1.', is: null },
  { object: '9999999999.x', is: null },
  { object: `1.${'x'.repeat(501)}`, is: null },
])('the object of Acknowledge “$object” is $is', ({ object, is }) => {
  expect(acknowledgedObject(object)).toEqual(is);
});

test('many falls on one card: worst first, what is over last, each tenant once', () => {
  const tenants = ['Adatum', 'Bellows', 'Contoso', 'Datum'].map((name, n) => aTenant(n + 1, name));
  const kinds = [fallen.resolved, fallen.opened, fallen.many, fallen.worsened];
  const rows = tenants.map((tenant, n) => ({
    tenant,
    transition: fallOf(kinds[n] ?? fallen.opened, tenant.id).transition,
  }));
  const { card, text } = collapsedNews({ rows, now, settings, maybeRepeated: false });
  const { band, texts } = shownBy(card);
  expect(band).toBe('attention');
  expect(texts[0]).toBe('2 tenants lost points, 1 lost more and 1 recovered');
  const names = texts.filter((one) => tenants.some(({ name }) => name === one));
  expect(names).toEqual(['Contoso', 'Bellows', 'Datum', 'Adatum']);
  expect(texts).toContain('Critical · 13 controls regressed · score\u00a053.7\u202f%');
  expect(text).toMatch(
    /^2 tenants lost points, 1 lost more and 1 recovered\. Contoso fell 11\.8\s.* And 1 more tenant\.$/,
  );
});

test('a card of many falls holds thirty and refuses to lose one', () => {
  const rows = Array.from({ length: mostRows + 1 }, (_, n) => ({
    tenant: aTenant(n + 1, `Customer ${n}`),
    transition: fallOf(fallen.opened, idOf(n + 1)).transition,
  }));
  const { texts } = shownBy(collapsedNews({ rows: rows.slice(1), now, settings, maybeRepeated: false }).card);
  expect(texts.filter((text) => /^Customer/.test(text))).toHaveLength(mostRows);
  expect(() => collapsedNews({ rows, now, settings, maybeRepeated: false })).toThrow('room for 30');
});
