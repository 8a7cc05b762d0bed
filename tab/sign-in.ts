import type { TabConfig } from '../shared/api.ts';
import { exchangeCode } from './api.ts';

type Sandbox = Extract<TabConfig, { signIn: 'sandbox' }>;

/** What must survive the way to the sign-in page and back: never a token. */
type Pending = { state: string; verifier: string; back: string };
const key = 'watchpost.sign-in';

/**
 * Leaves for the sign-in page: code + PKCE (S256) with a fresh state of 256 bits. With the prompt `none` it asks
 * nothing and comes back at once, with a code or with `login_required`.
 */
export async function startSignIn(
  sandbox: Sandbox,
  back: string,
  prompt: 'none' | 'select_account',
): Promise<void> {
  const pending: Pending = { state: random(), verifier: random(), back };
  sessionStorage.setItem(key, JSON.stringify(pending));
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(pending.verifier));
  const query = new URLSearchParams({
    client_id: sandbox.clientId,
    response_type: 'code',
    response_mode: 'query',
    redirect_uri: redirectUri(),
    scope: `openid profile ${sandbox.scope}`,
    state: pending.state,
    code_challenge: base64url(new Uint8Array(digest)),
    code_challenge_method: 'S256',
    prompt,
  });
  const address = `${sandbox.authorizeUrl}?${query}`;
  // What asks nothing is no step to go back to.
  if (prompt === 'none') window.location.replace(address);
  else window.location.assign(address);
}

export type SignInResult =
  | { kind: 'none' }
  | { kind: 'token'; token: string; back: string }
  /** Nobody is signed in there. */
  | { kind: 'nobody'; back: string }
  | { kind: 'failed'; why: string; back: string | null };

/**
 * What the sign-in page sent back in this address, if anything: the code is taken out of the address at once and
 * exchanged; what was kept for it is used once. The token lives in memory only.
 */
export async function finishSignIn(sandbox: Sandbox): Promise<SignInResult> {
  const query = new URLSearchParams(window.location.search);
  const code = query.get('code');
  const refusal = query.get('error');
  if (code === null && refusal === null) return { kind: 'none' };
  const pending = takePending();
  window.history.replaceState(null, '', window.location.pathname);
  if (pending === null || query.get('state') !== pending.state) {
    const why = 'This sign-in was not started here, or was used already. Try again.';
    return { kind: 'failed', why, back: null };
  }
  const { back } = pending;
  if (refusal === 'login_required') return { kind: 'nobody', back };
  if (code === null) return { kind: 'failed', why: 'You did not sign in.', back };
  try {
    const token = await exchangeCode(sandbox.tokenUrl, {
      client_id: sandbox.clientId,
      grant_type: 'authorization_code',
      code,
      redirect_uri: redirectUri(),
      code_verifier: pending.verifier,
      scope: `openid profile ${sandbox.scope}`,
    });
    return { kind: 'token', token, back };
  } catch (error) {
    const why = error instanceof Error ? error.message : 'The sign-in failed. Try again.';
    return { kind: 'failed', why, back };
  }
}

function takePending(): Pending | null {
  const text = sessionStorage.getItem(key);
  sessionStorage.removeItem(key);
  return text === null ? null : (JSON.parse(text) as Pending);
}

function redirectUri(): string {
  return `${window.location.origin}/tab/`;
}

function random(): string {
  return base64url(crypto.getRandomValues(new Uint8Array(32)));
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}
