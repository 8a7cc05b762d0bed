import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import * as v from 'valibot';
import { dayOf, plusDays } from '../../shared/time.ts';
import { controls } from '../sandbox/controls.ts';
import { directoryAnswers } from '../sandbox/graph-directory.ts';
import { profiles, secureScore } from '../sandbox/score-answers.ts';
import { inventedTenants, type SandboxTenant } from '../sandbox/tenants.ts';
import { lifeSizedProfiles, lifeSizedScore } from './life-size.ts';

/**
 * A Graph that costs next to nothing: the sandbox's bodies for many tenants, made before the clock runs, and tokens
 * for whoever asks. It says what it was asked, so that the loops it is compared with ask the very same.
 *
 * `POST /_bench/phase {number, throttled?, delayMs?}` makes all bodies of that phase: every number is another day's
 * score; `throttled` is the share of Graph's answers that are 429 with Retry-After 1 s. A process of its own.
 */
const settings = v.parse(
  v.object({
    tenants: v.number(),
    seed: v.string(),
    now: v.string(),
    /** All tenants get one tenant's scores, without its name: bodies of 10,000 would not fit into the memory. */
    alike: v.optional(v.boolean(), false),
  }),
  JSON.parse(process.argv[2] ?? '{}'),
);

const today = dayOf(settings.now);
const tenants = inventedTenants(settings.tenants, settings.seed, today);
/** What the product asks for on a usual day. */
const kept = 3;
const entra = 'https://login.microsoftonline.com';

type Bodies = Map<string, Buffer>;
let oneForAll: Buffer | undefined;
/** What no phase changes, of each tenant. */
const still = new Map(tenants.map((tenant) => [tenant.id, stillBodies(tenant)]));
let scores = new Map<string, Buffer>();
let throttled = 0;
let delayMs = 0;
let asked = 0;
let refused = 0;
let bytes = 0;
/** The addresses that the first tenant was asked for. */
const addresses = new Set<string>();

makePhase(0);
const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const answer = answerTo(request, Buffer.concat(chunks));
    const send = (): void => {
      response.writeHead(answer.status, {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(answer.body),
        ...answer.headers,
      });
      response.end(answer.body);
    };
    if (delayMs > 0 && answer.graph === true) setTimeout(send, delayMs);
    else send();
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  console.log(JSON.stringify({ url: `http://127.0.0.1:${port}` }));
});
process.on('disconnect', () => process.exit(0));
process.on('SIGTERM', () => process.exit(0));

type Answer = { status: number; body: string | Buffer; headers?: Record<string, string>; graph?: true };

function answerTo(request: IncomingMessage, body: Buffer): Answer {
  const url = request.url ?? '';
  const path = url.split('?', 1)[0] ?? '';
  if (path.startsWith('/v1.0/')) return graph(request, url, path.slice('/v1.0'.length));
  if (path.endsWith('/oauth2/v2.0/token')) return json(token(path, body));
  if (path.endsWith('/v2.0/.well-known/openid-configuration')) {
    const tenant = path.split('/')[1] ?? 'common';
    return json({
      issuer: `${entra}/${tenant}/v2.0`,
      token_endpoint: `${entra}/${tenant}/oauth2/v2.0/token`,
      authorization_endpoint: `${entra}/${tenant}/oauth2/v2.0/authorize`,
      jwks_uri: `${entra}/common/discovery/v2.0/keys`,
    });
  }
  if (path === '/_bench/phase') {
    const wanted = v.parse(
      v.object({
        number: v.number(),
        throttled: v.optional(v.number(), 0),
        delayMs: v.optional(v.number(), 0),
      }),
      JSON.parse(body.toString('utf8')),
    );
    makePhase(wanted.number);
    ({ throttled, delayMs } = wanted);
    return json({});
  }
  if (path === '/_bench/asked') return json({ asked, refused, bytes, addresses: [...addresses] });
  if (path === '/_bench/tenants') return json(tenants.map(({ id, domain, name }) => ({ id, domain, name })));
  return { status: 404, body: '' };
}

