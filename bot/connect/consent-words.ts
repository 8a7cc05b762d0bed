import { clean } from '../../shared/foreign-text.ts';
import type { Tenant } from '../../shared/tenants/tenant.ts';
import { listed } from '../../shared/words.ts';
import type { ConnectOutcome, ConnectPass } from '../services.ts';

/** How a try to consent can end, each with its own sentence. `tenant` is whom it was for. */

type Whom = Pick<Tenant, 'name' | 'domain'>;

function failed(says: string, title = 'Nothing was connected'): ConnectOutcome {
  return { kind: 'failed', title, says };
}

export function nameOf({ name, domain }: Whom): string {
  const shown = clean(name, 100);
  return shown.toLowerCase() === domain ? domain : `${shown} (${domain})`;
}

/** What to do next: a link works once, a button again. */
export function onceMore(via: ConnectPass['via']): string {
  return via === 'link'
    ? 'Ask the person who sent you the link for a new one.'
    : 'Close this window and press Sign in with Microsoft again.';
}

export function connected(tenant: Whom): ConnectOutcome {
  return {
    kind: 'connected',
    title: `${nameOf(tenant)} is connected`,
    says: 'Watchpost reads it for the first time now. You can close this window.',
  };
}

export function declined(tenant: Whom, via: ConnectPass['via']): ConnectOutcome {
  return failed(
    `The consent for ${nameOf(tenant)} was declined at Microsoft. ${onceMore(via)}`,
    'Consent was declined',
  );
}

export function notAdministrator(tenant: Whom, via: ConnectPass['via']): ConnectOutcome {
  return failed(
    `The account you used may not consent for ${nameOf(tenant)}. A Global Administrator or a Privileged Role Administrator of that organisation has to do it. ${onceMore(via)}`,
    'Not an administrator',
  );
}

export function rolesNotTold(): ConnectOutcome {
  return failed(
    'Microsoft did not say which roles the account has. Whoever runs this Watchpost sets groupMembershipClaims of its application in Entra to DirectoryRole; then start again.',
  );
}

export function wrongAccount(tenant: Whom, via: ConnectPass['via']): ConnectOutcome {
  return failed(
    `That account belongs to another organisation. Use an account of ${nameOf(tenant)}. ${onceMore(via)}`,
    'Wrong account',
  );
}

export function wrongTenant(tenant: Whom, via: ConnectPass['via']): ConnectOutcome {
  return failed(
    `You signed in to another organisation than ${nameOf(tenant)}, so that one was asked for and not this one. If you consented there, an administrator can take Watchpost away under Enterprise applications. ${onceMore(via)}`,
    'Another organisation',
  );
}

export function atMicrosoft(code: string, via: ConnectPass['via']): ConnectOutcome {
  return failed(`Microsoft ended it (${code}). ${onceMore(via)}`);
}

export function notVerified(via: ConnectPass['via']): ConnectOutcome {
  return failed(`The sign-in could not be verified, so it was not believed. ${onceMore(via)}`);
}

export function microsoftAway(cause: string, via: ConnectPass['via']): ConnectOutcome {
  return failed(`${cause} ${onceMore(via)}`);
}

export function tooSlow(via: ConnectPass['via']): ConnectOutcome {
  return failed(
    `The consent was given, but Microsoft still did not know of it after five minutes. Wait a while; to consent twice does no harm. ${onceMore(via)}`,
    'Microsoft takes longer than usual',
  );
}

export function partial(tenant: Whom, missing: readonly string[], via: ConnectPass['via']): ConnectOutcome {
  const names = listed(missing);
  return failed(
    `The consent for ${nameOf(tenant)} does not cover ${names}. The application's registration in Entra has to ask for ${missing.length === 1 ? 'it' : 'them'}; then an administrator consents again. ${onceMore(via)}`,
    'A permission is missing',
  );
}

export function notReadable(tenant: Whom, says: string, via: ConnectPass['via']): ConnectOutcome {
  return failed(`${nameOf(tenant)} could not be read: ${says} ${onceMore(via)}`);
}

export function gone(): ConnectOutcome {
  return failed('This company is no longer in Watchpost.');
}

/** Of a step that is not good (any more): by what is wrong with it. */
export function unusable(kind: 'unknown' | 'other-session' | 'late' | 'used'): ConnectOutcome {
  const words = {
    unknown: 'Watchpost did not ask for this answer, so it was not believed.',
    'other-session':
      'This answer belongs to another browser window than the one it was asked for in, so it was not believed. Start again in one window; cookies of Watchpost have to be allowed.',
    late: 'That took longer than ten minutes, so it was not believed. Start again.',
    used: 'This answer was used already. If you went back or loaded the page again, start again.',
  };
  return failed(words[kind]);
}

/** By Microsoft's number, of which nothing else is looked at; undefined: none of those we have words for. */
export function byNumber(number: number, tenant: Whom, via: ConnectPass['via']): ConnectOutcome | undefined {
  if ([65004, 65001].includes(number)) return declined(tenant, via);
  if ([90094, 90095, 90097, 90093].includes(number)) return notAdministrator(tenant, via);
  if ([50020, 50034, 16000, 51004, 500200].includes(number)) return wrongAccount(tenant, via);
  return undefined;
}
