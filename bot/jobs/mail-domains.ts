import { type DkimKey, dkimKeyOf, microsoftSelectors } from '../../shared/mail/dkim.ts';
import { type Dmarc, dmarcOf } from '../../shared/mail/dmarc.ts';
import type { MailDomain, NotLookedUp } from '../../shared/mail/mail-domain.ts';
import { type Spf, spfOf } from '../../shared/mail/spf.ts';
import type { Tenant } from '../../shared/tenants/tenant.ts';
import { digest } from '../digest.ts';
import type { Dns, DnsAnswer, Reading } from '../services.ts';

/** Microsoft's own: it publishes and signs for them, and nobody can publish anything there. */
const ofMicrosoft = /\.(onmicrosoft\.(com|us)|partner\.onmschina\.cn)$/;
const mostDomains = 50;
/** For all domains of a tenant: what is not looked up by then is said to be so. */
const patienceMs = 45_000;

/** The tenant's domains that can be looked up, the default one first, at most 50. */
export function lookedUp(tenant: Pick<Tenant, 'domains'>): string[] {
  return tenant.domains.filter((name) => !ofMicrosoft.test(name)).slice(0, mostDomains);
}

/**
 * What the DNS says of a tenant's verified domains, as a reading like those of Graph: unchanged when it is what is
 * known, failed when no question at all was answered. `elapsed` is a clock that only goes forward, in milliseconds.
 */
export async function readMailDomains(
  tenant: Pick<Tenant, 'domain' | 'domains'>,
  dns: Dns,
  known: string | undefined,
  elapsed: () => number = () => performance.now(),
): Promise<Reading<MailDomain[]>> {
  const until = elapsed() + patienceMs;
  const patient: Dns = {
    txt: async (name) => (elapsed() < until ? await dns.txt(name) : tooLate),
    cname: async (name) => (elapsed() < until ? await dns.cname(name) : tooLate),
  };
  const names = lookedUp(tenant);
  const domains = await Promise.all(names.map((name) => readDomain(name, names, tenant.domain, patient)));
  if (domains.length > 0 && domains.every(isSilent)) {
    const why = domains[0]?.spf.kind === 'unknown' ? domains[0].spf.why : 'no answer came';
    return {
      kind: 'failed',
      failure: {
        kind: 'service',
        cause: `The domains were not looked up: ${why}.`,
        remedy: '',
        transient: true,
      },
    };
  }
  const hash = digest(JSON.stringify(domains));
  return hash === known ? { kind: 'unchanged', hash } : { kind: 'ok', value: domains, hash };
}

const tooLate: DnsAnswer = { kind: 'unknown', why: 'there was no time left' };

function isSilent({ spf, dkim, dmarc }: MailDomain): boolean {
  return (
    spf.kind === 'unknown' && dmarc.kind === 'unknown' && dkim.every(({ key }) => key.kind === 'unknown')
  );
}

async function readDomain(name: string, all: string[], standard: string, dns: Dns): Promise<MailDomain> {
  const [spf, dmarc, ...dkim] = await Promise.all([
    dns.txt(name),
    readDmarc(name, all, dns),
    ...microsoftSelectors.map(async (selector) => ({ selector, key: await readKey(name, selector, dns) })),
  ]);
  return { name, isDefault: name === standard, spf: parsed<Spf>(spf, spfOf), dkim, dmarc };
}

function parsed<T>(answer: DnsAnswer, parse: (records: readonly string[]) => T): T | NotLookedUp {
  return answer.kind === 'unknown' ? answer : parse(answer.kind === 'found' ? answer.records : []);
}

/** A domain without a policy of its own has that of the nearest domain above it, among the tenant's own. */
async function readDmarc(name: string, all: string[], dns: Dns): Promise<MailDomain['dmarc']> {
  const own = parsed<Dmarc>(await dns.txt(`_dmarc.${name}`), dmarcOf);
  if (own.kind !== 'none') return own;
  const above = all.filter((one) => name.endsWith(`.${one}`)).sort((a, b) => b.length - a.length);
  for (const from of above) {
    const found = parsed<Dmarc>(await dns.txt(`_dmarc.${from}`), dmarcOf);
    if (found.kind !== 'none') return { ...found, from };
  }
  return own;
}

/** A selector is mostly another name for one at Microsoft; where that has no key, it says where it points. */
async function readKey(name: string, selector: string, dns: Dns): Promise<DkimKey | NotLookedUp> {
  const at = `${selector}._domainkey.${name}`;
  const answer = await dns.txt(at);
  if (answer.kind !== 'none') return parsed(answer, dkimKeyOf);
  const alias = await dns.cname(at);
  const [pointsTo] = alias.kind === 'found' ? alias.records : [];
  return pointsTo === undefined
    ? { kind: 'none' }
    : { kind: 'none', pointsTo: pointsTo.toLowerCase().slice(0, 253) };
}