function graph(request: IncomingMessage, url: string, path: string): Answer {
  const tenant = tenantOf(request.headers.authorization ?? '');
  const body = path === scoresPath ? scores.get(tenant) : still.get(tenant)?.get(path);
  if (body === undefined) return { status: 404, body: '' };
  asked += 1;
  if (tenant === tenants[0]?.id) addresses.add(url);
  if (throttled > 0 && asked % Math.round(1 / throttled) === 0) {
    refused += 1;
    const error = { error: { code: 'TooManyRequests', message: 'Please retry after some time.' } };
    return { ...json(error), status: 429, headers: { 'retry-after': '1' }, graph: true };
  }
  bytes += body.length;
  return { status: 200, body, graph: true };
}

/** Tokens are looked up, not read: reading one for each request would be paid for by the run. */
const holders = new Map<string, string>();
function tenantOf(authorization: string): string {
  return holders.get(authorization) ?? authorization.slice('Bearer '.length);
}
const scoresPath = '/security/secureScores';

function token(path: string, form: Buffer): object {
  const seconds = Math.floor(Date.now() / 1000);
  const tenant = path.split('/')[1] ?? '';
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = {
    aud: 'https://graph.microsoft.com',
    tid: tenant,
    appid: new URLSearchParams(form.toString('utf8')).get('client_id'),
    roles: ['SecurityEvents.Read.All', 'Organization.Read.All', 'Domain.Read.All', 'Directory.Read.All'],
    iat: seconds,
    exp: seconds + 86_400,
    uti: randomUUID(),
  };
  const text = `${part({ typ: 'JWT', alg: 'RS256', kid: 'bench' })}.${part(claims)}.${'c2ln'.repeat(85)}`;
  holders.set(`Bearer ${text}`, tenant);
  return { token_type: 'Bearer', expires_in: 86_399, access_token: text };
}

function makePhase(number: number): void {
  scores = new Map();
  let shared: Buffer | undefined;
  for (const tenant of tenants) {
    shared = settings.alike && shared !== undefined ? shared : scoresOf(tenant, number);
    scores.set(tenant.id, shared);
  }
  [throttled, delayMs, asked, refused, bytes] = [0, 0, 0, 0, 0];
  addresses.clear();
}

/** Each phase is another score of the same day: what stood yesterday does not move. */
function scoresOf(tenant: SandboxTenant, phase: number): Buffer {
  const control = controls[(phase * 7) % controls.length];
  const changes =
    phase === 0 || control === undefined
      ? []
      : [{ day: today, control: control.id, to: (phase % 3) * (control.max / 3) }];
  const now = { ...tenant, changes, version: tenant.version + phase };
  return page(
    Array.from({ length: kept }, (_, back) =>
      anonymous(lifeSizedScore(secureScore(now, plusDays(today, -back)))),
    ),
  );
}

function stillBodies(tenant: SandboxTenant): Bodies {
  return new Map([
    ['/security/secureScoreControlProfiles', profilesOf(tenant)],
    ['/organization', page(directoryAnswers.organization(tenant))],
    ['/domains', page(directoryAnswers.domains(tenant))],
    ['/subscribedSkus', page(directoryAnswers.subscribedSkus(tenant))],
  ]);
}

function profilesOf(tenant: SandboxTenant): Buffer {
  if (!settings.alike) return page(lifeSizedProfiles(profiles(tenant)));
  oneForAll ??= page(lifeSizedProfiles(profiles(tenant)).map(anonymous));
  return oneForAll;
}

/** Without a name it may be any tenant's. */
function anonymous<T extends { azureTenantId?: unknown }>(one: T): T {
  return settings.alike ? { ...one, azureTenantId: '' } : one;
}

function page(value: readonly object[]): Buffer {
  return Buffer.from(JSON.stringify({ value }));
}

function json(value: object): Answer {
  return { status: 200, body: JSON.stringify(value) };
}
