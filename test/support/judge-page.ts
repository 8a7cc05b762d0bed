import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Frame } from 'playwright-core';

const require = createRequire(import.meta.url);
const axe = readFileSync(
  createRequire(require.resolve('@axe-core/playwright')).resolve('axe-core/axe.min.js'),
  'utf8',
);

/**
 * What axe finds wrong in the tab's own frame, as rule and element. Run inside it: asked through the host, axe counts a
 * frame that answers late as one without faults. Fluent's focus sentinels are hidden and focusable on purpose.
 */
export async function axeOf(tab: Frame): Promise<{ wrong: string[]; right: number }> {
  await tab.evaluate(axe);
  return await tab.evaluate(async () => {
    const { axe } = window as unknown as {
      axe: {
        run(
          context: object,
        ): Promise<Record<'violations' | 'passes', { id: string; nodes: { html: string }[] }[]>>;
      };
    };
    const { violations, passes } = await axe.run({ include: ['body'], exclude: ['[data-tabster-dummy]'] });
    return { wrong: violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`), right: passes.length };
  });
}

/** Elements that stick out of the window, and the page when it can be scrolled sideways. */
export async function overflowOf(tab: Frame): Promise<string[]> {
  return await tab.evaluate(() => {
    const width = document.documentElement.clientWidth;
    const found = document.documentElement.scrollWidth > width ? ['the page'] : [];
    for (const element of document.querySelectorAll('main *')) {
      const box = element.getBoundingClientRect();
      // A strip of chips scrolls inside itself; what only screen readers see is out of the way on purpose.
      if (element.closest('.chips, .sr, thead') !== null || box.width === 0) continue;
      if (box.right > width + 1) found.push(`${element.tagName}.${element.getAttribute('class')}`);
    }
    return found;
  });
}
