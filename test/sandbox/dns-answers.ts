import type { DnsEntry } from './dns-wire.ts';
import { seeded } from './seeded.ts';
import { findTenant, type State } from './state.ts';

/** How a domain guards its mail, from best to worst; each tenant of the demo is another one. */
const kinds = ['good', 'watched', 'noDkim', 'noDmarc', 'twice'] as const;
type Kind = (typeof kinds)[number];
const demo: Record<string, Kind> = {
  'contoso.com': 'watched',
  'fabrikam.com': 'noDkim',
  'northwindtraders.com': 'good',
  'adventure-works.com': 'twice',
  'woodgrovebank.com': 'good',
};

const spf = 'v=spf1 include:spf.protection.outlook.com -all';
/** As Microsoft publishes keys: longer than one chunk of a TXT record. */
const key = `v=DKIM1; k=rsa; p=${'MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A'.repeat(12)}`;

/** What the DNS says of the domains of the sandbox's tenants. */
export function dnsAnswers(state: State): (name: string) => DnsEntry | undefined {
  return (name) => {
    const [, service, domain = name] = /^(_dmarc|selector[12]\._domainkey)\.(.+)$/.exec(name) ?? [];
    const tenant = findTenant(state, domain);
    if (tenant === undefined || tenant.domain !== domain) return undefined;
    const random = seeded(`dns ${tenant.seed} ${domain}`);
    const kind = demo[domain] ?? kinds[Math.floor(random() * kinds.length)] ?? 'good';
    if (service === undefined) {
      const other = [`MS=ms${domain.length}1234567`];
      return { txt: [other, [spf], ...(kind === 'twice' ? [['v=spf1 include:_spf.example ~all']] : [])] };
    }
    if (service === '_dmarc') {
      if (kind === 'noDmarc' || kind === 'twice') return undefined;
      const policy = kind === 'watched' ? 'none' : kind === 'good' ? 'reject' : 'quarantine';
      return { txt: [[`v=DMARC1; p=${policy}; rua=mailto:dmarc@${domain}`]] };
    }
    const [selector = ''] = service.split('.');
    const cname = `${selector}-${domain.replaceAll('.', '-')}._domainkey.${domain.split('.')[0]}.onmicrosoft.com`;
    return kind === 'noDkim' || kind === 'twice' ? { cname } : { cname, txt: [key.match(/.{1,255}/g) ?? []] };
  };
}
