import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { unzipSync } from 'fflate';
import * as v from 'valibot';
import { packageFiles, type Variant, zipOf } from '../../bot/cli/package-build.ts';
import { packageProblems } from '../../bot/cli/package-check.ts';
import { readPng } from '../../bot/cli/package-png.ts';
import { packageValues } from '../../bot/cli/package-values.ts';
import { openStaticFiles } from '../../bot/server/static-files.ts';
import { helloIn } from '../../bot/teams/arrivals.ts';
import { parseCommand } from '../../shared/command.ts';
import { gallery } from '../cards/gallery.ts';
import { settings } from '../cards/samples.ts';
import { appPackage, project, real } from './real.ts';
import { nodesOf, shownBy } from './store-cards.ts';

/** What is asserted for a point here, under its number: on the package as it is built, on pages, commands and cards. */

/** Each version that was given out with what it held; a changed manifest gets a new row, never a new value in one. */
const versions = [
  ['1.1.1', '8ceff591b61a577d'],
  ['1.1.2', 'f39db0cc61e443d2'],
  ['1.1.3', '013849fbbc7c4a54'],
] as const;

const manifestShape = v.looseObject({
  manifestVersion: v.string(),
  version: v.string(),
  id: v.string(),
  developer: v.record(v.string(), v.string()),
  name: v.object({ short: v.string(), full: v.string() }),
  description: v.object({ short: v.string(), full: v.string() }),
  bots: v.tuple([
    v.looseObject({
      botId: v.string(),
      commandLists: v.array(
        v.looseObject({
          scopes: v.array(v.string()),
          commands: v.array(v.object({ title: v.string(), description: v.string() })),
        }),
      ),
    }),
  ]),
  staticTabs: v.array(
    v.looseObject({ contentUrl: v.optional(v.string()), context: v.optional(v.array(v.string())) }),
  ),
  configurableTabs: v.array(v.looseObject({ configurationUrl: v.string(), context: v.array(v.string()) })),
  validDomains: v.array(v.string()),
  webApplicationInfo: v.object({ id: v.string(), resource: v.string() }),
});

const files = (variant: Variant = 'standard') =>
  unzipSync(zipOf(packageFiles(appPackage, packageValues(real).values, variant)));
const text = new TextDecoder();
const manifest = v.parse(manifestShape, JSON.parse(text.decode(files()['manifest.json'])));
const cards = Object.entries(gallery());
const pages = ['websiteUrl', 'privacyUrl', 'termsOfUseUrl'].map((name) => manifest.developer[name] ?? '');
const guid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const meeting = /meeting/i;

