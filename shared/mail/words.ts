import { counted } from '../words.ts';
import type { MailDomain } from './mail-domain.ts';

const endings = {
  fail: 'others are refused (−all)',
  softfail: 'others are suspect (~all)',
  neutral: 'says nothing of others (?all)',
  pass: 'lets everybody pass (+all)',
  none: 'says nothing of others',
  redirect: 'another domain decides (redirect)',
} as const;

/** "SPF: others are refused (−all)" */
export function spfWords({ spf }: Pick<MailDomain, 'spf'>): string {
  if (spf.kind === 'none') return 'SPF: none';
  if (spf.kind === 'wrong') return `SPF: void, ${spf.why}`;
  if (spf.kind === 'unknown') return `SPF: not looked up, ${spf.why}`;
  return `SPF: ${spf.sendsNothing ? 'sends no mail (−all)' : endings[spf.all]}`;
}

/** "DKIM: keys at 2 of Microsoft's 2 selectors" */
export function dkimWords({ dkim }: Pick<MailDomain, 'dkim'>): string {
  const good = dkim.filter(({ key }) => key.kind === 'ok').length;
  if (good > 0) return `DKIM: ${counted(good, 'key')} at Microsoft’s ${dkim.length} selectors`;
  const silent = dkim.find(({ key }) => key.kind === 'unknown');
  if (silent?.key.kind === 'unknown') return `DKIM: not looked up, ${silent.key.why}`;
  const dangling = dkim.find(({ key }) => key.kind === 'none' && key.pointsTo !== undefined);
  if (dangling !== undefined)
    return `DKIM: ${dangling.selector} points to Microsoft, but signing is off there`;
  const damaged = dkim.find(({ key }) => key.kind === 'wrong' || key.kind === 'revoked');
  if (damaged?.key.kind === 'wrong') return `DKIM: ${damaged.selector} is void, ${damaged.key.why}`;
  if (damaged !== undefined) return `DKIM: the key at ${damaged.selector} was taken back`;
  return 'DKIM: no key at Microsoft’s selectors';
}

/** "DMARC: p=reject", with the share and the domain it comes from when they matter. */
export function dmarcWords({ dmarc }: Pick<MailDomain, 'dmarc'>): string {
  if (dmarc.kind === 'none') return 'DMARC: none';
  if (dmarc.kind === 'wrong') return `DMARC: void, ${dmarc.why}`;
  if (dmarc.kind === 'unknown') return `DMARC: not looked up, ${dmarc.why}`;
  const policy = dmarc.from === undefined ? dmarc.policy : dmarc.subdomains;
  const share = dmarc.pct < 100 ? `, for ${dmarc.pct} % of mail` : '';
  const from = dmarc.from === undefined ? '' : `, from ${dmarc.from}`;
  return `DMARC: p=${policy}${share}${from}${dmarc.reports ? '' : ', without reports'}`;
}
