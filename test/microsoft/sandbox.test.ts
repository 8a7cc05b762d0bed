import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { setGlobalDispatcher } from 'undici';
import { clouds, entraMetadata } from '../../bot/clouds.ts';
import { silentLog } from '../../bot/log.ts';
import { openBotTokens } from '../../bot/microsoft/bot-tokens.ts';
import { openSigningKeys } from '../../bot/microsoft/keys.ts';
import { openMicrosoft } from '../../bot/microsoft/open.ts';
import { openOutbound } from '../../bot/outbound.ts';
import { Secret } from '../../bot/secrets.ts';
import type { Microsoft, TenantAccess } from '../../bot/services.ts';
import { tenantId } from '../../shared/tenants/tenant.ts';
import { type Sandbox, startSandbox } from '../support/sandbox.ts';

/** The port against the sandbox's Entra, Graph and Bot Framework: real tokens, real paging, real errors. */

const cloud = clouds.global;
const outbound = openOutbound({ cloud });
const stop = new AbortController();
let sandbox: Sandbox;
let microsoft: Microsoft;
beforeAll(async () => {
  sandbox = await startSandbox();
  setGlobalDispatcher(sandbox.dispatcher);
  microsoft = openMicrosoft({ outbound, cloud, now: Date.now, log: silentLog(), signal: stop.signal });
});
afterAll(async () => {
  stop.abort();
  await sandbox.stop();
});

function idOf(text: string) {
  const id = tenantId(text);
  if (id === undefined) throw new Error(`not a GUID: ${text}`);
  return id;
}
function accessOf(name: string): TenantAccess & { domain: string } {
  const tenant = sandbox.info.tenants.find((one) => one.name.startsWith(name));
  if (tenant === undefined) throw new Error(`no tenant ${name}`);
  const credential = { kind: 'secret', secret: new Secret(tenant.secret) } as const;
  return { tenantId: idOf(tenant.id), appId: tenant.appId, credential, domain: tenant.domain };
}

test('a tenant is found by its domain, lets us in, and tells who it is', async () => {
  const access = accessOf('Contoso');
  expect(await microsoft.tenantOfDomain(access.domain)).toBe(access.tenantId);
  expect(await microsoft.tenantOfDomain('nobody.example')).toBeNull();
  const token = await microsoft.token(access);
  expect(token).toMatchObject({
    kind: 'ok',
    value: { roles: expect.arrayContaining(['SecurityEvents.Read.All']) },
  });
  expect(await microsoft.organization(access)).toMatchObject({
    kind: 'ok',
    value: {
      id: access.tenantId,
      name: expect.stringContaining('Contoso'),
      domains: expect.arrayContaining([access.domain]),
    },
  });
  expect(await microsoft.domains(access)).toMatchObject({ kind: 'ok' });
});

test('ninety days of scores come whole and in order, three days in one request, unchanged ones by their hash', async () => {
  const access = accessOf('Contoso');
  const all = await microsoft.secureScores(access, 90);
  if (all.kind !== 'ok') throw new Error(JSON.stringify(all));
  const days = all.value.map(({ day }) => day);
  expect(days.length).toBeGreaterThan(60);
  expect(days).toEqual([...new Set(days)].sort().reverse());
  for (const snapshot of all.value) {
    expect(snapshot.current).toBeGreaterThan(0);
    expect(snapshot.max).toBeGreaterThanOrEqual(snapshot.current);
    expect(snapshot.controls.length).toBeGreaterThan(20);
  }
  const before = (await sandbox.requests()).length;
  const few = await microsoft.secureScores(access, 3);
  expect(few).toMatchObject({ kind: 'ok', value: all.value.slice(0, 3) });
  expect((await sandbox.requests()).length - before).toBe(1);
  if (few.kind === 'ok') {
    expect(await microsoft.secureScores(access, 3, few.hash)).toEqual({ kind: 'unchanged', hash: few.hash });
  }
});

