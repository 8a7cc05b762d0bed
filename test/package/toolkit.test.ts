import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import * as v from 'valibot';
import { parse } from 'yaml';
import { hostClients } from '../../bot/api/require-user.ts';
import { placeholderNames } from '../../bot/cli/package-values.ts';
import { project } from './real.ts';

/** The files of the Microsoft 365 Agents Toolkit agree with each other, with the manifest and with the program. */

const text = (path: string): string => readFileSync(join(project, path), 'utf8');
const json = (path: string): unknown => JSON.parse(text(path));
const placeholdersIn = (path: string): string[] => [
  ...new Set([...text(path).matchAll(/\$\{\{\s*(\w+)\s*\}\}/g)].map(([, name]) => name ?? '')),
];

const step = v.strictObject({
  name: v.string(),
  uses: v.string(),
  with: v.record(v.string(), v.unknown()),
  writeToEnvironmentFile: v.optional(v.record(v.string(), v.string()), {}),
});
const toolkit = v.strictObject({
  version: v.literal('v1.13'),
  environmentFolderPath: v.string(),
  provision: v.array(step),
  publish: v.array(step),
});
const yml = v.parse(toolkit, parse(text('teamsapp.yml')));
const steps = [...yml.provision, ...yml.publish];
const written = steps.flatMap((one) => Object.values(one.writeToEnvironmentFile));
const settings = parseEnv(text('env/.env.dev'));

describe('teamsapp.yml', () => {
  test('provisions and publishes in the order in which each step finds what it needs', () => {
    expect(yml.provision.map((one) => one.uses)).toEqual([
      'teamsApp/create',
      'aadApp/create',
      'aadApp/create',
      'aadApp/update',
      'arm/deploy',
      'teamsApp/validateManifest',
      'cli/runNpmCommand',
      'teamsApp/validateAppPackage',
      'teamsApp/update',
    ]);
    expect(yml.publish.at(-1)?.uses).toBe('teamsApp/publishAppPackage');
  });

  test('names only files that are there, or that it makes itself', () => {
    const named = steps.flatMap((one) => pathsIn(one.with));
    expect(named).toContain('./infra/azure.bicep');
    const missing = named.filter((path) => !existsSync(join(project, path)) && !made(path));
    expect(missing).toEqual([]);
    expect(existsSync(join(project, yml.environmentFolderPath))).toBe(true);
  });

  test('runs scripts that package.json has', () => {
    const scripts = v.parse(
      v.object({ scripts: v.record(v.string(), v.string()) }),
      json('package.json'),
    ).scripts;
    const ran = steps.filter((one) => one.uses === 'cli/runNpmCommand').map((one) => String(one.with.args));
    expect(ran.length).toBe(2);
    for (const line of ran) expect(Object.keys(scripts)).toContain(/^run (\S+) -- /.exec(line)?.[1]);
  });

  test('makes a single-tenant bot whose secret goes where git does not see it', () => {
    const [bot, tab] = yml.provision.filter((one) => one.uses === 'aadApp/create');
    expect(bot?.with).toMatchObject({ signInAudience: 'AzureADMyOrg', generateClientSecret: true });
    expect(tab?.with).toMatchObject({ signInAudience: 'AzureADMyOrg', generateClientSecret: false });
    // The toolkit puts what begins so into env/.env.dev.user.
    expect(bot?.writeToEnvironmentFile.clientSecret).toMatch(/^SECRET_/);
    expect(text('.gitignore').split('\n')).toContain('/env/.env.*.user');
    // No longer than the benchmark allows for a credential.
    expect(Number(bot?.with.clientSecretExpireDays)).toBeLessThanOrEqual(180);
  });
});

describe('env/', () => {
  test('knows every name that a template or step asks for, and nothing else', () => {
    const asked = [
      'teamsapp.yml',
      'aad.manifest.json',
      'infra/azure.parameters.json',
      'appPackage/manifest.json',
      'appPackage/read-back.json',
    ].flatMap(placeholdersIn);
    const known = Object.keys(settings);
    expect(asked.filter((name) => !known.includes(name))).toEqual([]);
    const outputs = [...text('infra/azure.bicep').matchAll(/^output (\w+) /gm)].map(([, name]) => name ?? '');
    const used = new Set([...asked, ...written, ...outputs]);
    expect(known.filter((name) => !used.has(name))).toEqual([]);
    const kept = [...written, ...outputs].filter((name) => !name.startsWith('SECRET_'));
    expect(kept.filter((name) => !known.includes(name))).toEqual([]);
  });

  test('holds no value but its own name: neither secrets nor ids of anybody', () => {
    expect(Object.entries(settings).filter(([, value]) => value !== '')).toEqual([['TEAMSFX_ENV', 'dev']]);
  });

  test('the manifest asks for nothing but what our own packer fills in', () => {
    for (const path of ['appPackage/manifest.json', 'appPackage/read-back.json'])
      expect(placeholdersIn(path).filter((name) => !placeholderNames.some((one) => one === name))).toEqual(
        [],
      );
  });
});

