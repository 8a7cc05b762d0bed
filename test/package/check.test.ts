import { describe, expect, test } from '@jest/globals';
import * as v from 'valibot';
import { type PackageFiles, packageFiles, type Variant, variants } from '../../bot/cli/package-build.ts';
import { packageProblems, ruleProblems } from '../../bot/cli/package-check.ts';
import { packageValues } from '../../bot/cli/package-values.ts';
import { png } from './png.ts';
import { appPackage, real } from './real.ts';

/** What may not go to Teams: each planted defect has its sentence; the package as it is has none. */

const realValues = packageValues(real).values;
const object = v.record(v.string(), v.unknown());

function built(variant: Variant = 'standard', values: Record<string, string> = realValues): PackageFiles {
  return packageFiles(appPackage, values, variant);
}

/** The package with one thing changed: `path` like `bots.0.botId`; undefined takes it out. */
function changed(path: string, value: unknown, variant: Variant = 'standard'): PackageFiles {
  const files = built(variant);
  const manifest = v.parse(object, JSON.parse(new TextDecoder().decode(files['manifest.json'])));
  const steps = path.split('.');
  let at: unknown = manifest;
  for (const step of steps.slice(0, -1))
    at = v.parse(v.union([v.array(v.unknown()), object]), at)[step as never];
  Object.assign(at as object, { [steps.at(-1) ?? '']: value });
  return { ...files, 'manifest.json': new TextEncoder().encode(JSON.stringify(manifest)) };
}

describe.each(variants.map((variant) => ({ variant })))('the $variant package', ({ variant }) => {
  test('may go to Teams with the values of a real operator', async () => {
    expect(await packageProblems(built(variant), variant)).toEqual([]);
  });

  test("may go to Teams with the demo's values", async () => {
    const { demo, values } = packageValues({});
    expect(demo).toBe(true);
    expect(await packageProblems(built(variant, values), variant)).toEqual([]);
  });

  test('may go to Teams from a site of its own on a shared host', () => {
    const { values } = packageValues({ ...real, PUBLIC_URL: 'https://watchpost-contoso.azurewebsites.net' });
    expect(ruleProblems(built(variant, values), variant)).toEqual([]);
  });

  test('may go to Teams when the address has a port', () => {
    const { values } = packageValues({ ...real, PUBLIC_URL: 'https://watchpost.contoso.com:8443/' });
    expect(ruleProblems(built(variant, values), variant)).toEqual([]);
  });
});

test('the schema is read from the library, never from the network', async () => {
  const before = globalThis.fetch;
  let asked = 0;
  globalThis.fetch = async () => {
    asked += 1;
    throw new Error('no network here');
  };
  try {
    expect(await packageProblems(built(), 'standard')).toEqual([]);
    // The library would fetch a schema it does not have.
    const other = 'https://developer.microsoft.com/json-schemas/teams/v9.99/MicrosoftTeams.schema.json';
    expect((await packageProblems(changed('$schema', other), 'standard')).join()).toMatch(/\$schema must be/);
    expect((await packageProblems(changed('$schema', undefined), 'standard')).join()).toMatch(
      /\$schema must be/,
    );
    expect(asked).toBe(0);
  } finally {
    globalThis.fetch = before;
  }
});

const command = (title: string, description = 'Does it'): unknown => ({ title, description });
const many = Array.from({ length: 11 }, (_, at) => command(`score ${at}`));
const personal = 'bots.0.commandLists.0';
const white = [255, 255, 255, 255] as const;
const clear = [255, 255, 255, 0] as const;
const dark = [20, 64, 92, 255] as const;

