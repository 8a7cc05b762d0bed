import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { type Account, accountNamed, accountsAt } from './accounts.ts';
import { credentialProblem, tokenSeconds } from './entra.ts';
import { aadsts } from './entra-errors.ts';
import { type Answer, type Call, json } from './http.ts';
import { pairOf, signToken } from './keys.ts';
import { escapeHtml, page } from './page.ts';
import { findTenant, type State } from './state.ts';
import type { SandboxTenant } from './tenants.ts';

export type Consent = {
  /** Consent page, sign-in page and code exchange of the application for many tenants; undefined for all else. */
  answer(call: Call): Answer | undefined;
};

type Code = {
  account: Account;
  directory: string;
  redirectUri: string;
  challenge: string;
  nonce: string | null;
  until: number;
};
const codeMs = 10 * 60_000;
const many = 'organizations';
const cookie = 'sandbox-account';

/** What an administrator of a customer meets at Microsoft: consent for the whole organisation, and a sign-in. */
export function openConsent(state: State, touch: () => void): Consent {
  const codes = new Map<string, Code>();
  const used = new Set<string>();

  function answer(call: Call): Answer | undefined {
    const [, directory = '', what] =
      /^\/([^/]+)\/(v2\.0\/adminconsent|oauth2\/v2\.0\/authorize|oauth2\/v2\.0\/token)$/.exec(call.path) ??
      [];
    if (what === undefined) return undefined;
    const form = new URLSearchParams(call.body.toString('utf8'));
    const client = what.endsWith('token') ? form.get('client_id') : call.query.get('client_id');
    if (what.endsWith('adminconsent')) {
      if (client !== state.graph.appId) return stuck(700016, 'The application is not known.');
      return atPage(call, directory, consent);
    }
    if (client !== state.graph.appId) return undefined;
    if (what.endsWith('authorize')) return atPage(call, directory, signIn);
    return form.get('grant_type') === 'authorization_code' ? exchange(call, directory, form) : undefined;
  }

  /** What both pages look at first: nobody is sent to an address that is not registered, not even with an error. */
  function atPage(call: Call, directory: string, next: (call: Call, account: Account) => Answer): Answer {
    const tenant = findTenant(state, directory);
    if (directory !== many && tenant === undefined)
      return stuck(90002, `Tenant '${directory}' was not found.`);
    if (!isRegistered(call.query.get('redirect_uri') ?? ''))
      return stuck(50011, 'The redirect address is not registered.');
    const asked = call.query.get('account');
    const remembered = asked === null ? accountNamed(state, lastAccount(call) ?? '') : undefined;
    const silent = remembered !== undefined && (tenant === undefined || remembered.tenant.id === tenant.id);
    const account = asked !== null ? accountNamed(state, asked) : silent ? remembered : undefined;
    if (account === undefined) return choice(call, tenant);
    if (tenant !== undefined && account.tenant.id !== tenant.id) {
      return stuck(
        50020,
        `User account '${account.address}' does not exist in tenant '${tenant.name}' and cannot access the application there. Sign out and sign in with another account.`,
        again(call),
      );
    }
    const answered = next(call, account);
    const value = `${cookie}=${encodeURIComponent(account.key)}; Path=/; HttpOnly; SameSite=Lax`;
    return { ...answered, headers: { ...answered.headers, 'set-cookie': value } };
  }

  function consent(call: Call, account: Account): Answer {
    if (!/^https:\/\/graph\.microsoft\.(com|us)\/\.default$/.test(call.query.get('scope') ?? ''))
      return stuck(70011, 'The scope is not valid.');
    const refused = (error: string, description: string, more: Record<string, string> = {}): Answer =>
      // Entra's second version says admin_consent=True beside an error, too.
      back(call, { admin_consent: 'True', error, error_description: description, ...more });
    if (!account.mayConsent) {
      if (call.query.get('answer') === 'back')
        return refused('access_denied', 'AADSTS90094: The grant requires admin permission.');
      return needsApproval(call, account);
    }
    const given = call.query.get('answer');
    if (given === 'accept') {
      const { permissions, delayMs } = state.graph;
      account.tenant.ours = {
        roles: [...permissions],
        from: new Date(call.at.getTime() + delayMs).toISOString(),
      };
      touch();
      return back(call, {
        admin_consent: 'True',
        tenant: account.tenant.id,
        scope: permissions.map((one) => `https://graph.microsoft.com/${one}`).join(' '),
      });
    }
    if (given === 'decline')
      return refused('access_denied', 'AADSTS65004: User declined to consent to access the app.', {
        error_subcode: 'cancel',
      });
    return question(call, account);
  }

  function signIn(call: Call, account: Account): Answer {
    if (call.query.get('response_type') !== 'code') return back(call, { error: 'unsupported_response_type' });
    const challenge = call.query.get('code_challenge');
    if (challenge === null || call.query.get('code_challenge_method') !== 'S256')
      return back(call, { error: 'invalid_request', error_description: 'AADSTS9002325: PKCE is required.' });
    const code = randomBytes(32).toString('base64url');
    codes.set(code, {
      account,
      directory: account.tenant.id,
      redirectUri: call.query.get('redirect_uri') ?? '',
      challenge,
      nonce: call.query.get('nonce'),
      until: call.at.getTime() + codeMs,
    });
    return back(call, { code, session_state: randomUUID() });
  }

  function exchange(call: Call, directory: string, form: URLSearchParams): Answer {
    const problem = credentialProblem(call, state.graph, form, directory);
    if (problem !== undefined) return problem;
    const given = form.get('code') ?? '';
    if (used.has(given)) return aadsts(call, 54005);
    const code = codes.get(given);
    if (code === undefined) return aadsts(call, 70000);
    codes.delete(given);
    used.add(given);
    if (code.until < call.at.getTime()) return aadsts(call, 70008);
    if (directory !== many && directory !== code.directory) return aadsts(call, 70000);
    if (form.get('redirect_uri') !== code.redirectUri) return aadsts(call, 50011);
    const digest = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url');
    if (digest !== code.challenge) return aadsts(call, 501481);
    return json(
      200,
      {
        token_type: 'Bearer',
        scope: 'openid profile',
        expires_in: tokenSeconds,
        ext_expires_in: tokenSeconds,
        access_token: randomBytes(40).toString('base64url'),
        id_token: idToken(code, call.at),
      },
      { 'cache-control': 'no-store' },
    );
  }

  /** The next one may be ordered to be wrong: other claims (null: left out), or another key. */
  function idToken({ account, nonce }: Code, at: Date): string {
    const { claims = {}, sign = 'right' } = state.graph.nextIdToken ?? {};
    delete state.graph.nextIdToken;
    touch();
    const now = Math.floor(at.getTime() / 1000);
    const { tenant } = account;
    const all: Record<string, unknown> = {
      aud: state.graph.appId,
      iss: `https://login.microsoftonline.com/${tenant.id}/v2.0`,
      iat: now,
      nbf: now,
      exp: now + tokenSeconds,
      name: account.name,
      ...(nonce === null ? {} : { nonce }),
      oid: account.oid,
      preferred_username: account.address,
      sub: Buffer.from(`${account.oid} ${state.graph.appId}`).toString('base64url').slice(0, 43),
      tid: tenant.id,
      uti: randomUUID(),
      ver: '2.0',
      wids: account.wids,
      ...claims,
    };
    const kept = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null));
    const known = state.keys.entra[0] ?? '';
    return sign === 'right'
      ? signToken(known, kept)
      : signToken(state.keys.other, kept, { kid: pairOf(known).kid });
  }

  function choice(call: Call, tenant: SandboxTenant | undefined): Answer {
    const rows = accountsAt(state, tenant).map(
      (one) => `<li><a class="person" href="?${escapeHtml(withQuery(call, { account: one.key }))}">
      <span class="who"><b>${escapeHtml(one.name)}</b><span class="quiet">${escapeHtml(one.address)}</span></span></a></li>`,
    );
    return sandboxPage(
      'Pick an account',
      `<p class="quiet">This page stands in for Microsoft's sign-in and asks for no password.</p><ul class="people">${rows.join('')}</ul>`,
    );
  }

  function question(call: Call, account: Account): Answer {
    const permissions = state.graph.permissions.map((one) => `<li>${escapeHtml(one)}</li>`).join('');
    return sandboxPage(
      'Permissions requested',
      `<p>Watchpost would like, for all of <b>${escapeHtml(account.tenant.name)}</b>:</p><ul>${permissions}</ul>
  <p><a class="main" href="?${escapeHtml(withQuery(call, { account: account.key, answer: 'accept' }))}">Accept</a>
  &nbsp; <a href="?${escapeHtml(withQuery(call, { account: account.key, answer: 'decline' }))}">Cancel</a></p>`,
    );
  }

  function needsApproval(call: Call, account: Account): Answer {
    return sandboxPage(
      'Need admin approval',
      `<p>${escapeHtml(account.name)} may not consent to this for the organisation.</p><p class="quiet">AADSTS90094</p>
  <p><a href="?${escapeHtml(withQuery(call, { account: account.key, answer: 'back' }))}">Return to the application without granting consent</a></p>
  <p><a href="?${escapeHtml(again(call))}">Have an admin account? Sign in with that account</a></p>`,
    );
  }

  return { answer };
}

