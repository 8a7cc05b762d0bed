import type { DkimKey } from './dkim.ts';
import type { Dmarc } from './dmarc.ts';
import type { Spf } from './spf.ts';

/** Not looked up, or the name servers did not answer: never the same as "not there". */
export type NotLookedUp = { kind: 'unknown'; why: string };

/** What the DNS says of one verified domain of a tenant. */
export type MailDomain = {
  name: string;
  isDefault: boolean;
  spf: Spf | NotLookedUp;
  /** By Microsoft's two selectors. */
  dkim: { selector: string; key: DkimKey | NotLookedUp }[];
  /** `from`: the domain above whose policy counts here, when it has none of its own. */
  dmarc: (Dmarc | NotLookedUp) & { from?: string };
};

/** `good`, `fair`, `weak`, or not to be told. */
export type MailMark = { mark: 'good' | 'fair' | 'weak' | 'unknown'; why: string };

/**
 * How well a domain is guarded against mail in its name that it did not send. The rule:
 *
 * - **weak**: anybody can be imitated. No SPF policy that can be read, or one that lets everybody pass (`+all`, `?all`,
 *   no `all`), or no DMARC policy that can be read.
 * - **good**: SPF ends in `-all` or `~all` (or leaves it to another domain), at least one of Microsoft's DKIM selectors
 *   has a key, and DMARC asks to quarantine or reject all failing mail (`pct` 100), of subdomains too. A domain that
 *   sends nothing (`v=spf1 -all` alone) needs no DKIM.
 * - **fair**: everything between: watched (`p=none`), in part (`pct` below 100), or without DKIM at Microsoft.
 * - **unknown**: something that decides was not answered. What is known to be weak stays weak all the same.
 */
export function mailMark({ spf, dkim, dmarc, name }: MailDomain): MailMark {
  if (spf.kind === 'none') return weak('no SPF policy');
  if (spf.kind === 'wrong') return weak(`its SPF policy counts for nothing: ${spf.why}`);
  if (spf.kind === 'ok' && !/^(fail|softfail|redirect)$/.test(spf.all))
    return weak('its SPF policy lets everybody pass');
  if (dmarc.kind === 'none') return weak('no DMARC policy');
  if (dmarc.kind === 'wrong') return weak(`its DMARC policy counts for nothing: ${dmarc.why}`);
  if (spf.kind === 'unknown') return { mark: 'unknown', why: `SPF was not looked up: ${spf.why}` };
  if (dmarc.kind === 'unknown') return { mark: 'unknown', why: `DMARC was not looked up: ${dmarc.why}` };
  // Of the domain above, what it asks for subdomains counts.
  const policy = dmarc.from === undefined ? dmarc.policy : dmarc.subdomains;
  if (policy === 'none') return { mark: 'fair', why: 'DMARC only watches (p=none)' };
  if (dmarc.pct < 100) return { mark: 'fair', why: `DMARC acts on ${dmarc.pct} % of failing mail` };
  if (dmarc.from === undefined && dmarc.subdomains === 'none') {
    return { mark: 'fair', why: 'DMARC leaves out subdomains (sp=none)' };
  }
  const ready = `SPF and DMARC (p=${policy}) are in force`;
  if (spf.sendsNothing) return { mark: 'good', why: `${name} sends no mail, and ${ready}` };
  if (dkim.some(({ key }) => key.kind === 'ok')) return { mark: 'good', why: `${ready}, and mail is signed` };
  if (dkim.some(({ key }) => key.kind === 'unknown'))
    return { mark: 'unknown', why: 'DKIM was not looked up' };
  return { mark: 'fair', why: `${ready}; no DKIM key at Microsoft's selectors` };
}

function weak(why: string): MailMark {
  return { mark: 'weak', why };
}