test('every page of the profiles is read, in plain text, and they fit the scores', async () => {
  const access = accessOf('Contoso');
  const [profiles, scores] = await Promise.all([
    microsoft.secureScoreControlProfiles(access),
    microsoft.secureScores(access, 1),
  ]);
  if (profiles.kind !== 'ok' || scores.kind !== 'ok') throw new Error('not read');
  expect(profiles.value.length).toBeGreaterThan(50);
  const names = new Set(profiles.value.map(({ name }) => name));
  expect(names.size).toBe(profiles.value.length);
  const known = (scores.value[0]?.controls ?? []).filter(({ name }) => names.has(name));
  expect(known.length).toBeGreaterThan(20);
  for (const { remediation, actionUrl } of profiles.value) {
    expect(remediation).not.toMatch(/<[a-z/]/i);
    if (actionUrl !== null) expect(actionUrl).toMatch(/^https?:/);
  }
});

test('Adventure Works has no Entra ID P2, Contoso has', async () => {
  const licencesOf = async (name: string) => {
    const reading = await microsoft.subscribedSkus(accessOf(name));
    if (reading.kind !== 'ok') throw new Error(JSON.stringify(reading));
    return reading.value;
  };
  expect((await licencesOf('Adventure Works')).entraP2).toEqual({ known: true, value: false });
  const contoso = await licencesOf('Contoso');
  expect(contoso.entraP1).toEqual({ known: true, value: true });
  expect(contoso.skus.length).toBeGreaterThan(0);
});

test('a consent that is withdrawn is a permission failure with its remedy', async () => {
  const access = accessOf('Woodgrove');
  expect(await microsoft.organization(access)).toMatchObject({ kind: 'ok' });
  await sandbox.control('POST', `/_sandbox/tenants/${access.domain}/consent`, { revoke: true });
  microsoft.forget(access.tenantId);
  const reading = await microsoft.organization(access);
  expect(reading).toMatchObject({ kind: 'failed', failure: { kind: 'permission', transient: false } });
});

test('one permission that was not granted is named, the others work', async () => {
  const access = accessOf('Northwind');
  await sandbox.control('POST', `/_sandbox/tenants/${access.domain}/consent`, {
    grant: ['Organization.Read.All', 'Domain.Read.All'],
  });
  microsoft.forget(access.tenantId);
  expect(await microsoft.organization(access)).toMatchObject({ kind: 'ok' });
  expect(await microsoft.secureScores(access, 3)).toMatchObject({
    kind: 'failed',
    failure: { kind: 'permission', permission: 'SecurityEvents.Read.All' },
  });
});

test('a wrong secret says that it is wrong', async () => {
  const access = {
    ...accessOf('Fabrikam'),
    credential: { kind: 'secret', secret: new Secret('wrong') } as const,
  };
  expect(await microsoft.token(access)).toMatchObject({
    kind: 'failed',
    failure: { kind: 'authentication', code: 'AADSTS7000215' },
  });
});

test('throttled by a fault the next try comes after its time and succeeds', async () => {
  const access = accessOf('Fabrikam');
  await sandbox.control('POST', '/_sandbox/faults', {
    path: '/domains',
    status: 429,
    retryAfter: 1,
    times: 1,
  });
  const started = performance.now();
  expect(await microsoft.domains(access)).toMatchObject({ kind: 'ok' });
  expect(performance.now() - started).toBeGreaterThanOrEqual(1_000);
});

test('the bot has a token of its own, and both key sets are published', async () => {
  const { appId, secret, tenantId: home } = sandbox.info.apps.bot;
  const bot = openBotTokens({
    outbound,
    cloud,
    now: Date.now,
    bot: { tenantId: idOf(home), appId, credential: { kind: 'secret', secret: new Secret(secret) } },
  });
  expect((await bot.get()).use((value) => value.split('.').length)).toBe(3);
  const kidOf = (token: string): string =>
    JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString('utf8')).kid;
  const botKeys = openSigningKeys({ outbound, metadataUrl: cloud.botOpenIdMetadata, now: Date.now });
  expect(await botKeys.find(kidOf(await sandbox.token({ for: 'bot' })))).toMatchObject({
    endorsements: expect.arrayContaining(['msteams']),
  });
  const entraKeys = openSigningKeys({ outbound, metadataUrl: entraMetadata(cloud, 'common'), now: Date.now });
  const person = sandbox.info.people[0]?.oid;
  const tab = await sandbox.token({ for: 'tab', ...(person === undefined ? {} : { person }) });
  expect(await entraKeys.find(kidOf(tab))).not.toBeNull();
});
