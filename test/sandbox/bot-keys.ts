import { botIssuerOf } from './clouds.ts';
import { type Answer, type Call, json } from './http.ts';
import { pairOf, signToken } from './keys.ts';
import type { State } from './state.ts';

/** The address that inbound activities carry and tokens vouch for. */
export const serviceUrl = 'https://smba.trafficmanager.net/emea/';

/** Bot Framework's metadata and keys; undefined for other paths. */
export function botKeys(state: State, call: Call): Answer | undefined {
  if (call.path === '/v1/.well-known/openidconfiguration')
    return json(200, {
      issuer: botIssuerOf(call.host),
      authorization_endpoint: 'https://invalid.botframework.com',
      jwks_uri: `https://${call.host}/v1/.well-known/keys`,
      id_token_signing_alg_values_supported: ['RS256'],
      token_endpoint_auth_methods_supported: ['private_key_jwt'],
    });
  if (call.path !== '/v1/.well-known/keys') return undefined;
  const keys = state.keys.bot.map((pem) => {
    const { kid, publicJwk } = pairOf(pem);
    return {
      kty: 'RSA',
      use: 'sig',
      kid,
      x5t: kid,
      n: publicJwk.n,
      e: publicJwk.e,
      endorsements: ['msteams', 'webchat', 'directline', 'skype', 'email'],
    };
  });
  return json(200, { keys });
}

/** The claims of a token that comes with an activity from Teams. */
export function inboundClaims(state: State, at: Date): Record<string, unknown> {
  const now = Math.floor(at.getTime() / 1000);
  return {
    serviceurl: serviceUrl,
    nbf: now,
    exp: now + 3_600,
    iss: botIssuerOf('login.botframework.com'),
    aud: state.bot.appId,
  };
}

export function inboundToken(state: State, at: Date): string {
  return signToken(state.keys.bot[0] ?? '', inboundClaims(state, at));
}
