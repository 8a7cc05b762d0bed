import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { syncScores } from '../../bot/jobs/sync-scores.ts';
import type { LogFields } from '../../bot/log.ts';
import type { Microsoft } from '../../bot/services.ts';
import { scopeOfSystem } from '../../shared/access.ts';
import type { CertificateAnswer, ConnectAnswer, Problem, WaitingCertificate } from '../../shared/api.ts';
import { type TenantId, tenantId } from '../../shared/tenants/tenant.ts';
import { openMicrosoftOf, type Sandboxed } from '../jobs/sandboxed.ts';
import { openTabServer, type TabServer } from '../tab/tab-server.ts';

/** *Own app and certificate* through the real API, against an Entra that verifies the assertion, over real sockets. */

const everything = scopeOfSystem();
type Customer = { id: string; domain: string; appId: string; secret: string };

let world: Sandboxed;
let server: TabServer;
/** What the server asks; a test may put another one in between. */
let microsoft: Microsoft;
let token: string;
const logged: string[] = [];
const said: string[] = [];

beforeAll(async () => {
  world = await openMicrosoftOf();
  await world.sandbox.control('POST', '/_sandbox/limits', { off: true });
  const note = (fields: LogFields, message: string) => logged.push(`${JSON.stringify(fields)} ${message}`);
  microsoft = world.microsoft;
  const now: Microsoft = new Proxy(world.microsoft, { get: (_, name) => Reflect.get(microsoft, name) });
  server = await openTabServer({
    seeds: [],
    services: { microsoft: now, log: { debug: note, info: note, warn: note, error: note } },
  });
}, 60_000);
afterAll(async () => {
  await server?.close();
  await world?.stop();
});

let people = 0;
/** A new customer, and an Admin who has not yet asked for anything: each may test twenty times a minute. */
async function customer(name: string): Promise<Customer> {
  const oid = `bbbbbbbb-0000-4000-8000-0000000001${String(people).padStart(2, '0')}`;
  people += 1;
  await server.store.people.addGrant(server.services.settings.homeTenantId, oid, 'An Admin', {
    ...{ id: oid, role: 'Admin', scope: 'all', source: 'demo', by: 'demo', at: server.store.now() },
  });
  token = `Bearer ${await server.entra.token({ oid })}`;
  const domain = `${name}.com`;
  return await world.sandbox.control<Customer>('POST', '/_sandbox/tenants', { name, domain, seed: 'cert' });
}

async function post<T>(path: string, body: unknown): Promise<{ status: number; body: T }> {
  const answer = await server.post(path, body, token);
  const text = await answer.text();
  said.push(text);
  return { status: answer.status, body: JSON.parse(text) as T };
}

async function make(path: string, body: unknown): Promise<WaitingCertificate> {
  const { body: answer } = await post<CertificateAnswer>(path, body);
  if (answer.certificate === null) throw new Error(JSON.stringify(answer));
  return answer.certificate;
}

async function upload(appId: string, certificate: string, acceptAfterMs = 0): Promise<void> {
  await world.sandbox.control('POST', `/_sandbox/apps/${appId}/certificates`, { certificate, acceptAfterMs });
}

