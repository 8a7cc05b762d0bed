import { createHash, randomUUID, timingSafeEqual } from 'node:crypto';
import { demoHome } from '../../bot/cast.ts';
import { assertionProblem } from './client-assertion.ts';
import { type Cloud, isBotScope } from './clouds.ts';
import { aadsts } from './entra-errors.ts';
import { type Answer, type Call, json } from './http.ts';
import { pairOf, signToken } from './keys.ts';
import { guidOf } from './seeded.ts';
import { findTenant, type State } from './state.ts';
import type { App, SandboxTenant } from './tenants.ts';

/** Seconds since 1970. */
export const tokenSeconds = 3_599;
const many = ['common', 'organizations', 'consumers'];

/** A directory: one of the tenants, or the one whose people use the demo. */
type Directory = { kind: 'one'; id: string; tenant: SandboxTenant | undefined };
type Found = Directory | { kind: 'many' } | { kind: 'none'; answer: Answer };

export type Entra = {
  answer(call: Call, cloud: Cloud): Answer | undefined;
};

/** Discovery, keys and the token endpoint; undefined for paths that are not among them. */
export function openEntra(state: State): Entra {
  const loops = new Map<string, number[]>();

  function answer(call: Call, cloud: Cloud): Answer | undefined {
    const [name = '', ...rest] = call.path.slice(1).split('/');
    const path = rest.join('/');
    if (call.path === '/common/discovery/instance') return instanceDiscovery(cloud);
    if (/^discovery\/(v2\.0\/)?keys$/.test(path) || call.path === '/discovery/keys')
      return jwks(state, cloud);
    if (/^(v2\.0\/)?\.well-known\/openid-configuration$/.test(path)) {
      const directory = directoryOf(call, name);
      if (directory.kind === 'none') return directory.answer;
      return discovery(
        cloud,
        directory.kind === 'many' ? name : directory.id,
        directory.kind === 'many',
        path,
      );
    }
    if (path !== 'oauth2/v2.0/token') return undefined;
    if (call.method !== 'POST') return aadsts(call, 900144, "Missing parameter: 'grant_type'.");
    return token(call, cloud, name);
  }

  function directoryOf(call: Call, name: string): Found {
    if (many.includes(name)) return { kind: 'many' };
    if (name === demoHome.id || name === demoHome.domain)
      return { kind: 'one', id: demoHome.id, tenant: undefined };
    const tenant = findTenant(state, name);
    if (tenant !== undefined) return { kind: 'one', id: tenant.id, tenant };
    const looksRight =
      /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(name) || /^[a-z0-9-]+(\.[a-z0-9-]+)+$/i.test(name);
    const answer = looksRight ? aadsts(call, 90002, `Tenant '${name}'.`) : aadsts(call, 900023, `'${name}'.`);
    return { kind: 'none', answer };
  }

  function token(call: Call, cloud: Cloud, name: string): Answer {
    const directory = directoryOf(call, name);
    if (directory.kind === 'none') return directory.answer;
    const form = new URLSearchParams(call.body.toString('utf8'));
    const grant = form.get('grant_type');
    if (grant === null) return aadsts(call, 900144, "Missing parameter: 'grant_type'.");
    if (grant !== 'client_credentials') return aadsts(call, 70003, `'${grant}'.`);
    if (directory.kind === 'many') return aadsts(call, 9001023);

    const clientId = form.get('client_id')?.toLowerCase();
    if (clientId === undefined || clientId === '')
      return aadsts(call, 900144, "Missing parameter: 'client_id'.");
    const known = appIn(directory, clientId);
    if (known === undefined) return aadsts(call, 700016, `Identifier '${clientId}'.`);
    const scope = form.get('scope')?.split(' ').filter(Boolean) ?? [];
    if (scope.length === 0) return aadsts(call, 900144, "Missing parameter: 'scope'.");
    const root =
      scope.length === 1 ? /^(.+)\/\.default$/.exec(scope[0] ?? '')?.[1]?.replace(/\/$/, '') : undefined;
    if (root === undefined) return aadsts(call, 70011, `The scope '${scope.join(' ')}' is not valid.`);
    if (![...cloud.graphRoots, ...cloud.exchangeRoots].includes(root) && !isBotScope(root))
      return aadsts(call, 500011, `'${root}'.`);

    const refusal = credentialProblem(call, known, form, directory.id);
    if (refusal !== undefined) return refusal;
    const ours = known === state.graph;
    const service = ours
      ? consentProblem(call, directory.tenant, state.graph.delayCode)
      : serviceProblem(call, directory.tenant);
    if (service !== undefined) return service;
    if (isLooping(call, `${directory.id} ${clientId} ${root}`)) return aadsts(call, 50196);
    return json(
      200,
      {
        token_type: 'Bearer',
        expires_in: tokenSeconds,
        ext_expires_in: tokenSeconds,
        access_token: appToken(state, cloud, directory.id, known, root, call.at, {
          roles: isBotScope(root)
            ? undefined
            : rolesAt(cloud, root, (ours ? directory.tenant?.ours?.roles : directory.tenant?.consent) ?? []),
          certificate: form.has('client_assertion'),
        }),
      },
      { 'cache-control': 'no-store, no-cache', pragma: 'no-cache' },
    );
  }

  function appIn(directory: Directory, clientId: string): App | undefined {
    if (directory.tenant !== undefined) {
      if (clientId === state.graph.appId) return state.graph;
      if (directory.tenant.appState === 'removed') return undefined;
      return directory.tenant.app.appId === clientId ? directory.tenant.app : undefined;
    }
    return [state.bot, state.tab].find((app) => app.appId === clientId);
  }

  /** The same request again and again means that somebody has no token cache. */
  function isLooping(call: Call, key: string): boolean {
    if (state.limitsOff) return false;
    const now = call.at.getTime();
    const times = (loops.get(key) ?? []).filter((at) => at > now - 60_000);
    times.push(now);
    loops.set(key, times);
    return times.length > 120;
  }

  return { answer };
}

