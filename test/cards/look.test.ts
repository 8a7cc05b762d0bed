import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { browserExpected, keepShot, openBrowser } from '../support/browser.ts';
import { proving } from '../support/counts.ts';
import { gallery } from './gallery.ts';
import { galleryPage, type ThemeName, themeNames } from './host.ts';

/** The cards in a real browser: nothing runs out of a card, however narrow it is and whatever its texts are. */

let browser: Browser | null = null;
beforeAll(async () => {
  browser = browserExpected ? await openBrowser() : null;
}, 120_000);
afterAll(async () => await browser?.close());

type Measured = { name: string; outside: string[]; trendLines: number };

async function measure(
  cards: Record<string, object>,
  width: number,
  theme: ThemeName,
  shot?: string,
): Promise<Measured[]> {
  if (browser === null) throw new Error('This machine has no browser.');
  const page = await browser.newPage({ viewport: { width: width + 40, height: 900 } });
  try {
    await page.setContent(galleryPage(cards, width, theme));
    if (shot !== undefined) await keepShot(page, shot);
    return await page.evaluate(() =>
      [...document.querySelectorAll<HTMLElement>('.card')].map((card) => {
        const edge = card.getBoundingClientRect();
        const outside = [...card.querySelectorAll<HTMLElement>('*')].filter((element) => {
          const box = element.getBoundingClientRect();
          return box.width > 0 && (box.right > edge.right + 0.5 || box.left < edge.left - 0.5);
        });
        const trend = [...card.querySelectorAll<HTMLElement>('span')].find((run) =>
          /^[▁-█·]{5,}$/.test(run.textContent ?? ''),
        );
        const range = document.createRange();
        if (trend !== undefined) range.selectNodeContents(trend);
        return {
          name: card.dataset.name ?? '',
          outside: outside.map((element) => (element.textContent ?? '').slice(0, 60)),
          trendLines:
            trend === undefined
              ? 0
              : new Set([...range.getClientRects()].map((box) => Math.round(box.top))).size,
        };
      }),
    );
  } finally {
    await page.close();
  }
}

const describeLook = browserExpected ? describe : describe.skip;
describeLook('in a browser', () => {
  // The widths differ in what breaks, the themes hardly: each theme at the narrowest, the others in one.
  const all = themeNames.flatMap((theme) => [300, 480, 800].map((width) => ({ theme, width })));
  const looked = all.filter(({ theme, width }) => proving || width === 300 || theme === themeNames[0]);
  test.each(looked)(
    'at $width px, $theme: nothing runs out of a card and the trend is one line',
    async ({ theme, width }) => {
      for (const card of await measure(gallery(), width, theme, `cards-${width}-${theme}`)) {
        expect(card).toEqual({
          name: card.name,
          outside: [],
          trendLines: card.name.match(/^score(Ill)?$/) ? 1 : 0,
        });
      }
    },
    60_000,
  );

  test.each([
    { what: 'one endless word', text: 'Donaudampfschifffahrtsgesellschaft'.repeat(5) },
    { what: 'many words', text: 'A very long name of a company that never ends '.repeat(5) },
    { what: 'Chinese', text: '東京商事株式会社'.repeat(10) },
    { what: 'Arabic', text: 'شركة كونتوسو المحدودة '.repeat(8) },
    { what: 'towers of accents', text: `e${'\u0301'.repeat(40)} `.repeat(20) },
  ])(
    '$what in every field stays inside at 300 px',
    async ({ text }) => {
      for (const card of await measure(
        gallery(() => text),
        300,
        'light',
      )) {
        expect({ name: card.name, outside: card.outside }).toEqual({ name: card.name, outside: [] });
      }
    },
    60_000,
  );

  test('the judge is awake: a card that is wider than its frame is seen', async () => {
    const wide = {
      type: 'AdaptiveCard',
      version: '1.5',
      body: [
        {
          type: 'ColumnSet',
          columns: [{ type: 'Column', width: '900px', items: [{ type: 'TextBlock', text: 'x' }] }],
        },
      ],
    };
    expect((await measure({ wide }, 300, 'light'))[0]?.outside).not.toEqual([]);
  }, 60_000);
});
