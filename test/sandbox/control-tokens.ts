import * as v from 'valibot';
import { demoHome, demoPeople } from '../../bot/cast.ts';
import { inboundClaims } from './bot-keys.ts';
import { globalCloud } from './clouds.ts';
import { appToken } from './entra.ts';
import { type Answer, type Call, json } from './http.ts';
import { signToken, unsignedToken } from './keys.ts';
import { findPerson, tabClaims } from './people.ts';
import { findTenant, type State } from './state.ts';

const anything = v.record(v.string(), v.unknown());
const tokenBody = v.strictObject({
  for: v.picklist(['bot', 'tab', 'app']),
  person: v.optional(v.string()),
  tenant: v.optional(v.string()),
  /** Laid over the usual ones; null takes a member away. */
  header: v.optional(anything, {}),
  claims: v.optional(anything, {}),
  sign: v.optional(v.picklist(['right', 'wrong', 'none']), 'right'),
});

/** A token on order: right, or wrong in the one way that is asked for. Throws valibot's error for a wrong body. */
export function tokenCall(state: State, call: Call, body: unknown): Answer {
  const wanted = v.parse(tokenBody, body);
  const tenant = wanted.tenant === undefined ? undefined : findTenant(state, wanted.tenant);
  const isHome = wanted.tenant === demoHome.id || wanted.tenant === demoHome.domain;
  if (wanted.tenant !== undefined && tenant === undefined && !isHome)
    return json(404, { error: `No tenant is called ${wanted.tenant}.` });
  const person = findPerson(wanted.person ?? demoPeople[0]?.oid ?? '');
  if (person === undefined) return json(404, { error: `Nobody is called ${wanted.person}.` });
  if (wanted.for === 'app') {
    const owner = tenant ?? state.tenants[0];
    if (owner === undefined) return json(404, { error: 'There is no tenant yet.' });
    const usual = appToken(state, globalCloud, owner.id, owner.app, 'https://graph.microsoft.com', call.at, {
      roles: owner.consent ?? undefined,
    });
    const claims = JSON.parse(Buffer.from(usual.split('.')[1] ?? '', 'base64url').toString('utf8'));
    return json(200, { token: made(state, wanted, claims, state.keys.entra[0] ?? '') });
  }
  const [claims, pem] =
    wanted.for === 'bot'
      ? [inboundClaims(state, call.at), state.keys.bot[0] ?? '']
      : [tabClaims(state, person, tenant, call.at), state.keys.entra[0] ?? ''];
  return json(200, { token: made(state, wanted, claims, pem) });
}

function made(
  state: State,
  wanted: v.InferOutput<typeof tokenBody>,
  usual: Record<string, unknown>,
  pem: string,
): string {
  const claims = over(usual, wanted.claims);
  const header = Object.fromEntries(
    Object.entries(wanted.header).map(([name, value]) => [name, value ?? undefined]),
  );
  if (wanted.sign === 'none') return unsignedToken(claims, header);
  const right = signToken(pem, claims, header);
  if (wanted.sign === 'right') return right;
  // The header still names the published key; only the signature is somebody else's.
  const kid = JSON.parse(Buffer.from(right.split('.')[0] ?? '', 'base64url').toString('utf8'));
  return signToken(state.keys.other, claims, { ...kid, ...header });
}

function over(usual: Record<string, unknown>, wanted: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries({ ...usual, ...wanted }).filter(([, value]) => value !== null));
}