/** Of all that was consented to, what belongs to the API asked for. */
function rolesAt(cloud: Cloud, root: string, consent: readonly string[]): string[] {
  const ofExchange = cloud.exchangeRoots.includes(root);
  return consent.filter((permission) => permission.startsWith('Exchange.') === ofExchange);
}

export function credentialProblem(
  call: Call,
  app: App,
  form: URLSearchParams,
  directoryId: string,
): Answer | undefined {
  const secret = form.get('client_secret');
  const assertion = form.get('client_assertion');
  if (assertion !== null) {
    const problem = assertionProblem(assertion, {
      app,
      now: call.at,
      type: form.get('client_assertion_type'),
      audiences: [directoryId, call.path.split('/')[1] ?? ''].flatMap((name) => [
        `https://${call.host}/${name}/oauth2/v2.0/token`,
        `https://${call.host}/${name}/v2.0`,
      ]),
    });
    return problem === undefined ? undefined : aadsts(call, problem.code, problem.detail);
  }
  if (secret === null || secret === '') return aadsts(call, 7000218);
  if (!equalDigests(secret, app.secret)) return aadsts(call, 7000215, `App '${app.appId}'.`);
  if (app.secretExpiresAt !== null && Date.parse(app.secretExpiresAt) <= call.at.getTime())
    return aadsts(call, 7000222, `App '${app.appId}'.`);
  return undefined;
}

function serviceProblem(call: Call, tenant: SandboxTenant | undefined): Answer | undefined {
  if (tenant === undefined) return undefined;
  if (tenant.consent === null) return aadsts(call, 7000229, `Tenant '${tenant.id}'.`);
  if (tenant.appState === 'disabled') return aadsts(call, 7000112, `App '${tenant.app.appId}'.`);
  if (tenant.appState === 'blocked') return aadsts(call, 53003);
  return undefined;
}

/** Of the application for many tenants: without consent there is none here, and right after it, not everywhere yet. */
function consentProblem(
  call: Call,
  tenant: SandboxTenant | undefined,
  delayCode: number,
): Answer | undefined {
  if (tenant?.ours === undefined) return aadsts(call, 7000229, `Tenant '${tenant?.id ?? ''}'.`);
  return Date.parse(tenant.ours.from) > call.at.getTime() ? aadsts(call, delayCode) : undefined;
}

