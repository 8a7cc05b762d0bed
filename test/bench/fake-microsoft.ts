import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import * as v from 'valibot';

/**
 * A Microsoft that costs next to nothing: Bot Framework's keys, Entra's metadata and tokens, Teams' connector, all
 * with answers made beforehand, so that the load run weighs the bot and not its surroundings. It counts the replies
 * it has accepted: the only judge of whether every turn was answered. A process of its own, on loopback.
 *
 * Whoever starts it hands over `Settings` as JSON in the first argument and reads `{"url"}` from standard output.
 */
const settings = v.parse(
  v.object({
    /** The public key that inbound tokens are signed with, as JWK with `kid`. */
    jwk: v.looseObject({ kid: v.string(), n: v.string(), e: v.string() }),
    homeTenantId: v.string(),
    /** Text by which a reply is known to be the answer asked for and not an apology. */
    mark: v.string(),
    /** Swallows this reply without counting it: the defect that a test plants. */
    lose: v.optional(v.number()),
  }),
  JSON.parse(process.argv[2] ?? '{}'),
);

const key = { kty: 'RSA', use: 'sig', alg: 'RS256', endorsements: ['msteams'], ...settings.jwk };
const keys = JSON.stringify({ keys: [key] });
const entra = 'https://login.microsoftonline.com';
const members = JSON.stringify({
  members: [{ id: '29:bench', userRole: 'user', tenantId: settings.homeTenantId, name: 'Bench' }],
});

let replies = 0;
let others = 0;
let last = '';

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const body = chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
    const text = answer(request, body);
    response.writeHead(text === undefined ? 404 : 200, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(text ?? ''),
    });
    response.end(text);
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ url: here() })));
process.on('disconnect', () => process.exit(0));
process.on('SIGTERM', () => process.exit(0));

function here(): string {
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
}

/** The body of a 200, or undefined for 404. */
function answer(request: IncomingMessage, body: Buffer): string | undefined {
  const path = (request.url ?? '').split('?', 1)[0] ?? '';
  if (request.method === 'POST' && path.includes('/v3/conversations/')) return accepted(body);
  if (path.includes('/pagedmembers')) return members;
  if (path.endsWith('/oauth2/v2.0/token')) return token(path, body);
  if (path === '/_bench/counts') return JSON.stringify({ replies, others });
  if (path === '/_bench/last') return last === '' ? undefined : last;
  if (path === '/bot/openid') return JSON.stringify({ issuer: 'bench', jwks_uri: `${here()}/bot/keys` });
  if (path === '/v1/.well-known/openidconfiguration') {
    return JSON.stringify({
      issuer: 'https://api.botframework.com',
      jwks_uri: 'https://login.botframework.com/v1/.well-known/keys',
    });
  }
  if (path.endsWith('/v2.0/.well-known/openid-configuration')) {
    const tenant = path.split('/')[1] ?? 'common';
    return JSON.stringify({
      issuer: `${entra}/${tenant}/v2.0`,
      token_endpoint: `${entra}/${tenant}/oauth2/v2.0/token`,
      jwks_uri: `${entra}/common/discovery/v2.0/keys`,
    });
  }
  return path.endsWith('/keys') ? keys : undefined;
}

function accepted(body: Buffer): string {
  if (body.includes('"type":"message"') && body.includes(settings.mark)) {
    if (replies + 1 === settings.lose) settings.lose = undefined;
    else replies += 1;
    // One answer is as good as another, and copying each would be paid for by the run.
    if (last === '') last = body.toString('utf8');
  } else others += 1;
  return `{"id":"1:${replies}-${others}"}`;
}

/** An app-only token for whoever asks; nobody checks its signature but the service it is for, which is this one. */
function token(path: string, form: Buffer): string {
  const seconds = Math.floor(Date.now() / 1000);
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = {
    aud: 'https://api.botframework.com',
    tid: path.split('/')[1],
    appid: new URLSearchParams(form.toString('utf8')).get('client_id'),
    iat: seconds,
    exp: seconds + 86_400,
    uti: randomUUID(),
  };
  const access = `${part({ typ: 'JWT', alg: 'RS256', kid: settings.jwk.kid })}.${part(claims)}.${'c2ln'.repeat(85)}`;
  return JSON.stringify({ token_type: 'Bearer', expires_in: 86_399, access_token: access });
}