/** As the page does, in closer steps. */
async function untilAccepted(path: string, body: unknown): Promise<{ tries: number; answer: ConnectAnswer }> {
  for (let tries = 1; ; tries += 1) {
    const { body: answer } = await post<ConnectAnswer>(path, body);
    if (answer.again !== true) return { tries, answer };
    expect(answer).toMatchObject({ works: false, saved: null });
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
}

/** What the clock thread does with what is due. */
async function runSyncs(): Promise<string[]> {
  const outcomes: string[] = [];
  for (const lease of await server.store.work.claimDue('sync-scores', 20, 60_000)) {
    outcomes.push(await syncScores(lease, server.services));
  }
  return outcomes;
}

const id = (text: string): TenantId => tenantId(text) as TenantId;
const inUse = (one: Customer) => server.store.credentials.facts(everything, id(one.id));
const waits = (one: Customer) => server.store.nextCredentials.facts(everything, id(one.id));
const path = (one: Customer, rest: string) => `/api/tab/tenants/${one.id}${rest}`;

async function connected(one: Customer): Promise<void> {
  const form = { tenant: one.domain, appId: one.appId, secret: one.secret };
  const { body } = await post<ConnectAnswer>('/api/tab/connect', form);
  expect(body.saved).not.toBeNull();
  await runSyncs();
}

const exchangeIn = ({ steps }: ConnectAnswer) =>
  steps.find(({ step }) => step === 'Exchange settings (optional)');

describe('a tenant that is not connected yet', () => {
  test('made, uploaded, tested until Entra accepts it: then it is connected and read with it', async () => {
    const one = await customer('tailspin');
    const made = await make('/api/tab/connect/certificate', { tenant: one.domain, appId: one.appId });
    const certificate = new X509Certificate(made.pem);
    expect(new X509Certificate(Buffer.from(made.der, 'base64')).fingerprint256).toBe(
      certificate.fingerprint256,
    );
    expect(made).toMatchObject({
      tenant: one.id,
      appId: one.appId,
      sha1: certificate.fingerprint.replaceAll(':', ''),
      sha256: certificate.fingerprint256.replaceAll(':', ''),
      link: {
        href: `https://entra.microsoft.com/${one.id}/#view/Microsoft_AAD_RegisteredApps/ApplicationMenuBlade/~/Credentials/appId/${one.appId}`,
      },
    });
    expect(Object.keys(made).sort()).toEqual([
      ...['appId', 'der', 'expiresAt', 'link', 'madeAt', 'pem', 'sha1', 'sha256', 'tenant'],
    ]);
    // Nothing is connected by making one.
    expect(await server.store.tenants.get(everything, id(one.id))).toBeNull();
    expect(await inUse(one)).toBeNull();

    const early = await post<ConnectAnswer>('/api/tab/connect/certificate/test', { tenant: one.id });
    expect(early.body).toMatchObject({ works: false, saved: null, again: true });
    expect(early.body.steps[0]).toMatchObject({
      step: 'Sign in to the tenant',
      state: 'failed',
      says: 'Entra does not know this certificate yet: it was not uploaded, or only a moment ago.',
    });
    expect(early.body.steps[0]?.remedy).toContain('AADSTS700027');
    expect(await server.store.tenants.get(everything, id(one.id))).toBeNull();

    await upload(one.appId, made.pem);
    const { answer } = await untilAccepted('/api/tab/connect/certificate/test', {
      tenant: one.id,
      name: 'Tailspin Toys',
    });
    expect(answer.saved).toMatchObject({ id: one.id, name: 'Tailspin Toys' });
    expect(await inUse(one)).toMatchObject({
      kind: 'certificate',
      appId: one.appId,
      last4: made.sha256.slice(-4).toLowerCase(),
      expiresAt: made.expiresAt,
    });
    expect(await waits(one)).toBeNull();
    expect(exchangeIn(answer)).toMatchObject({
      state: 'gap',
      says: 'Exchange.ManageAsApp is not granted; nothing else needs it.',
    });
    // What the application may read is known from the test on, and again from each sync.
    const rolesOf = async () => (await server.store.tenants.get(everything, id(one.id)))?.permissions?.roles;
    expect(await rolesOf()).toContain('SecurityEvents.Read.All');
    await world.sandbox.control('POST', `/_sandbox/tenants/${one.id}/consent`, {
      grant: [...((await rolesOf()) ?? []), 'Mail.Read'],
    });
    microsoft.forget(id(one.id));
    expect(await runSyncs()).toEqual(['changed']);
    expect(await rolesOf()).toContain('Mail.Read');
  });

  test('who comes back finds the one that waits; another one made while it is tested is not saved unseen', async () => {
    const one = await customer('wingtip');
    const form = { tenant: one.domain, appId: one.appId };
    const first = await make('/api/tab/connect/certificate', form);
    expect(await make('/api/tab/connect/certificate', form)).toEqual(first);
    await upload(one.appId, first.pem);
    const made: WaitingCertificate[] = [];
    microsoft = {
      ...world.microsoft,
      secureScores: async (...given) => {
        made.push(await make('/api/tab/connect/certificate', { ...form, anew: true }));
        return await world.microsoft.secureScores(...given);
      },
    };
    const { status, body } = await post<Problem>('/api/tab/connect/certificate/test', { tenant: one.id });
    microsoft = world.microsoft;
    expect(status).toBe(409);
    expect(body.detail).toContain('Another certificate was made');
    expect(await inUse(one)).toBeNull();
    expect(await server.store.tenants.get(everything, id(one.id))).toBeNull();
    // The newest is the one that waits now.
    expect(made[0]?.sha256).not.toBe(first.sha256);
    expect(await make('/api/tab/connect/certificate', form)).toEqual(made[0]);
  });

  test('a tenant nobody knows, and one that is connected, are told as such and nothing is made', async () => {
    const one = await customer('adatum');
    await connected(one);
    const form = { tenant: one.domain, appId: one.appId };
    const { body: known } = await post<CertificateAnswer>('/api/tab/connect/certificate', form);
    expect(known).toMatchObject({ certificate: null, known: { id: one.id } });
    const nobody = { ...form, tenant: 'nobody.example' };
    const { body: none } = await post<CertificateAnswer>('/api/tab/connect/certificate', nobody);
    expect(none).toMatchObject({ certificate: null, known: null });
    expect(none.steps[0]).toMatchObject({ state: 'failed', step: 'Find the tenant' });
    expect(await waits(one)).toBeNull();
  });
});

describe('a tenant that is connected', () => {
  test('while Entra rejects the new one, the old one keeps working; then the new one is in use and the old one gone', async () => {
    const one = await customer('litware');
    await connected(one);
    const before = await inUse(one);
    const made = await make(path(one, '/certificate'), { appId: one.appId });
    await upload(one.appId, made.pem, 1_500);
    const early = await post<ConnectAnswer>(path(one, '/certificate/test'), {});
    expect(early.body).toMatchObject({ again: true, saved: null });
    expect(await inUse(one)).toEqual(before);
    // Read meanwhile with the old one.
    await server.store.work.schedule(everything, id(one.id), 'sync-scores', server.store.now());
    expect(await runSyncs()).toEqual([expect.stringMatching(/^(un)?changed$/)]);

    const { tries, answer } = await untilAccepted(path(one, '/certificate/test'), {});
    expect(tries).toBeGreaterThan(1);
    expect(answer.saved).toMatchObject({ id: one.id });
    expect(await inUse(one)).toMatchObject({ kind: 'certificate', version: 2 });
    expect(await waits(one)).toBeNull();
    // The secret is of no use any more: it is the certificate that reads.
    await world.sandbox.control('POST', `/_sandbox/tenants/${one.id}/app`, { newSecret: true });
    microsoft.forget(id(one.id));
    expect(await runSyncs()).toEqual([expect.stringMatching(/^(un)?changed$/)]);
  });

  test('a test that asked with the old credential would lose the connection, and is seen', async () => {
    const one = await customer('lamna');
    await connected(one);
    const old = await server.store.credentials.open(everything, id(one.id));
    if (old === null) throw new Error('nothing is in use');
    await make(path(one, '/certificate'), { appId: one.appId });
    // The planted defect: whatever is to be tested, the credential in use is asked for.
    const real = world.microsoft;
    microsoft = {
      ...real,
      token: () => real.token(old),
      organization: () => real.organization(old),
      domains: () => real.domains(old),
      subscribedSkus: () => real.subscribedSkus(old),
      secureScores: (_, days) => real.secureScores(old, days),
      secureScoreControlProfiles: () => real.secureScoreControlProfiles(old),
    };
    const { body } = await post<ConnectAnswer>(path(one, '/certificate/test'), {});
    microsoft = real;
    expect(body.saved).not.toBeNull();
    microsoft.forget(id(one.id));
    expect(await runSyncs()).toEqual(['failed']);
  });

  test('what is missing of the permissions is told, and the old one stays; its key is nowhere; dropped, none waits', async () => {
    const one = await customer('proseware');
    await connected(one);
    const made = await make(path(one, '/certificate'), { appId: one.appId });
    await upload(one.appId, made.pem);
    await world.sandbox.control('POST', `/_sandbox/tenants/${one.id}/consent`, {
      grant: ['Organization.Read.All', 'Domain.Read.All', 'LicenseAssignment.Read.All'],
    });
    const { body } = await post<ConnectAnswer>(path(one, '/certificate/test'), {});
    expect(body).toMatchObject({ works: false, saved: null });
    expect(body.again).toBeUndefined();
    expect(body.steps.find(({ state }) => state === 'failed')?.says).toContain('SecurityEvents.Read.All');
    expect(await inUse(one)).toMatchObject({ kind: 'secret', version: 1 });
    expect(await waits(one)).not.toBeNull();

    await keyIsNowhere(one);

    expect((await post(path(one, '/certificate/drop'), {})).body).toEqual({ dropped: true });
    expect((await post(path(one, '/certificate/drop'), {})).body).toEqual({ dropped: false });
    const { status } = await post<Problem>(path(one, '/certificate/test'), {});
    expect(status).toBe(409);
  });

  test('the optional step for Exchange says what is granted, and what it cannot see', async () => {
    const one = await customer('southridge');
    await connected(one);
    const consent = `/_sandbox/tenants/${one.id}/consent`;
    const { usual } = await world.sandbox.control<{ usual: string[] }>('POST', consent, {});
    await world.sandbox.control('POST', consent, { grant: [...usual, 'Exchange.ManageAsApp'] });
    const made = await make(path(one, '/certificate'), { appId: one.appId });
    await upload(one.appId, made.pem);
    const { body: answer } = await post<ConnectAnswer>(path(one, '/certificate/test'), {});
    expect(exchangeIn(answer)).toMatchObject({
      state: 'works',
      says: 'Exchange.ManageAsApp is granted; whether the role Global Reader was assigned is not tested.',
    });
  });
});

describe('a secret', () => {
  test('its end is kept as it was given, told on the page, and gone with the next one that has none', async () => {
    const one = await customer('coho');
    const form = { tenant: one.domain, appId: one.appId, secret: one.secret };
    await post<ConnectAnswer>('/api/tab/connect', { ...form, secretExpires: '2027-03-31' });
    expect(await inUse(one)).toMatchObject({ kind: 'secret', expiresAt: '2027-03-31T00:00:00.000Z' });
    const { appId, secret } = one;
    await post<ConnectAnswer>(path(one, '/credentials'), { appId, secret });
    expect((await inUse(one))?.expiresAt).toBeUndefined();
  });

  test.each(['tomorrow', '2027-02-31', '27-03-31', '1999-01-01', 20270331, ''])(
    '%p is no day, and nothing is asked',
    async (secretExpires) => {
      const { status, body } = await post<Problem>('/api/tab/connect', {
        ...{ tenant: 'coho.com', appId: 'ffffffff-0000-4000-8000-000000000001', secret: 'long-enough' },
        secretExpires,
      });
      expect([status, body.detail]).toEqual([400, expect.stringContaining('day on which the secret ends')]);
    },
  );
});

/** The private key that waits is in no answer, log line, audit row or file of the store; a planted one is found. */
async function keyIsNowhere(one: Customer): Promise<void> {
  const found = await server.store.nextCredentials.open(everything, id(one.id));
  const { credential } = found?.access ?? {};
  if (credential?.kind !== 'certificate') throw new Error('no certificate waits');
  const keyPieces = credential.key.use(piecesOf);
  expect(keyPieces.length).toBeGreaterThan(50);
  const { rows } = await server.store.audit.list({ limit: 500 });
  const places = [...said, ...logged, JSON.stringify(rows), ...storeFiles()];
  expect(places.some((text) => text.includes(one.domain))).toBe(true);
  expect(keyPieces.filter((piece) => places.some((text) => text.includes(piece)))).toEqual([]);
  expect(places.filter((text) => text.includes('PRIVATE KEY'))).toEqual([]);
  // The certificate itself is public; the same look finds it in the answers.
  const certificate = piecesOf(credential.certificatePem);
  expect(certificate.some((piece) => said.some((text) => text.includes(piece)))).toBe(true);
  const planted = credential.key.use((pem) => `a log line with ${pem}`);
  expect(keyPieces.some((piece) => planted.includes(piece))).toBe(true);
}

/** Lines of the PEM without the head that all RSA keys share, and its numbers in hexadecimal. */
function piecesOf(pem: string): string[] {
  const lines = pem.split('\n').filter((line) => !line.startsWith('-----') && line !== '');
  const pieces = lines.slice(1).flatMap((line) => [line.slice(0, 24), line.slice(-24)]);
  if (!pem.includes('PRIVATE')) return pieces;
  const jwk = createPrivateKey(pem).export({ format: 'jwk' });
  const numbers = [jwk.d, jwk.p, jwk.q, jwk.dp, jwk.dq, jwk.qi].map((part) => String(part));
  // The modulus stands in the public part as well, so lines of it may too.
  return [...pieces.slice(24), ...numbers.flatMap((part) => [part.slice(0, 24), hexOf(part).slice(0, 40)])];
}

function hexOf(base64url: string): string {
  return Buffer.from(base64url, 'base64url').toString('hex');
}

function storeFiles(): string[] {
  return readdirSync(server.folder)
    .filter((name) => name.includes('sqlite'))
    .map((name) => readFileSync(join(server.folder, name), 'latin1'));
}
