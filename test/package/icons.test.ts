import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { type Picture, readPng } from '../../bot/cli/package-png.ts';
import { browserExpected, openBrowser } from '../support/browser.ts';
import { appPackage } from './real.ts';

/** The icons in the package are the drawings beside them, and stay clear where Teams shows them small. */

let browser: Browser | null = null;
beforeAll(async () => {
  if (browserExpected) browser = await openBrowser();
}, 90_000);
afterAll(async () => await browser?.close());

const icons = [
  { name: 'color', size: 192 },
  { name: 'outline', size: 32 },
] as const;

test.each(icons)('$name.png is what $name.svg draws', async ({ name, size }) => {
  if (browser === null) return expect(browserExpected).toBe(false);
  const page = await browser.newPage({ viewport: { width: size, height: size } });
  const svg = readFileSync(join(appPackage, `${name}.svg`), 'utf8');
  await page.setContent(`<style>body { margin: 0 } svg { display: block }</style>${svg}`);
  const drawn = picture(await page.screenshot({ omitBackground: true }));
  await page.close();
  const kept = picture(readFileSync(join(appPackage, `${name}.png`)));
  // Another browser smooths edges a little differently.
  expect(difference(drawn, kept)).toBeLessThan(0.01);
});

test('the colour icon keeps its drawing within the middle 120 of 192 pixels', () => {
  const { pixels, width, height } = picture(readFileSync(join(appPackage, 'color.png')));
  const ground = pixels.subarray(0, 3).join();
  const outside: string[] = [];
  for (let y = 0; y < height; y += 1)
    for (let x = 0; x < width; x += 1) {
      const inside = x >= 36 && x < 156 && y >= 36 && y < 156;
      const at = (y * width + x) * 4;
      if (!inside && pixels.subarray(at, at + 3).join() !== ground) outside.push(`${x},${y}`);
    }
  expect(outside).toEqual([]);
});

test('the reader of PNG files agrees with the browser, pixel by pixel', async () => {
  if (browser === null) return expect(browserExpected).toBe(false);
  const page = await browser.newPage();
  for (const { name, size } of icons) {
    const bytes = readFileSync(join(appPackage, `${name}.png`));
    const seen = await page.evaluate(
      async ({ url, size }) => {
        const image = new Image();
        image.src = url;
        await image.decode();
        const canvas = new OffscreenCanvas(size, size);
        const context = canvas.getContext('2d');
        context?.drawImage(image, 0, 0);
        return [...(context?.getImageData(0, 0, size, size).data ?? [])];
      },
      { url: `data:image/png;base64,${bytes.toString('base64')}`, size },
    );
    const { pixels } = picture(bytes);
    expect(seen).toHaveLength(pixels.length);
    // Half-transparent colours lose a little in the browser's canvas; opaque ones are exact.
    expect(seen.filter((value, at) => Math.abs(value - (pixels[at] ?? 0)) > 2)).toEqual([]);
  }
  await page.close();
});

function picture(bytes: Uint8Array): Picture {
  const read = readPng(bytes);
  if (typeof read === 'string') throw new Error(`the picture ${read}`);
  return read;
}

/** Mean difference of all channels, 0 to 1. */
function difference(a: Picture, b: Picture): number {
  if (a.pixels.length !== b.pixels.length) return 1;
  let sum = 0;
  for (let at = 0; at < a.pixels.length; at += 1) sum += Math.abs((a.pixels[at] ?? 0) - (b.pixels[at] ?? 0));
  return sum / (a.pixels.length * 255);
}