describe('aad.manifest.json', () => {
  const guid = v.pipe(v.string(), v.uuid());
  const scopeId = `$\{{AAD_APP_ACCESS_AS_USER_PERMISSION_ID}}`;
  const aad = v.parse(
    v.object({
      signInAudience: v.string(),
      identifierUris: v.array(v.string()),
      api: v.object({
        requestedAccessTokenVersion: v.number(),
        oauth2PermissionScopes: v.array(
          v.object({ id: v.string(), value: v.string(), type: v.string(), isEnabled: v.boolean() }),
        ),
        preAuthorizedApplications: v.array(
          v.object({ appId: guid, delegatedPermissionIds: v.array(v.string()) }),
        ),
      }),
      appRoles: v.array(
        v.object({
          id: guid,
          value: v.string(),
          allowedMemberTypes: v.array(v.string()),
          isEnabled: v.boolean(),
        }),
      ),
      optionalClaims: v.object({ accessToken: v.array(v.object({ name: v.string() })) }),
      requiredResourceAccess: v.array(v.unknown()),
    }),
    json('aad.manifest.json'),
  );
  const checker = text('bot/api/require-user.ts');

  test('asks for the tokens that the tab is checked with: version 2, access_as_user', () => {
    expect(aad.api.requestedAccessTokenVersion).toBe(2);
    expect(aad.api.oauth2PermissionScopes).toEqual([
      { id: scopeId, value: 'access_as_user', type: 'User', isEnabled: true },
    ]);
    expect(aad.requiredResourceAccess).toEqual([]);
  });

  test('is known to Teams by the same address as in the manifest', () => {
    const manifest = v.parse(
      v.object({ webApplicationInfo: v.object({ resource: v.string() }) }),
      json('appPackage/manifest.json'),
    );
    expect(aad.identifierUris).toEqual([manifest.webApplicationInfo.resource]);
  });

  test("trusts Teams' two clients, which the tab's API takes tokens from, and no other", () => {
    const trusted = aad.api.preAuthorizedApplications;
    expect(trusted.map((one) => one.appId)).toEqual([
      '1fec8e78-bce4-4aaf-ab1b-5451cc387264',
      '5e3ce6c0-2b1f-4285-8d4b-75ee78787346',
    ]);
    expect(trusted.every((one) => hostClients.includes(one.appId))).toBe(true);
    expect(trusted.flatMap((one) => one.delegatedPermissionIds)).toEqual([scopeId, scopeId]);
  });

  test('the page for doing it by hand names the same clients, claims and settings', () => {
    const page = text('docs/packaging.md');
    for (const { appId } of aad.api.preAuthorizedApplications) expect(page).toContain(appId);
    for (const { name } of aad.optionalClaims.accessToken) expect(page).toContain(`\`${name}\``);
    for (const name of placeholderNames) if (name !== 'TAB_DOMAIN') expect(page).toContain(`| \`${name}\` |`);
  });

  test('gives the app roles that the program reads, to people only', () => {
    const read = [...checker.matchAll(/^ {2}'(Watchpost\.\w+)': '/gm)].map(([, name]) => name);
    expect(read).toHaveLength(3);
    expect(aad.appRoles.map((one) => one.value)).toEqual(read);
    expect(new Set(aad.appRoles.map((one) => one.id)).size).toBe(3);
    for (const one of aad.appRoles)
      expect(one).toMatchObject({ allowedMemberTypes: ['User'], isEnabled: true });
  });

  test('has the optional claims that tell an app and a guest from a person of ours', () => {
    for (const { name } of aad.optionalClaims.accessToken)
      expect(checker).toMatch(new RegExp(`\\b${name}: v\\.optional\\(`));
    expect(aad.optionalClaims.accessToken.map((one) => one.name)).toEqual(['idtyp', 'acct']);
  });
});

describe('infra/', () => {
  const bicep = text('infra/azure.bicep');
  const parameters = v.parse(
    v.object({ parameters: v.record(v.string(), v.strictObject({ value: v.string() })) }),
    json('infra/azure.parameters.json'),
  ).parameters;

  test('every parameter without a default is given, and no other', () => {
    const needed = [...bicep.matchAll(/^param (\w+) \w+$/gm)].map(([, name]) => name);
    expect(needed.length).toBe(4);
    expect(Object.keys(parameters).sort()).toEqual(needed.sort());
  });

  test('the bot is free, of one tenant, reached where the server listens, and in Teams', () => {
    expect(bicep).toMatch(/name: 'F0'/);
    expect(bicep).toMatch(/msaAppType: 'SingleTenant'/);
    expect(bicep).toMatch(/endpoint: '\$\{publicUrl\}\/api\/messages'/);
    expect(bicep).toMatch(/channelName: 'MsTeamsChannel'/);
    expect(text('bot/server.ts')).toContain("'/api/messages'");
  });

  test('its brackets close: nobody here can compile it', () => {
    const bare = bicep.replace(/\/\/.*$/gm, '').replace(/'(?:\\.|[^'\\\n])*'/g, "''");
    for (const [open, close] of ['{}', '()', '[]'].map((pair) => [...pair] as [string, string]))
      expect(bare.split(open).length).toBe(bare.split(close).length);
    expect(bare.split("'").length % 2).toBe(1);
  });
});

/** Relative paths anywhere in the parameters of a step. */
function pathsIn(part: unknown): string[] {
  if (typeof part === 'string') return part.startsWith('./') ? [part] : [];
  if (part === null || typeof part !== 'object') return [];
  return Object.values(part).flatMap(pathsIn);
}

function made(path: string): boolean {
  return path.startsWith('./appPackage/build/');
}