test.each([
  {
    defect: 'a title with "/"',
    path: `${personal}.commands.0.title`,
    value: '/score',
    says: /begins with "\/"/,
  },
  {
    defect: 'eleven commands',
    path: `${personal}.commands`,
    value: many,
    says: /has 11 commands; Teams shows 10/,
  },
  {
    defect: 'two commands',
    path: `${personal}.commands`,
    value: [command('score'), command('help')],
    says: /store wants 3/,
  },
  {
    defect: 'a title twice',
    path: `${personal}.commands.1`,
    value: command('Score'),
    says: /"Score" for personal is there twice/,
  },
  {
    defect: 'no description',
    path: `${personal}.commands.0.description`,
    value: ' ',
    says: /"score" .* no description/,
  },
  {
    defect: 'a command the table does not know',
    path: `${personal}.commands.0`,
    value: command('scores'),
    says: /holds "scores", which the command table does not/,
  },
  {
    defect: 'a command left out',
    path: 'bots.0.commandLists.1.commands.2',
    value: command('sync all'),
    says: /menu for team lacks "sync", which the command table puts there: "Reads/,
  },
  {
    defect: 'a description of its own',
    path: `${personal}.commands.1.description`,
    value: 'All of them',
    says: /says of "tenants" "All of them"; the command table says/,
  },
  {
    defect: 'no slash menu',
    path: 'bots.0.commandLists.1.triggers',
    value: ['mention'],
    says: /team lack the trigger "slash"/,
  },
  {
    defect: 'no private answers',
    path: 'bots.0.supportsTargetedMessages',
    value: false,
    says: /supportsTargetedMessages/,
  },
  { defect: 'no group chats', path: 'bots.0.scopes', value: ['personal', 'team'], says: /scope groupChat/ },
  {
    defect: 'a domain not covered',
    path: 'staticTabs.0.contentUrl',
    value: 'https://elsewhere.example/tab/',
    says: /staticTabs\.0\.contentUrl leads to elsewhere.example, which validDomains does not cover/,
  },
  {
    defect: 'no valid domain',
    path: 'validDomains',
    value: [],
    says: /configurableTabs\.0\.configurationUrl leads to/,
  },
  { defect: 'a wildcard', path: 'validDomains', value: ['*.contoso.com'], says: /one plain host/ },
  {
    defect: 'a domain anybody may have',
    path: 'validDomains',
    value: ['watchpost.contoso.com', 'azurewebsites.net'],
    says: /refuses the valid domain azurewebsites/,
  },
  {
    defect: "one of Microsoft's domains",
    path: 'validDomains',
    value: ['watchpost.contoso.com', 'teams.microsoft.com'],
    says: /refuses the valid domain teams/,
  },
  {
    defect: 'a short description that says app',
    path: 'description.short',
    value: 'An app for scores.',
    says: /without the word "app"/,
  },
  {
    defect: 'Teams without Microsoft',
    path: 'description.full',
    value: 'Works in Teams.',
    says: /must first say "Microsoft Teams", not "in Teams"/,
  },
  {
    defect: 'a plain http address',
    path: 'developer.privacyUrl',
    value: 'http://contoso.com/p',
    says: /https address/,
  },
  {
    defect: 'one page for two things',
    path: 'developer.privacyUrl',
    value: 'https://watchpost.contoso.com/tab/terms.html',
    says: /three different pages/,
  },
  {
    defect: 'a placeholder left over',
    path: 'bots.0.botId',
    value: `$\{{BOT_ID}}`,
    says: /still holds \$\{\{BOT_ID\}\}/,
  },
  {
    defect: 'the empty GUID',
    path: 'bots.0.botId',
    value: '00000000-0000-0000-0000-000000000000',
    says: /botId is the empty GUID/,
  },
  {
    defect: 'a resource without domain',
    path: 'webApplicationInfo.resource',
    value: `api://${real.AAD_APP_CLIENT_ID}`,
    says: /SSO resource must be/,
  },
  {
    defect: 'a resource of another app',
    path: 'webApplicationInfo.resource',
    value: `api://watchpost.contoso.com/${real.BOT_ID}`,
    says: /SSO resource must be/,
  },
  {
    defect: 'a resource for a shared registration',
    path: 'webApplicationInfo.resource',
    value: `api://watchpost.contoso.com/botid-${real.AAD_APP_CLIENT_ID}`,
    says: /SSO resource must be/,
  },
  {
    defect: 'a resource of another domain',
    path: 'webApplicationInfo.resource',
    value: `api://elsewhere.example/${real.AAD_APP_CLIENT_ID}`,
    says: /names elsewhere.example/,
  },
  { defect: 'a version of two numbers', path: 'version', value: '1.0', says: /three numbers/ },
  { defect: 'a version with a leading zero', path: 'version', value: '1.01.0', says: /three numbers/ },
  {
    // 30 characters for the schema, 31 units for Teams.
    defect: 'a name too long in UTF-16',
    path: 'name.short',
    value: `${'W'.repeat(29)}\u{1F5FC}`,
    says: /name.short has 31 characters in UTF-16/,
  },
  { defect: 'a full name that says no more', path: 'name.full', value: 'Watchpost', says: /must say more/ },
  {
    defect: "Microsoft's name",
    path: 'name.short',
    value: 'Watchpost for Teams',
    says: /must not hold the word "Teams"/,
  },
  {
    defect: 'a permission nobody needs',
    path: 'authorization',
    value: { permissions: { resourceSpecific: [{ name: 'TeamMember.Read.Group', type: 'Application' }] } },
    says: /must ask teams for no permission, not TeamMember/,
  },
])('$defect is refused', ({ path, value, says }) => {
  expect(ruleProblems(changed(path, value), 'standard').join('\n')).toMatch(says);
});

