import { type Customer, knownBy } from './customers.ts';
import { type Allowed, allows } from './truth.ts';

export type Leak = { tenant: string; canary: string; where: string; text: string };

export type Judge = {
  /** Canaries in `content` of tenants that `allowed` does not have; what was typed there and echoed is no leak. */
  leaks(content: unknown, allowed: Allowed, typed: ReadonlySet<string>, where: string): Leak[];
  /** How many texts were looked at and how many canaries were seen, allowed or not: zero would prove nothing. */
  counts(): { texts: number; seen: number };
};

/** Knows the canaries of all customers. */
export function openJudge(customers: readonly Customer[]): Judge {
  const owners = new Map<string, string>();
  for (const customer of customers) {
    for (const word of customer.words) owners.set(word.slice(0, knownBy), customer.id);
    owners.set(customer.id, customer.id);
    for (const number of [customer.max, customer.current]) owners.set(number.toFixed(1), customer.id);
  }
  let texts = 0;
  let seen = 0;
  return {
    counts: () => ({ texts, seen }),
    leaks(content, allowed, typed, where) {
      const found: Leak[] = [];
      for (const raw of textsOf(content)) {
        texts += 1;
        const text = withoutEcho(raw, typed);
        for (const canary of canariesIn(text)) {
          const tenant = owners.get(canary);
          if (tenant === undefined) continue;
          seen += 1;
          if (!allows(allowed, tenant)) found.push({ tenant, canary, where, text: raw.slice(0, 300) });
        }
        for (const count of tenantCounts(text))
          if (allowed !== 'all' && count > allowed.size)
            found.push({
              tenant: 'how many there are',
              canary: String(count),
              where,
              text: raw.slice(0, 300),
            });
      }
      return found;
    },
  };
}

const shape = new RegExp(
  `zq[a-z]{${knownBy - 2},}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\\b\\d{4}\\.\\d\\b`,
  'gi',
);

function canariesIn(text: string): string[] {
  return (text.match(shape) ?? []).map((found) =>
    found.toLowerCase().startsWith('zq') ? found.slice(0, knownBy).toLowerCase() : found.toLowerCase(),
  );
}

/** "12 tenants": counts are data too (I-5). */
function tenantCounts(text: string): number[] {
  return [...text.matchAll(/\b(\d+) tenants?\b/g)].map((match) => Number(match[1]));
}

/** Texts and numbers of anything sent, without what signs a button: keys, digests and times say nothing. */
export function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value === 'number') return [Number.isInteger(value) ? String(value) : value.toFixed(1)];
  if (Array.isArray(value)) return value.flatMap(textsOf);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) =>
    name === 'mac' || name === 'binding' || name === 'kid' || name === 'exp' ? [] : textsOf(member),
  );
}

/** As compared: letters and digits only, so that escapes and invisible locks do not count. */
export function bare(text: string): string {
  return text.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, '');
}

const echoes = [
  /called "(?<said>[^"]{1,200})"/g,
  /“(?<said>[^”]{1,200})”/g,
  // The rest of a command that is shown again with one name put right.
  /(?<=\b(?:admin|operator|reader|customer|deny) |, )"(?<said>[^"]{1,200})"/g,
  /(?:the address|the object id) (?<said>\S{1,200})/g,
];

/** Quoted words are forgiven when somebody typed exactly them there, whole or up to the cut. */
function withoutEcho(text: string, typed: ReadonlySet<string>): string {
  let left = text;
  for (const echo of echoes)
    left = left.replace(echo, (whole, ...groups) => {
      const { said } = groups.at(-1) as { said: string };
      return typed.has(bare(said)) ? '' : whole;
    });
  return left;
}
