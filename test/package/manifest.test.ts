import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import * as v from 'valibot';
import { openTenants, tenantUrl } from '../../bot/cards/actions.ts';
import { manifestSchema } from '../../bot/cli/package-manifest.ts';
import { menuProblems } from '../../bot/cli/package-menu.ts';
import { parseCommand } from '../../shared/command.ts';
import { type CommandRow, commandTable } from '../../shared/command-table.ts';
import { tenantId } from '../../shared/tenants/tenant.ts';
import { appPackage, project, real } from './real.ts';

/** The manifest as it stands agrees with the program: its menu, its links, its pages. */

const raw: unknown = JSON.parse(readFileSync(join(appPackage, 'manifest.json'), 'utf8'));
const manifest = v.parse(
  v.object({
    ...manifestSchema.entries,
    staticTabs: v.array(v.object({ entityId: v.string(), contentUrl: v.optional(v.string()) })),
    configurableTabs: v.array(v.object({ configurationUrl: v.string() })),
  }),
  raw,
);

test('the app stands where people work: chat, channels of every kind, a tab for one and a tab for a channel', () => {
  expect(raw).toMatchObject({
    manifestVersion: '1.30',
    supportsChannelFeatures: 'tier1',
    bots: [{ scopes: ['personal', 'team', 'groupChat'], supportsTargetedMessages: true }],
    configurableTabs: [{ scopes: ['team'] }],
    permissions: ['identity'],
  });
  expect(raw).toMatchObject({
    staticTabs: expect.arrayContaining([expect.objectContaining({ scopes: ['personal'] })]),
  });
});

test('the menu of each scope is what the command table puts there', () => {
  expect(menuProblems(manifest)).toEqual([]);
});

const extra: CommandRow = {
  name: 'revoke',
  usage: 'revoke @Ana',
  summary: 'Takes all roles from a person',
  needs: 'grant',
  places: ['internal'],
  menu: true,
  changes: true,
};
test('a row that comes into the menu of the table is missed in the manifest, where it may be used', () => {
  const problems = menuProblems(manifest, [...commandTable.filter((row) => row.name !== 'revoke'), extra]);
  expect(problems).toEqual(
    ['team', 'groupChat'].map(
      (scope) =>
        `The menu for ${scope} lacks "revoke", which the command table puts there: "Takes all roles from a person".`,
    ),
  );
});

test.each(
  manifest.bots[0].commandLists.flatMap((list) => list.commands.map(({ title }) => ({ title, list }))),
)('what Teams types for "$title" is understood as it stands', ({ title }) => {
  for (const text of [title, `/${title}`]) {
    const command = parseCommand(text, []);
    // Misused is fine: it asks which tenant.
    if (title === 'help') expect(command).toEqual({ kind: 'help' });
    else expect(command.kind).not.toBe('help');
  }
});

test('the links on our cards lead to a tab of this manifest', () => {
  const id = tenantId('6f1c0a7e-51d2-4c39-9a0b-3e2f7d5c8a10');
  if (id === undefined) throw new Error('not a tenant id');
  const settings = { demo: false, publicUrl: real.PUBLIC_URL, teamsAppId: real.TEAMS_APP_ID };
  const button = openTenants(settings);
  const links = [tenantUrl(id, settings), button.type === 'Action.OpenUrl' ? button.url : ''];
  const entities = manifest.staticTabs.map((one) => one.entityId);
  for (const link of links) {
    const [, , kind, app, entity] = new URL(link).pathname.split('/');
    expect({ kind, app }).toEqual({ kind: 'entity', app: real.TEAMS_APP_ID });
    expect(entities).toContain(entity);
  }
});

test('every page the manifest names is served by the tab', () => {
  const own = '$\u007b{PUBLIC_URL}}/tab/';
  const { websiteUrl, privacyUrl, termsOfUseUrl } = manifest.developer;
  for (const page of [websiteUrl, privacyUrl, termsOfUseUrl]) {
    expect(page.startsWith(own)).toBe(true);
    expect(existsSync(join(project, 'tab/public', page.slice(own.length)))).toBe(true);
  }
  for (const page of [
    ...manifest.staticTabs.flatMap(({ contentUrl }) => contentUrl ?? []),
    ...manifest.configurableTabs.map((one) => one.configurationUrl),
  ])
    expect(page.startsWith(own)).toBe(true);
});
