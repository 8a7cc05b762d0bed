import { createHash, randomBytes } from 'node:crypto';
import { type CastMember, demoHome, demoPeople } from '../../bot/cast.ts';
import { tokenSeconds } from './entra.ts';
import { aadsts } from './entra-errors.ts';
import { type Answer, type Call, json } from './http.ts';
import { signToken } from './keys.ts';
import { escapeHtml, page } from './page.ts';
import { findPerson, tabClaims } from './people.ts';
import type { State } from './state.ts';

export type Authorize = {
  /** The sign-in page and its code exchange; undefined for everything else. */
  answer(call: Call): Answer | undefined;
};

type Code = {
  person: CastMember;
  redirectUri: string;
  challenge: string;
  nonce: string | null;
  scope: string;
  until: number;
};
const codeMs = 10 * 60_000;

/** Sign-in of the tab in a plain browser: code + PKCE, with the choice among the demo's people as its only question. */
export function openAuthorize(state: State): Authorize {
  const codes = new Map<string, Code>();
  const used = new Set<string>();

  function answer(call: Call): Answer | undefined {
    const [, directory, what] = /^\/([^/]+)\/oauth2\/v2\.0\/(authorize|token)$/.exec(call.path) ?? [];
    if (what === undefined) return undefined;
    if (what === 'authorize') return isHome(directory) ? authorize(call) : undefined;
    if (call.method === 'OPTIONS') return { status: 204, headers: cors(call) };
    const form = new URLSearchParams(call.body.toString('utf8'));
    if (form.get('grant_type') !== 'authorization_code') return undefined;
    const answered = isHome(directory) ? exchange(call, form) : aadsts(call, 90002, `Tenant '${directory}'.`);
    return { ...answered, headers: { ...answered.headers, ...cors(call) } };
  }

  function authorize(call: Call): Answer {
    const query = call.query;
    const redirectUri = query.get('redirect_uri') ?? '';
    // Nothing is ever sent to an address that is not registered, not even an error.
    if (query.get('client_id') !== state.tab.appId) return problem(700016, 'The application is not known.');
    if (!isLoopbackUrl(redirectUri)) return problem(50011, 'The redirect address is not registered.');
    if (query.get('response_type') !== 'code') return back(call, { error: 'unsupported_response_type' });
    const challenge = query.get('code_challenge');
    if (challenge === null || query.get('code_challenge_method') !== 'S256')
      return back(call, {
        error: 'invalid_request',
        error_description: 'AADSTS9002325: Proof Key for Code Exchange is required.',
      });
    const scope = query.get('scope') ?? '';
    if (!scopeIsRight(scope))
      return back(call, {
        error: 'invalid_scope',
        error_description: 'AADSTS70011: The scope is not valid.',
      });
    const silent = query.get('prompt') === 'none';
    const asked = query.get('person') ?? (silent ? lastPerson(call) : null);
    if (asked === null) {
      if (silent)
        return back(call, {
          error: 'login_required',
          error_description: 'AADSTS50058: Nobody is signed in.',
        });
      return choice(call);
    }
    const person = findPerson(asked);
    if (person === undefined) return back(call, { error: 'access_denied', error_subcode: 'cancel' });
    const code = randomBytes(32).toString('base64url');
    codes.set(code, {
      person,
      redirectUri,
      challenge,
      nonce: query.get('nonce'),
      scope,
      until: call.at.getTime() + codeMs,
    });
    return remembering(call, person, back(call, { code }));
  }

  function scopeIsRight(scope: string): boolean {
    return scope
      .split(' ')
      .some(
        (one) =>
          one === 'access_as_user' ||
          (one.includes(state.tab.appId) && /\/(access_as_user|\.default)$/.test(one)),
      );
  }

  function exchange(call: Call, form: URLSearchParams): Answer {
    if (form.get('client_id') !== state.tab.appId)
      return aadsts(call, 700016, `Identifier '${form.get('client_id')}'.`);
    const given = form.get('code') ?? '';
    if (used.has(given)) return aadsts(call, 54005);
    const code = codes.get(given);
    if (code === undefined) return aadsts(call, 70000);
    codes.delete(given);
    used.add(given);
    if (code.until < call.at.getTime()) return aadsts(call, 70008);
    if (form.get('redirect_uri') !== code.redirectUri) return aadsts(call, 50011);
    const digest = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url');
    if (digest !== code.challenge) return aadsts(call, 501481);
    const claims = tabClaims(state, code.person, undefined, call.at);
    const { scp: _scope, azp: _client, azpacr: _kind, ...identity } = claims;
    const pem = state.keys.entra[0] ?? '';
    return json(
      200,
      {
        token_type: 'Bearer',
        scope: `api://localhost/${state.tab.appId}/access_as_user`,
        expires_in: tokenSeconds,
        ext_expires_in: tokenSeconds,
        access_token: signToken(pem, claims),
        ...(code.scope.split(' ').includes('openid')
          ? {
              id_token: signToken(pem, {
                ...identity,
                ...(code.nonce === null ? {} : { nonce: code.nonce }),
              }),
            }
          : {}),
      },
      { 'cache-control': 'no-store' },
    );
  }

  return { answer };
}