function isRegistered(redirect: string): boolean {
  return URL.parse(redirect)?.pathname === '/connect/callback';
}

function withQuery(call: Call, members: Record<string, string>): string {
  const query = new URLSearchParams(call.query);
  for (const [name, value] of Object.entries(members)) query.set(name, value);
  return query.toString();
}

function again(call: Call): string {
  const query = new URLSearchParams(call.query);
  query.delete('answer');
  query.set('account', '');
  return query.toString();
}

function lastAccount(call: Call): string | undefined {
  const found = new RegExp(`(?:^|; ?)${cookie}=([\\w.%-]{1,300})(?:;|$)`).exec(call.headers.cookie ?? '');
  return found?.[1] === undefined ? undefined : decodeURIComponent(found[1]);
}

function back(call: Call, members: Record<string, string>): Answer {
  const target = new URL(call.query.get('redirect_uri') ?? '');
  const state = call.query.get('state');
  for (const [name, value] of Object.entries({ ...members, ...(state === null ? {} : { state }) }))
    target.searchParams.set(name, value);
  return { status: 302, headers: { location: target.href, 'cache-control': 'no-store' } };
}

/** Microsoft's own page, which leads nowhere but, sometimes, to another account. */
function stuck(code: number, words: string, other?: string): Answer {
  const link = other === undefined ? '' : `<p><a href="?${escapeHtml(other)}">Use another account</a></p>`;
  return sandboxPage(
    'That did not work',
    `<p>${escapeHtml(words)}</p><p class="quiet">AADSTS${code}</p>${link}`,
    400,
  );
}

function sandboxPage(title: string, body: string, status = 200): Answer {
  return page({
    title,
    kind: 'narrow',
    status,
    body: `<main class="card sign-in"><p class="badge">Sandbox</p><h1>${escapeHtml(title)}</h1>${body}</main>`,
  });
}
