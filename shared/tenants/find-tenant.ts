import { distance } from 'fastest-levenshtein';
import type { Tenant } from './tenant.ts';

export type Found =
  | { kind: 'one'; tenant: Tenant }
  | { kind: 'several'; tenants: Tenant[] }
  /** `nearest`: at most three, best first; only of the tenants that were passed in (I-5). */
  | { kind: 'none'; nearest: Tenant[] };

/** What is compared of a tenant, computed once per tenant object. */
type Names = { full: string; short: string; words: string[]; labels: string[] };
const known = new WeakMap<Tenant, Names>();

/** Who is found by the whole of a domain or an id, and by the whole of a name. */
type Index = { domains: Map<string, Tenant[]>; full: Map<string, Tenant[]> };
/** Of lists that nobody can change: the store gives the same one to many turns. */
const indexes = new WeakMap<readonly Tenant[], Index>();

/**
 * Looks a tenant up as people name one: by a verified domain, its name, the name without "Ltd" and the like, its
 * beginning, the beginnings of its words. The first of these that fits anybody decides. Case, accents and
 * punctuation do not matter. Pass only tenants that may be seen: nothing else can come back.
 */
export function findTenant(name: string, tenants: readonly Tenant[]): Found {
  const bounded = name.slice(0, 200);
  const typed = bounded.trim().toLowerCase();
  if (typed === '') return { kind: 'none', nearest: [] };
  const index = Object.isFrozen(tenants) ? indexOf(tenants) : undefined;
  const byDomain =
    index === undefined
      ? tenants.filter((tenant) => tenant.domains.includes(typed) || tenant.id === typed)
      : index.domains.get(typed);
  if (byDomain !== undefined && byDomain.length > 0) return decided(byDomain);

  const wanted = foldName(bounded);
  if (wanted === '') return { kind: 'none', nearest: [] };
  const byName = index?.full.get(wanted);
  if (byName !== undefined) return decided(byName);
  const short = withoutSuffix(wanted);
  const wordsWanted = wanted.split(' ');
  const tries: ((names: Names) => boolean)[] = [
    (names) => names.full === wanted,
    (names) => names.short === short || names.labels.includes(wanted),
    (names) => names.full.startsWith(wanted) || names.labels.some((label) => label.startsWith(wanted)),
    (names) => beginsWords(names.words, wordsWanted),
  ];
  for (const fits of tries) {
    const found = tenants.filter((tenant) => fits(namesOf(tenant)));
    if (found.length > 0) return decided(found);
  }
  return { kind: 'none', nearest: nearest(short, tenants) };
}

/** Is the text just the name or a domain of one of these tenants? Beginnings of names do not count. */
export function isNameOf(text: string, tenants: readonly Tenant[]): boolean {
  const bounded = text.slice(0, 200);
  const typed = bounded.trim().toLowerCase();
  const wanted = foldName(bounded);
  if (wanted === '') return false;
  const short = withoutSuffix(wanted);
  return tenants.some((tenant) => {
    const names = namesOf(tenant);
    return tenant.domains.includes(typed) || names.short === short || names.labels.includes(wanted);
  });
}

function indexOf(tenants: readonly Tenant[]): Index {
  const before = indexes.get(tenants);
  if (before !== undefined) return before;
  const index: Index = { domains: new Map(), full: new Map() };
  for (const tenant of tenants) {
    for (const key of new Set([tenant.id, ...tenant.domains])) put(index.domains, key, tenant);
    put(index.full, namesOf(tenant).full, tenant);
  }
  indexes.set(tenants, index);
  return index;
}

function put(map: Map<string, Tenant[]>, key: string, tenant: Tenant): void {
  const there = map.get(key);
  if (there === undefined) map.set(key, [tenant]);
  else there.push(tenant);
}

function decided(found: readonly Tenant[]): Found {
  const [only, ...others] = found;
  return only !== undefined && others.length === 0
    ? { kind: 'one', tenant: only }
    : { kind: 'several', tenants: [...found] };
}