function isHome(directory: string | undefined): boolean {
  return ['common', 'organizations', demoHome.id, demoHome.domain].includes(directory ?? '');
}

function isLoopbackUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname } = new URL(text);
  return /^https?:$/.test(protocol) && /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(hostname);
}

function cors(call: Call): Record<string, string> {
  const origin = String(call.headers.origin ?? '');
  if (!isLoopbackUrl(origin)) return {};
  return {
    'access-control-allow-origin': origin,
    'access-control-allow-methods': 'POST, OPTIONS',
    'access-control-allow-headers': 'content-type, client-request-id',
    vary: 'origin',
  };
}

/** Back to the application, in the query or, when asked, in the fragment. */
function back(call: Call, members: Record<string, string>): Answer {
  const target = new URL(call.query.get('redirect_uri') ?? '');
  const state = call.query.get('state');
  const all = new URLSearchParams({ ...members, ...(state === null ? {} : { state }) });
  if (call.query.get('response_mode') === 'fragment') target.hash = all.toString();
  else for (const [name, value] of all) target.searchParams.set(name, value);
  return { status: 302, headers: { location: target.href, 'cache-control': 'no-store' } };
}

const cookie = 'sandbox-person';

/** Who chose last in this browser: Entra's own session, as far as the demo needs one. Lasts as long as the browser. */
function lastPerson(call: Call): string | null {
  const found = new RegExp(`(?:^|; ?)${cookie}=([\\w-]{1,40})(?:;|$)`).exec(call.headers.cookie ?? '');
  return found?.[1] ?? null;
}

/** The cookie says only who is played, opens nothing but this page, and no script reads it. */
function remembering(call: Call, person: CastMember, answer: Answer): Answer {
  const value = `${cookie}=${person.oid}; Path=${call.path}; HttpOnly; SameSite=Lax`;
  return { ...answer, headers: { ...answer.headers, 'set-cookie': value } };
}

function choice(call: Call): Answer {
  const cancelled = back(call, { error: 'access_denied', error_subcode: 'cancel' }).headers?.location ?? '';
  const rows = demoPeople.map((person) => {
    const query = new URLSearchParams(call.query);
    query.set('person', person.oid);
    const initials = person.name
      .split(' ')
      .map((word) => word[0])
      .join('');
    return `<li><a class="person" href="?${escapeHtml(query.toString())}">
      <span class="initials" aria-hidden="true">${escapeHtml(initials)}</span>
      <span class="who"><b>${escapeHtml(person.name)}</b><span class="quiet">${escapeHtml(person.address)}</span></span>
      <span class="role">${person.role ?? 'no role'}</span></a></li>`;
  });
  return page({
    title: 'Sign in',
    kind: 'narrow',
    body: `<main class="card sign-in">
  <p class="badge">Sandbox</p>
  <h1>Who are you today?</h1>
  <p class="quiet">This page stands in for Microsoft's sign-in. It belongs to the sandbox on this machine, asks for no password and knows these five people of ${escapeHtml(demoHome.name)}.</p>
  <ul class="people">${rows.join('')}</ul>
  <p class="cancel"><a href="${escapeHtml(String(cancelled))}">Cancel</a></p>
</main>`,
  });
}

function problem(code: number, words: string): Answer {
  return page({
    title: 'Sign in',
    kind: 'narrow',
    status: 400,
    body: `<main class="card sign-in"><p class="badge">Sandbox</p><h1>That did not work</h1><p>${escapeHtml(words)}</p><p class="quiet">AADSTS${code}</p></main>`,
  });
}
