/**
 * What a domain says about who may send in its name (RFC 7208). `all`: what happens to everybody else; `redirect`:
 * another domain decides. `sendsNothing`: exactly `v=spf1 -all`, a domain that sends no mail.
 */
export type Spf =
  | { kind: 'ok'; all: 'fail' | 'softfail' | 'neutral' | 'pass' | 'none' | 'redirect'; sendsNothing: boolean }
  | { kind: 'none' }
  | { kind: 'wrong'; why: string };

const mechanisms = /^(all|include|a|mx|ptr|ip4|ip6|exists)$/;
/** Those that make the receiver look something up; more than ten of them void the record. */
const asking = /^(include|a|mx|ptr|exists)$/;
const mostLookups = 10;
const qualifiers = { '-': 'fail', '~': 'softfail', '?': 'neutral', '+': 'pass' } as const;

/** The SPF policy among all TXT records of a domain; each record is its chunks joined, as they came. */
export function spfOf(records: readonly string[]): Spf {
  const own = records.filter((text) => /^v=spf1(?: |$)/i.test(text));
  const [record] = own;
  if (record === undefined) return { kind: 'none' };
  if (own.length > 1) return { kind: 'wrong', why: `there are ${own.length} SPF records, so none counts` };
  return termsOf(record.slice('v=spf1'.length).trim().split(/ +/).filter(Boolean));
}

function termsOf(terms: string[]): Spf {
  let all: Extract<Spf, { kind: 'ok' }>['all'] = 'none';
  let decided = false;
  let redirects = 0;
  let lookups = 0;
  for (const term of terms) {
    const modifier = /^([A-Za-z][A-Za-z0-9_.-]*)=(.*)$/.exec(term);
    if (modifier !== null) {
      if (modifier[1]?.toLowerCase() !== 'redirect') continue;
      redirects += 1;
      if (redirects > 1 || modifier[2] === '') return wrong('its redirect cannot be read');
      continue;
    }
    const found = /^([-~?+]?)([A-Za-z0-9]+)(?:[:/](.*))?$/.exec(term);
    const name = found?.[2]?.toLowerCase() ?? '';
    if (found === null || !mechanisms.test(name)) return wrong(`“${short(term)}” is nothing SPF knows`);
    const argument = found[3] ?? '';
    if (/^(include|exists|ip4|ip6)$/.test(name) && argument === '')
      return wrong(`“${short(term)}” names nothing`);
    if (name === 'ip4' && !/^\d{1,3}(\.\d{1,3}){3}(\/\d{1,2})?$/.test(argument))
      return wrong(`“${short(term)}” is no address`);
    if (name === 'ip6' && !/^[0-9a-f:.]+(\/\d{1,3})?$/i.test(argument))
      return wrong(`“${short(term)}” is no address`);
    // What comes after `all` is never looked at.
    if (decided) continue;
    if (asking.test(name)) lookups += 1;
    if (name !== 'all') continue;
    decided = true;
    all = qualifiers[(found[1] || '+') as keyof typeof qualifiers];
  }
  if (!decided && redirects === 1) {
    all = 'redirect';
    lookups += 1;
  }
  if (lookups > mostLookups) return wrong(`it needs ${lookups} look-ups, and ten are allowed`);
  return { kind: 'ok', all, sendsNothing: terms.length === 1 && all === 'fail' };
}

function wrong(why: string): Spf {
  return { kind: 'wrong', why };
}

function short(term: string): string {
  return term.length > 40 ? `${term.slice(0, 39)}…` : term;
}