function namesOf(tenant: Tenant): Names {
  const before = known.get(tenant);
  if (before !== undefined) return before;
  const full = foldName(tenant.name.slice(0, 200));
  const labels = tenant.domains
    .map((domain) => foldName(domain.split('.')[0] ?? ''))
    .filter((label) => label !== '');
  const names = { full, short: withoutSuffix(full), words: full.split(' '), labels };
  known.set(tenant, names);
  return names;
}

const letters: Record<string, string> = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  ł: 'l',
  đ: 'd',
  ð: 'd',
  þ: 'th',
  ı: 'i',
};

/** Lower case, without accents and punctuation, one space between words: "Żółć & Söhne, s.r.o." → "zolc and sohne sro". */
export function foldName(name: string): string {
  const spaced = name
    .toWellFormed()
    .normalize('NFKD')
    .toLowerCase()
    .replace(/\p{M}+/gu, '')
    .replace(/[ßæœøłđðþı]/g, (letter) => letters[letter] ?? letter)
    .replace(/&/g, ' and ')
    .replace(/['’ʼ`´]/g, '')
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();
  return joinInitials(spaced.split(' ')).join(' ');
}

/** "s r o" → "sro", "a s" → "as": initials are one word however they were dotted. */
function joinInitials(words: string[]): string[] {
  const joined: string[] = [];
  let run = '';
  for (const word of words) {
    if (/^\p{L}$/u.test(word)) {
      run += word;
      continue;
    }
    if (run !== '') joined.push(run);
    run = '';
    if (word !== '') joined.push(word);
  }
  if (run !== '') joined.push(run);
  return joined;
}

const suffixes = new Set(
  (
    'ltd limited inc incorporated corp corporation co company llc llp lp plc pllc gmbh mbh ag kg kgaa ohg ug se ev eg ' +
    'sa sas sasu sarl srl sro spa bv nv vof cv oy oyj ab as asa aps hf ehf kft zrt nyrt doo dd jsc pty pte bhd sdn kk'
  ).split(' '),
);

/** The name without company forms at its end; a name of nothing else stays as it is. */
function withoutSuffix(folded: string): string {
  const words = folded.split(' ');
  let end = words.length;
  while (
    end > 1 &&
    (suffixes.has(words[end - 1] ?? '') || (words[end - 1] === 'and' && end < words.length))
  ) {
    end -= 1;
  }
  return words.slice(0, end).join(' ');
}

/** Every wanted word begins a word of the name, in order: "north tra" fits "Northwind Traders". */
function beginsWords(words: string[], wanted: string[]): boolean {
  let at = 0;
  for (const want of wanted) {
    while (at < words.length && !words[at]?.startsWith(want)) at += 1;
    if (at === words.length) return false;
    at += 1;
  }
  return true;
}

/** Up to three tenants that may have been meant: at most two letters or two fifths of the word away. */
function nearest(wanted: string, tenants: readonly Tenant[]): Tenant[] {
  const text = wanted.slice(0, 80);
  const close: { tenant: Tenant; away: number }[] = [];
  for (const tenant of tenants) {
    const { full, short, words, labels } = namesOf(tenant);
    let away = Number.POSITIVE_INFINITY;
    for (const name of [short, full, ...labels.slice(0, 5), ...words.filter((word) => word.length > 3)]) {
      const bound = Math.max(2, Math.floor(Math.max(text.length, name.length) * 0.4));
      if (Math.abs(text.length - name.length) > bound) continue;
      const steps = distance(text, name.slice(0, 80));
      // Two letters of a two-letter name are the whole name.
      if (steps <= bound && steps < Math.min(text.length, name.length)) away = Math.min(away, steps);
    }
    if (away < Number.POSITIVE_INFINITY) close.push({ tenant, away });
  }
  close.sort((a, b) => a.away - b.away || (a.tenant.name < b.tenant.name ? -1 : 1));
  return close.slice(0, 3).map(({ tenant }) => tenant);
}