export const holds: Readonly<Record<number, () => void | Promise<void>>> = {
  async 1() {
    expect(manifest.manifestVersion).toBe('1.30');
    for (const variant of ['standard', 'read-back'] as const)
      expect(await packageProblems(files(variant), variant)).toEqual([]);
  },
  2() {
    expect(text.decode(files()['manifest.json'])).not.toContain('${');
    const ids = [manifest.id, manifest.bots[0].botId, manifest.webApplicationInfo.id];
    for (const id of ids) expect(id).toMatch(guid);
    expect(new Set(ids).size).toBe(3);
    expect(manifest.webApplicationInfo.resource.endsWith(`/${manifest.webApplicationInfo.id}`)).toBe(true);
  },
  3() {
    expect(Object.keys(files())).toEqual(['color.png', 'manifest.json', 'outline.png']);
  },
  4() {
    for (const [name, size] of [
      ['color.png', 192],
      ['outline.png', 32],
    ] as const)
      expect(readPng(files()[name] ?? new Uint8Array())).toMatchObject({ width: size, height: size });
  },
  5() {
    const { name, description } = manifest;
    expect(name.short.length).toBeLessThanOrEqual(30);
    expect(name.full).not.toBe(name.short);
    expect(`${name.short} ${name.full}`).not.toMatch(/\b(teams|microsoft|beta|dev)\b/i);
    expect(description.short).toMatch(/^[^.]+\.$/);
    expect(description.short).not.toMatch(/\bapp\b/i);
    expect(description.full).not.toContain(description.short);
    expect(/(\w+\s+)?Teams\b/.exec(description.full)?.[0]).toBe('Microsoft Teams');
  },
  6() {
    const { full } = manifest.description;
    for (const said of [/administrator/, /licences/, /does not change/, /once a day/])
      expect(full).toMatch(said);
    expect(full).toContain(`Type help in chat, or open ${real.PUBLIC_URL}/tab/about.html.`);
  },
  async 7() {
    const served = openStaticFiles(join(project, 'tab/public'));
    const bodies = await Promise.all(
      pages.map(async (page) => {
        const { protocol, pathname } = new URL(page);
        expect(protocol).toBe('https:');
        const answer = await served.find(pathname.replace(/^\/tab/, ''), {});
        expect({ page, status: answer?.status }).toEqual({ page, status: 200 });
        return readFileSync(join(project, 'tab/public', pathname.replace(/^\/tab\//, '')), 'utf8');
      }),
    );
    expect(new Set(bodies).size).toBe(3);
  },
  8() {
    expect(manifest.validDomains).toEqual([new URL(real.PUBLIC_URL).host]);
    const framed = [
      ...manifest.staticTabs.flatMap((tab) => tab.contentUrl ?? []),
      ...manifest.configurableTabs.map((tab) => tab.configurationUrl),
    ];
    for (const page of framed) expect(manifest.validDomains).toContain(new URL(page).host);
  },
  9() {
    for (const { scopes, commands } of manifest.bots[0].commandLists) {
      const titles = commands.map(({ title }) => title);
      expect(new Set(titles).size).toBe(titles.length);
      expect(titles.filter((title) => title.startsWith('/'))).toEqual([]);
      for (const { description } of commands) expect(description).toMatch(/\S/);
      if (scopes.includes('personal')) expect(titles.length).toBeGreaterThanOrEqual(3);
    }
  },
  10() {
    expect(manifest.authorization).toBeUndefined();
    const { version, ...rest } = v.parse(
      v.looseObject({ version: v.string() }),
      JSON.parse(readFileSync(join(appPackage, 'manifest.json'), 'utf8')),
    );
    const readBack: unknown = JSON.parse(readFileSync(join(appPackage, 'read-back.json'), 'utf8'));
    const digest = createHash('sha256')
      .update(JSON.stringify([rest, readBack]))
      .digest('hex')
      .slice(0, 16);
    expect({ version, digest }).toEqual({ version: versions.at(-1)?.[0], digest: versions.at(-1)?.[1] });
    expect(new Set(versions.map(([given]) => given)).size).toBe(versions.length);
  },
  11() {
    for (const said of ['hi', 'Hello!', 'HELP', 'help', '/help', '?'])
      expect(parseCommand(said, [])).toEqual({ kind: 'help' });
  },
  12() {
    const bot = { teamsId: '28:bot', text: '<at>Watchpost</at>', isBot: true };
    for (const said of [
      'score Contoso Ltd',
      '/score Contoso Ltd',
      'SCORE   Contoso  Ltd ',
      '<at>Watchpost</at> score Contoso Ltd',
      '<at>Watchpost</at>\u00a0/score\u00a0Contoso\u00a0Ltd',
      'score "Contoso Ltd"',
    ])
      expect({ said, is: parseCommand(said, [bot]) }).toEqual({
        said,
        is: { kind: 'score', tenant: 'Contoso Ltd' },
      });
  },
  14() {
    for (const kind of ['channel', 'groupChat'] as const)
      expect(helloIn(kind, 'Ana Reyes')).toContain(`Ana Reyes added ${manifest.name.short} to`);
  },
  24() {
    const news = cards.filter(([, card]) => shownBy(card).buttons.includes('Acknowledge'));
    expect(news.length).toBeGreaterThanOrEqual(3);
    for (const [, card] of news) {
      const { texts, urls } = shownBy(card);
      expect(texts[0]).toMatch(/^Contoso Ltd (fell|lost|cannot be read)/);
      expect(texts.join('\n')).toMatch(/since \d+\s[A-Z][a-z]{2}/);
      expect(texts.some((one) => /^(Low|Medium|High|Critical)$/.test(one))).toBe(true);
      expect(card.fallbackText).toMatch(
        /^(Again: )?Contoso Ltd (again )?(fell|lost|cannot be read|still cannot be read)/,
      );
      expect(urls).toEqual([expect.stringMatching(/\/tenants\b.*[0-9a-f-]{36}/)]);
    }
  },
  27() {
    const own = new Set([new URL(settings.publicUrl).host, 'teams.microsoft.com']);
    const urls = cards.flatMap(([, card]) => shownBy(card).urls);
    expect(urls.length).toBeGreaterThan(5);
    for (const url of urls) expect(own).toContain(new URL(url).host);
  },
  28() {
    // All of them were there in 1.5: nothing needs a fallback of its own.
    const known =
      /^(AdaptiveCard|TextBlock|RichTextBlock|TextRun|Container|ColumnSet|Column|Action\.(Execute|OpenUrl))$/;
    const types = new Set(cards.flatMap(([, card]) => nodesOf(card).map(({ type }) => String(type))));
    expect([...types].filter((type) => !known.test(type))).toEqual([]);
    for (const [, card] of cards) expect(card.version).toBe('1.5');
  },
  29() {
    for (const [name, card] of cards) {
      expect({ name, most: shownBy(card).buttons.length <= 6 }).toEqual({ name, most: true });
      expect(card.fallbackText).toMatch(/\S/);
      const wordless = nodesOf(card).filter(
        (node) =>
          (String(node.type).startsWith('Input.') && !(node.label && node.errorMessage)) ||
          (node.type === 'Image' && !node.altText),
      );
      expect(wordless).toEqual([]);
    }
  },
  31() {
    for (const [, card] of cards) {
      expect(JSON.stringify(card)).not.toContain('Chart.');
      for (const one of shownBy(card).texts) if (/\d\d:\d\d/.test(one)) expect(one).toMatch(/\d\d:\d\d\sUTC/);
    }
  },
  32() {
    // Nobody's card is drawn anew without a press, so no list of people goes out with it.
    for (const [, card] of cards) expect(card).not.toHaveProperty('refresh');
  },
  35() {
    expect(
      manifest.configurableTabs.flatMap((tab) => tab.context).filter((one) => meeting.test(one)),
    ).toEqual([]);
  },
  36() {
    // What comes later than the page is said to who cannot see it come.
    for (const name of ['SyncNow', 'Connect', 'Remove', 'Overview', 'Configure', 'Skeleton'])
      expect(readFileSync(join(project, `tab/${name}.tsx`), 'utf8')).toContain('role="status"');
  },
  45() {
    expect(manifest.composeExtensions).toBeUndefined();
  },
  46() {
    expect(JSON.stringify(manifest)).not.toContain('messageHandlers');
  },
  47() {
    expect(manifest.activities).toBeUndefined();
    expect(JSON.stringify(manifest)).not.toContain('TeamsActivity.Send');
  },
  48() {
    const contexts = [...manifest.staticTabs, ...manifest.configurableTabs].flatMap(
      (tab) => tab.context ?? [],
    );
    expect(contexts.length).toBeGreaterThan(0);
    expect(contexts.filter((one) => meeting.test(one))).toEqual([]);
    expect(JSON.stringify(manifest)).not.toMatch(/OnlineMeeting|meetingExtension|"meetings"/);
  },
  49() {
    const named = (words: string) => [...new Set(words.match(/\b[A-Z]\w+(?:\.\w+)*\.All\b/g))].sort();
    const readme = readFileSync(join(project, 'README.md'), 'utf8');
    expect(named(manifest.description.full)).toEqual(named(readme));
    expect(named(manifest.description.full)).toHaveLength(4);
  },
};