function equalDigests(one: string, other: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}

/** An app-only access token (v1.0 form, as Graph and the connector get them). */
export function appToken(
  state: State,
  cloud: Cloud,
  directoryId: string,
  app: { appId: string },
  audience: string,
  at: Date,
  options: { roles?: string[] | undefined; certificate?: boolean },
): string {
  const now = Math.floor(at.getTime() / 1000);
  const oid = guidOf(`principal ${directoryId} ${app.appId}`);
  return signToken(state.keys.entra[0] ?? '', {
    aud: audience,
    iss: `${cloud.sts}/${directoryId}/`,
    iat: now,
    nbf: now,
    exp: now + tokenSeconds,
    app_displayname: 'Watchpost',
    appid: app.appId,
    appidacr: options.certificate ? '2' : '1',
    idp: `${cloud.sts}/${directoryId}/`,
    idtyp: 'app',
    oid,
    sub: oid,
    // Without any consent there is no such claim at all.
    ...(options.roles === undefined || options.roles.length === 0 ? {} : { roles: options.roles }),
    tenant_region_scope: cloud.region,
    tid: directoryId,
    uti: randomUUID(),
    ver: '1.0',
  });
}

function instanceDiscovery(cloud: Cloud): Answer {
  return json(200, {
    tenant_discovery_endpoint: `https://${cloud.login}/common/v2.0/.well-known/openid-configuration`,
    'api-version': '1.1',
    metadata: [{ preferred_network: cloud.login, preferred_cache: cloud.login, aliases: [cloud.login] }],
  });
}

function jwks(state: State, cloud: Cloud): Answer {
  const keys = state.keys.entra.map((pem) => {
    const { kid, publicJwk } = pairOf(pem);
    return {
      kty: 'RSA',
      use: 'sig',
      kid,
      x5t: kid,
      n: publicJwk.n,
      e: publicJwk.e,
      cloud_instance_name: cloud.instance,
      issuer: `https://${cloud.login}/{tenantid}/v2.0`,
    };
  });
  return json(200, { keys }, { 'cache-control': 'max-age=86400, private' });
}

function discovery(cloud: Cloud, name: string, isMany: boolean, path: string): Answer {
  const base = `https://${cloud.login}/${name}`;
  const v2 = path.startsWith('v2.0/');
  const tenant = isMany ? '{tenantid}' : name;
  return json(200, {
    token_endpoint: `${base}/oauth2/${v2 ? 'v2.0/' : ''}token`,
    token_endpoint_auth_methods_supported: ['client_secret_post', 'private_key_jwt', 'client_secret_basic'],
    jwks_uri: `${base}/discovery/${v2 ? 'v2.0/' : ''}keys`,
    response_modes_supported: ['query', 'fragment', 'form_post'],
    subject_types_supported: ['pairwise'],
    id_token_signing_alg_values_supported: ['RS256'],
    response_types_supported: ['code', 'id_token', 'code id_token', 'id_token token'],
    scopes_supported: ['openid', 'profile', 'email', 'offline_access'],
    issuer: v2 ? `https://${cloud.login}/${tenant}/v2.0` : `${cloud.sts}/${tenant}/`,
    request_uri_parameter_supported: false,
    authorization_endpoint: `${base}/oauth2/${v2 ? 'v2.0/' : ''}authorize`,
    device_authorization_endpoint: `${base}/oauth2/v2.0/devicecode`,
    http_logout_supported: true,
    frontchannel_logout_supported: true,
    end_session_endpoint: `${base}/oauth2/v2.0/logout`,
    claims_supported: [
      'sub',
      'iss',
      'aud',
      'exp',
      'iat',
      'nonce',
      'preferred_username',
      'name',
      'tid',
      'ver',
    ],
    tenant_region_scope: isMany ? null : cloud.region,
    cloud_instance_name: cloud.instance,
    cloud_graph_host_name: 'graph.windows.net',
    msgraph_host: new URL(cloud.graphRoots[0] ?? 'https://graph.microsoft.com').host,
    rbac_url: 'https://pas.windows.net',
  });
}
