import { parseTags } from './tags.ts';

/** What receivers are asked to do with mail that fails (RFC 7489). `pct`: the share of it, in percent. */
export type Dmarc =
  | {
      kind: 'ok';
      policy: DmarcPolicy;
      /** For subdomains; the same as `policy` unless another is named. */
      subdomains: DmarcPolicy;
      pct: number;
      /** Somebody gets the reports. */
      reports: boolean;
    }
  | { kind: 'none' }
  | { kind: 'wrong'; why: string };
export type DmarcPolicy = 'none' | 'quarantine' | 'reject';

const policies: readonly DmarcPolicy[] = ['none', 'quarantine', 'reject'];

/** The policy among the TXT records at `_dmarc.`; other records there are passed over, two of them are none. */
export function dmarcOf(records: readonly string[]): Dmarc {
  const own = records.filter((text) => /^v\s*=\s*DMARC1\s*(;|$)/.test(text));
  const [record] = own;
  if (record === undefined) return { kind: 'none' };
  if (own.length > 1) return wrong(`there are ${own.length} DMARC records, so none counts`);
  const { tags, wrong: problem } = parseTags(record);
  if (problem !== null) return wrong(problem);
  const reports = /mailto:[^\s,;]+@/i.test(tags.get('rua') ?? '');
  const policy = policyIn(tags.get('p'));
  if (policy === undefined) {
    // With somewhere to report to, a missing or unreadable policy means "none"; without, nothing at all.
    return reports
      ? { kind: 'ok', policy: 'none', subdomains: 'none', pct: 100, reports }
      : wrong('it has no policy (p)');
  }
  const share = tags.get('pct') ?? '100';
  const pct = /^\d{1,3}$/.test(share) ? Number(share) : 101;
  if (pct > 100) return wrong('its share (pct) is no percentage');
  const named = tags.get('sp');
  const subdomains = named === undefined ? policy : policyIn(named);
  if (subdomains === undefined) return wrong('its policy for subdomains (sp) cannot be read');
  return { kind: 'ok', policy, subdomains, pct, reports };
}

function policyIn(text: string | undefined): DmarcPolicy | undefined {
  return policies.find((one) => one === text?.toLowerCase());
}

function wrong(why: string): Dmarc {
  return { kind: 'wrong', why };
}
