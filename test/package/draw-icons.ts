import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { openBrowser } from '../support/browser.ts';

/** `node test/package/draw-icons.ts`: the PNGs of the app package from their SVG sources, to be looked at and committed. */

const folder = new URL('../../appPackage/', import.meta.url);
const icons = [
  { name: 'color', size: 192 },
  { name: 'outline', size: 32 },
] as const;

const browser = await openBrowser();
if (browser === null) throw new Error('No browser on this machine: the icons cannot be drawn.');
try {
  for (const { name, size } of icons) {
    const page = await browser.newPage({ viewport: { width: size, height: size } });
    const svg = await readFile(new URL(`${name}.svg`, folder), 'utf8');
    await page.setContent(`<style>body { margin: 0 } svg { display: block }</style>${svg}`);
    const target = new URL(`${name}.png`, folder);
    await writeFile(target, await page.screenshot({ omitBackground: true }));
    console.log(fileURLToPath(target));
    await page.close();
  }
} finally {
  await browser.close();
}
