import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { openStaticFiles } from '../../bot/server/static-files.ts';
import { project } from './real.ts';

/** The pages anybody may read about Watchpost: what the app store and a careful administrator open first. */

const folder = join(project, 'tab/public');
const files = openStaticFiles(folder);
const pages = readdirSync(folder).filter((name) => name.endsWith('.html'));

test('there are three, each with a title of its own', () => {
  expect(pages.sort()).toEqual(['about.html', 'privacy.html', 'terms.html']);
  const titles = pages.map((name) => /<title>([^<]+)</.exec(source(name))?.[1]);
  expect(new Set(titles).size).toBe(3);
});

test.each(pages.map((name) => ({ name })))(
  '$name is served and needs nothing that the policy forbids',
  async ({ name }) => {
    const answer = await files.find(`/${name}`, {});
    expect(answer?.status).toBe(200);
    expect(answer?.headers['Content-Type']).toBe('text/html; charset=utf-8');
    expect(source(name)).not.toMatch(/<script|<style|style="|\son\w+="|https?:/);
    expect(source(name)).toMatch(/<html lang="en">/);
    const links = [...source(name).matchAll(/href="\/tab([^"]+)"/g)].map(([, path]) => path ?? '');
    expect(links.length).toBeGreaterThan(3);
    for (const link of links) expect((await files.find(link, {}))?.status).toBe(200);
  },
);

function source(name: string): string {
  return readFileSync(join(folder, name), 'utf8');
}