test("Microsoft's schema is asked first, and about all of it at once", async () => {
  const files = changed('description.short', 'w'.repeat(81));
  const manifest = v.parse(object, JSON.parse(new TextDecoder().decode(files['manifest.json'])));
  const wrong = JSON.stringify({
    ...manifest,
    id: 'watchpost',
    manifestVersion: '1.29',
    packageName: 'watchpost',
  });
  const bytes = new TextEncoder().encode(wrong);
  const problems = await packageProblems({ ...files, 'manifest.json': bytes }, 'standard');
  expect(problems).toHaveLength(4);
  for (const [at, says] of [
    '"packageName"',
    '/manifestVersion',
    '/id must match',
    'more than 80',
  ].entries()) {
    expect(problems[at]).toMatch(/^Microsoft's schema says: manifest/);
    expect(problems[at]).toContain(says);
  }
});

test('a value that nobody gave is missed by its name', () => {
  const { BOT_ID: _, ...without } = realValues;
  expect(ruleProblems(built('standard', without), 'standard')).toContain(
    `The manifest still holds $\{{BOT_ID}}: nothing was given for it.`,
  );
});

test('a value cannot break out of its place', () => {
  const files = built('standard', { ...realValues, BOT_ID: '", "isNotificationOnly": "' });
  const manifest = v.parse(object, JSON.parse(new TextDecoder().decode(files['manifest.json'])));
  expect(manifest).toMatchObject({
    bots: [{ botId: '", "isNotificationOnly": "', isNotificationOnly: false }],
  });
});

test('the read-back package that asks for nothing, or for more, is refused', () => {
  const asked = 'authorization.permissions.resourceSpecific';
  const more = ['ChannelMessage.Read.Group', 'ChatMessage.Read.Chat'].map((name) => ({
    name,
    type: 'Application',
  }));
  for (const value of [[], more])
    expect(ruleProblems(changed(asked, value, 'read-back'), 'read-back').join()).toMatch(
      /must ask teams for ChannelMessage.Read.Group/,
    );
});

test('a bot and a tab with one registration may name it with botid-', () => {
  const both = { ...realValues, BOT_ID: real.AAD_APP_CLIENT_ID };
  const files = packageFiles(appPackage, both, 'standard');
  const text = new TextDecoder().decode(files['manifest.json']);
  const shared = text.replace(`.com/${real.AAD_APP_CLIENT_ID}`, `.com/botid-${real.AAD_APP_CLIENT_ID}`);
  expect(shared).not.toBe(text);
  const bytes = new TextEncoder().encode(shared);
  expect(ruleProblems({ ...files, 'manifest.json': bytes }, 'standard')).toEqual([]);
});

test.each([
  {
    defect: 'a small colour icon',
    name: 'color.png',
    bytes: png(96, 96, () => dark),
    says: /96 x 96 pixels; Teams wants 192 x 192/,
  },
  {
    defect: 'round corners',
    name: 'color.png',
    bytes: png(192, 192, (x, y) => (x + y < 8 ? clear : dark)),
    says: /must fill its square/,
  },
  {
    defect: 'an empty colour icon',
    name: 'color.png',
    bytes: png(192, 192, () => clear),
    says: /color.png is empty/,
  },
  {
    defect: 'a large outline',
    name: 'outline.png',
    bytes: png(192, 192, () => white),
    says: /Teams wants 32 x 32/,
  },
  {
    defect: 'an outline without transparency',
    name: 'outline.png',
    bytes: png(32, 32, () => white),
    says: /transparent background/,
  },
  {
    defect: 'an outline in colour',
    name: 'outline.png',
    bytes: png(32, 32, (x) => (x < 4 ? dark : clear)),
    says: /another colour/,
  },
  {
    defect: 'an empty outline',
    name: 'outline.png',
    bytes: png(32, 32, () => clear),
    says: /outline.png is empty/,
  },
  {
    defect: 'a picture that is no PNG',
    name: 'color.png',
    bytes: new TextEncoder().encode('<svg/>'.repeat(20)),
    says: /not a PNG/,
  },
  {
    defect: 'half a picture',
    name: 'color.png',
    bytes: png(192, 192, () => dark).subarray(0, 120),
    says: /color.png is damaged/,
  },
])('$defect is refused', ({ name, bytes, says }) => {
  const problems = ruleProblems({ ...built(), [name]: bytes }, 'standard');
  expect(problems).toHaveLength(1);
  expect(problems[0]).toMatch(says);
});

test.each([
  { defect: 'a stray file', change: { 'notes.txt': new Uint8Array() }, says: /holds notes.txt/ },
  { defect: 'no outline', change: { 'outline.png': undefined }, says: /lacks outline.png/ },
  { defect: 'no manifest', change: { 'manifest.json': undefined }, says: /no manifest.json at its root/ },
  {
    defect: 'a manifest that is no JSON',
    change: { 'manifest.json': new Uint8Array([123]) },
    says: /is not JSON/,
  },
])('$defect is refused', ({ change, says }) => {
  const files = Object.fromEntries(
    Object.entries({ ...built(), ...change }).filter(([, bytes]) => bytes !== undefined),
  ) as PackageFiles;
  expect(ruleProblems(files, 'standard').join('\n')).toMatch(says);
});
