import { type Role, roles } from './access.ts';
import { parseThreshold, type Threshold } from './alerts/threshold.ts';
import { rowOf } from './command-table.ts';
import { withoutTagWords } from './command-tags.ts';
import { simplified, trimEnd, type Word, words } from './command-text.ts';
import { plain } from './foreign-text.ts';

/** What a person asked for, parsed from chat text or from a card's action. Names are as typed, not looked up. */
export type Command =
  | { kind: 'score'; tenant: string }
  | { kind: 'ranking'; page: number }
  | { kind: 'tenants'; page: number }
  /** Without a name all of them, what needs somebody first. */
  | { kind: 'health'; tenant: string; page: number }
  | { kind: 'connect'; tenant: string }
  | { kind: 'sync'; tenant: string }
  /** At least one name, or all there are. */
  | { kind: 'watch'; tenants: 'all' | string[] }
  | { kind: 'watching' }
  | { kind: 'unwatch'; tenants: 'all' | string[] }
  | { kind: 'threshold'; tenant: string; threshold: Threshold }
  /** `unknown` is escaped for showing; `said` is the whole of it as typed: it may be the name of a tenant. */
  | { kind: 'help'; unknown?: string; said?: string }
  | { kind: 'who-am-i' }
  | { kind: 'people'; page: number }
  /** No tenants and no tags: all there are. */
  | { kind: 'grant'; person: PersonRef; role: Role; tenants: string[]; tags?: string[]; until?: string }
  | { kind: 'deny'; person: PersonRef; tenants: 'all' | string[]; tags: string[]; until?: string }
  /** `what`: the roles of a person, or what was denied. */
  | { kind: 'revoke'; person: PersonRef; what?: 'denies' }
  | {
      kind: 'bind';
      to: { kind: 'internal' } | { kind: 'tenant'; tenant: string } | { kind: 'code'; code: string };
    }
  | { kind: 'unbind' }
  | { kind: 'claim'; code: string }
  /** Understood, but something is missing or wrong: `say` is the sentence, `usage` the form. */
  | { kind: 'misused'; command: string; say: string; usage: string };

/** A person as named in a command: by mention (Teams' user id), address, or Entra object id. */
export type PersonRef =
  | { by: 'mention'; teamsId: string; text: string }
  | { by: 'address'; address: string }
  | { by: 'oid'; oid: string };

/** A mention in a message, as in `activity.entities`. */
export type Mention = { teamsId: string; text: string; isBot: boolean };

/** The name of a command, the same noun in `bot/commands/`, help and the manifest. */
export type CommandName =
  | 'score'
  | 'tenants'
  | 'health'
  | 'connect'
  | 'sync'
  | 'watch'
  | 'watching'
  | 'unwatch'
  | 'threshold'
  | 'help'
  | 'who am i'
  | 'people'
  | 'grant'
  | 'revoke'
  | 'bind'
  | 'unbind'
  | 'claim';

/**
 * What a person asked for, from the text of a message and its mentions. Takes any text of any length, never throws,
 * and always has an answer: what it does not know becomes `help`. Names are as typed, looked up later.
 */
export function parseCommand(text: string, mentions: readonly Mention[]): Command {
  // Copied out of help, a command brings its back-ticks or asterisks along.
  const line = simplified(text, mentions).replace(/^[`*_ ]+|[`*_ ]+$/g, '');
  const all = words(line.replace(/^[/\\!]+ ?/, ''));
  const only = all.length === 1 && all[0]?.quoted ? all[0].text : undefined;
  return understand(only === undefined ? all : words(only.replace(/^\/ ?/, '')), mentions);
}

const greetings = new Set(['help', 'hi', 'hello', 'hey', 'hallo', 'start', 'menu', 'commands', 'usage']);

function understand(all: Word[], mentions: readonly Mention[]): Command {
  const [first, ...rest] = all;
  const spoken = (word: Word | undefined): string =>
    word === undefined ? '' : trimEnd(word.text).normalize('NFKC').toLowerCase();
  // Somebody mentioned in front of the command is no part of it: "@Bo score contoso".
  if (first?.mention !== undefined) return understand(rest, mentions);
  const verb = spoken(first);
  if (verb === '' || greetings.has(verb)) return { kind: 'help' };

  switch (verb) {
    case 'score':
    case 'scores':
    case 'ranking':
      return scoreCommand(rest);
    case 'tenant':
    case 'tenants':
      return { kind: 'tenants', page: pageOf(rest) ?? 1 };
    case 'health':
      return healthCommand(rest);
    case 'connect':
    case 'reconnect':
      return connectCommand(rest);
    case 'sync':
      return syncCommand(rest);
    case 'watch':
      return watchCommand(rest);
    case 'watching':
      return { kind: 'watching' };
    case 'unwatch':
      return unwatchCommand(rest);
    case 'threshold':
      return thresholdCommand(rest);
    case 'whoami':
    case 'who-am-i':
      return { kind: 'who-am-i' };
    case 'who':
      if (spoken(rest[0]) === 'am' && spoken(rest[1]) === 'i') return { kind: 'who-am-i' };
      break;
    case 'people':
      return { kind: 'people', page: pageOf(rest) ?? 1 };
    case 'grant':
      return grantCommand(rest, mentions);
    case 'deny':
      return denyCommand(rest, mentions);
    case 'revoke':
      return revokeCommand(rest, mentions);
    case 'bind':
      return bindCommand(rest);
    case 'unbind':
      return { kind: 'unbind' };
    case 'claim':
      return claimCommand(rest);
  }
  const name = nameIn(withoutOpening(all.filter((word) => word.mention === undefined)));
  if (name !== '' && asksForScore(all)) return { kind: 'score', tenant: name };
  return { kind: 'help', unknown: plain(first?.text ?? '', 80), ...(name === '' ? {} : { said: name }) };
}

const openings =
  /^(?:please|what|what[’']s|whats|is|how|how[’']s|hows|show|give|tell|me|the|a|secure|current|score)$/i;

/** The words after "what is the score of", "how is" and the like; at most eight go. */
function withoutOpening(all: Word[]): Word[] {
  let from = 0;
  while (from < Math.min(all.length - 1, 8) && !all[from]?.quoted && openings.test(all[from]?.text ?? ''))
    from += 1;
  return all.slice(from);
}

/** "what is the score of contoso": the opening itself names the command. */
function asksForScore(all: Word[]): boolean {
  const opening = all.slice(0, all.length - withoutOpening(all).length);
  const [first] = opening;
  return (
    /^(?:what|what[’']s|whats|show|give|tell|please)$/i.test(first?.text ?? '') &&
    opening.some((word) => /^score$/i.test(word.text))
  );
}

function scoreCommand(rest: Word[]): Command {
  const page = pageOf(rest);
  if (page !== undefined) return { kind: 'ranking', page };
  const tenant = nameIn(rest);
  return tenant === '' ? { kind: 'ranking', page: 1 } : { kind: 'score', tenant };
}

function connectCommand(rest: Word[]): Command {
  const tenant = nameIn(rest);
  return tenant === '' ? misused('connect', 'Which tenant shall be connected?') : { kind: 'connect', tenant };
}

function healthCommand(rest: Word[]): Command {
  const page = pageOf(rest);
  return { kind: 'health', tenant: page === undefined ? nameIn(rest) : '', page: page ?? 1 };
}

function syncCommand(rest: Word[]): Command {
  const tenant = nameIn(rest);
  if (tenant === '') return misused('sync', 'Which tenant shall I sync?');
  return { kind: 'sync', tenant };
}

function watchCommand(rest: Word[]): Command {
  const named = namedTenants(rest, 'watch');
  if (named === 'none') {
    return misused(
      'watch',
      'Which tenants shall be watched here? Name them with commas between, or say all.',
    );
  }
  return named === 'all' || Array.isArray(named) ? { kind: 'watch', tenants: named } : named;
}

/** Without a name it is all. */
function unwatchCommand(rest: Word[]): Command {
  const named = namedTenants(rest, 'unwatch');
  if (named === 'none') return { kind: 'unwatch', tenants: 'all' };
  return named === 'all' || Array.isArray(named) ? { kind: 'unwatch', tenants: named } : named;
}

const mostNamed = 50;

/** Names between commas, `all`, or nothing; a sentence where not everything that was said would be done. */
function namedTenants(rest: Word[], command: CommandName): 'all' | 'none' | string[] | Command {
  const said = rest.filter(
    (word) => word.mention === undefined && (word.quoted || trimEnd(word.text) !== ''),
  );
  if (said.length === 0) return 'none';
  const names = tenantNames(said);
  if (names === null) return misused(command, 'Write commas between tenants.');
  if (said.some((word) => !word.quoted && /^all$/i.test(trimBrackets(trimEnd(word.text))))) {
    return names.length === 0 ? 'all' : misused(command, 'Say all, or name tenants; not both.');
  }
  if (names.length > mostNamed)
    return misused(command, `Name at most ${mostNamed} tenants at once, or say all.`);
  return names.length === 0 ? 'none' : names;
}

/** The name, then the threshold: as much of the end as can be read as one. */
function thresholdCommand(rest: Word[]): Command {
  const said = rest.filter((word) => word.mention === undefined);
  let why = '';
  for (let at = 0; at < said.length; at += 1) {
    const first = said[at];
    if (first === undefined || first.quoted) continue;
    const parsed = parseThreshold(thresholdText(said.slice(at)));
    if (parsed.kind === 'wrong') {
      // What begins with a figure was meant as one: the reason is told if nothing else fits. A whole one with more
      // behind it is no part of a name: "3% or 4%" must not become a tenant called "contoso 3% or".
      if (at > 0 && why === '' && /^[0-9]/.test(first.text)) why = parsed.say;
      if (at > 0 && [1, 2].some((many) => isThreshold(said.slice(at, at + many)))) break;
      continue;
    }
    const name = nameIn(withoutTo(said.slice(0, at)));
    if (name === '') return misused('threshold', 'For which tenant? Its name comes before the figure.');
    if (/^all$/i.test(name) && !said[0]?.quoted) {
      return misused('threshold', 'A threshold is for one tenant at a time. Name it.');
    }
    return { kind: 'threshold', tenant: name, threshold: parsed.threshold };
  }
  if (said.length === 0) return misused('threshold', 'For which tenant, and from which loss on?');
  if (why !== '') return misused('threshold', why);
  const asked = parseThreshold('');
  return misused('threshold', asked.kind === 'wrong' ? asked.say : '');
}

function isThreshold(said: Word[]): boolean {
  return /^[0-9]/.test(said[0]?.text ?? '') && parseThreshold(thresholdText(said)).kind === 'threshold';
}

/** The words as they were typed; the comma of "2,5 %" is no separator. */
function thresholdText(said: Word[]): string {
  return trimEnd(said.map((word) => word.text + (word.comma ? ',' : '')).join(' ')).replace(
    /(?<=(?:^| )[0-9]+), (?=[0-9])/g,
    ',',
  );
}

/** "contoso to 3%", "contoso = 3%" */
function withoutTo(said: Word[]): Word[] {
  const last = said.at(-1);
  const links = last !== undefined && !last.quoted && /^(?:to|at|is|from|=|:)$/i.test(last.text);
  return links && said.length > 1 ? said.slice(0, -1) : said;
}

/** "2" or "page 2", unquoted; undefined when it is a name. */
function pageOf(rest: Word[]): number | undefined {
  const said = rest.filter((word) => word.mention === undefined);
  if (said.some((word) => word.quoted)) return undefined;
  const text = said.map((word) => trimEnd(word.text).toLowerCase()).join(' ');
  const page = /^(?:page )?([0-9]{1,6})$/.exec(text)?.[1];
  return page === undefined ? undefined : Math.max(1, Number(page));
}

/** The name that follows a command: the quoted part when there is one, else everything; at most 200 characters. */
function nameIn(rest: Word[]): string {
  const said = rest.filter((word) => word.mention === undefined);
  const [first] = said;
  const linked = first !== undefined && !first.quoted && /^(?:for|of)$/i.test(first.text) && said.length > 1;
  return nameOf(linked ? said.slice(1) : said);
}

function nameOf(said: Word[]): string {
  const quoted = said.find((word) => word.quoted && word.text !== '');
  const name = quoted?.text ?? trimEnd(said.map((word) => word.text + (word.comma ? ',' : '')).join(' '));
  return name.trim().slice(0, 200).toWellFormed();
}

function grantCommand(rest: Word[], mentions: readonly Mention[]): Command {
  const person = personOf(rest[0], mentions);
  if (person === undefined) return misused('grant', whom(rest[0]));
  const after = rest.slice(/^(?:as|=)$/i.test(rest[1]?.text ?? '') ? 2 : 1);
  if (isDeny(after[0])) return denying(person, after.slice(1));
  const role = roleNamed(after[0]);
  if (role === undefined) {
    return misused('grant', 'Which role? Admin, Operator, Reader or Customer; or deny.');
  }
  const end = ending(after.slice(1));
  if (end.kind === 'misused') return end;
  const named = coveredBy(end.said);
  if ('kind' in named) return named;
  const { tenants, tags } = named;
  // Whatever was meant, it was not "all": nothing is given by misunderstanding.
  if (end.said.length > 0 && tenants.length === 0 && tags.length === 0 && !named.saysAll) {
    return misused('grant', 'Which tenants? Name them with commas between, or say all.');
  }
  if (named.saysAll && tags.length > 0) {
    return misused('grant', 'Say all, or name tags; not both.');
  }
  return {
    ...{ kind: 'grant', person, role, tenants },
    ...(tags.length === 0 ? {} : { tags }),
    ...(end.until === undefined ? {} : { until: end.until }),
  };
}

/** `deny @Ana contoso`, the same as `grant @Ana deny contoso`. */
function denyCommand(rest: Word[], mentions: readonly Mention[]): Command {
  const person = personOf(rest[0], mentions);
  return person === undefined ? misused('grant', whom(rest[0])) : denying(person, rest.slice(1));
}

/** What is denied is always said: a word that is missing must not take everything from somebody. */
function denying(person: PersonRef, said: Word[]): Command {
  const end = ending(said);
  if (end.kind === 'misused') return end;
  const named = coveredBy(end.said);
  if ('kind' in named) return named;
  const { tenants, tags, saysAll } = named;
  if (saysAll && tenants.length + tags.length > 0) {
    return misused('grant', 'Deny all, or name tenants and tags; not both.');
  }
  if (!saysAll && tenants.length + tags.length === 0) {
    return misused('grant', 'Deny what? Name tenants or tags with commas between, or say all.');
  }
  return {
    ...{ kind: 'deny', person, tenants: saysAll ? 'all' : tenants, tags },
    ...(end.until === undefined ? {} : { until: end.until }),
  };
}

function isDeny(word: Word | undefined): boolean {
  return /^(?:deny|denied)$/i.test(trimEnd(word?.text ?? ''));
}

/** Tenants by name and tag; a sentence where not everything that was said would be done. */
function coveredBy(said: Word[]): { tenants: string[]; tags: string[]; saysAll: boolean } | Command {
  const parts = withoutTagWords(said);
  if ('wrong' in parts) {
    const what = plain(parts.wrong, 80);
    return misused(
      'grant',
      what === '' ? 'Which tag? Write tag:retail.' : `“${what}” is too long for a tag.`,
    );
  }
  const tenants = tenantNames(parts.rest);
  if (tenants === null) {
    return misused('grant', 'Write commas between tenants, and “until” before a date.');
  }
  const saysAll = parts.rest.some((word) => !word.quoted && /^all$/i.test(trimBrackets(trimEnd(word.text))));
  return { tenants, tags: parts.tags, saysAll };
}

/** What stands before “until”, and the day behind it. */
function ending(tail: Word[]): { kind: 'said'; said: Word[]; until?: string } | Misused {
  const dateAt = tail.findIndex((word) => !word.quoted && trimBrackets(word.text).toLowerCase() === 'until');
  if (dateAt < 0) return { kind: 'said', said: tail };
  const until = tail.slice(dateAt + 1);
  const day = trimBrackets(trimEnd(until[0]?.text ?? ''));
  if (until.length !== 1 || !isDay(day)) {
    const said = plain(until.map((word) => word.text).join(' '), 80);
    const what = said === '' ? 'There is no date after “until”.' : `“${said}” is not a date.`;
    return misused('grant', `${what} Write it as year-month-day: 2027-03-31.`);
  }
  return { kind: 'said', said: tail.slice(0, dateAt), until: day };
}

/**
 * Names between commas; unquoted words up to a comma are one name. `all`, or nothing, is the empty list. Null when
 * words stand beside a quoted name: what is not understood must not be left out.
 */
function tenantNames(said: Word[]): string[] | null {
  const groups: Word[][] = [[]];
  for (const word of said) {
    if (word.mention !== undefined) return null;
    const bare = word.quoted ? word.text : trimBrackets(word.text);
    const group = groups.at(-1) ?? [];
    if (bare !== '' && !(group.length === 0 && !word.quoted && /^(?:for|on|of|in|and)$/i.test(bare))) {
      group.push({ ...word, text: bare, comma: false });
    }
    if (word.comma) groups.push([]);
  }
  const names: string[] = [];
  for (const group of groups) {
    if (group.length === 0) continue;
    const all = group.every((word) => !word.quoted && /^(?:all|tenants?)$/i.test(trimEnd(word.text)));
    if (all) continue;
    if (group.some((word) => word.quoted) && group.length > 1) return null;
    names.push(nameOf(group));
  }
  return names.filter((name) => name !== '').slice(0, 100);
}

function trimBrackets(text: string): string {
  return text.replace(/^\[+|\]+$/g, '').trim();
}

function revokeCommand(rest: Word[], mentions: readonly Mention[]): Command {
  // "revoke deny @Ana" as well as "revoke @Ana deny"
  const deny = rest.findIndex((word) => word.mention === undefined && !word.quoted && isDeny(word));
  const others = deny < 0 ? rest : rest.toSpliced(deny, 1);
  const person = personOf(others[0], mentions);
  if (person === undefined) return misused('revoke', whom(others[0]));
  if (others.length > 1) {
    return misused('revoke', 'One person at a time, and all that the person has: nothing was taken.');
  }
  return { kind: 'revoke', person, ...(deny < 0 ? {} : { what: 'denies' as const }) };
}

/** "bind internal", "bind to contoso", "bind ABCD-EFGH" */
function bindCommand(rest: Word[]): Command {
  const said = rest.filter((word) => word.mention === undefined);
  const linked = /^(?:to|as|for|with)$/i.test(said[0]?.text ?? '') && !said[0]?.quoted && said.length > 1;
  const own = linked ? said.slice(1) : said;
  const name = nameOf(own);
  if (name === '') {
    return misused('bind', 'To whom does this place belong? Say internal, or name a tenant.');
  }
  if (own.some((word) => word.quoted)) return { kind: 'bind', to: { kind: 'tenant', tenant: name } };
  if (/^internal$/i.test(name)) return { kind: 'bind', to: { kind: 'internal' } };
  // The letters and digits of which codes are made: without those that are misread.
  if (/^[A-HJKMNP-Z2-9]{4}[-–— ]?[A-HJKMNP-Z2-9]{4}$/i.test(name) && /[-–—]/.test(name)) {
    return { kind: 'bind', to: { kind: 'code', code: name } };
  }
  return { kind: 'bind', to: { kind: 'tenant', tenant: name } };
}

function claimCommand(rest: Word[]): Command {
  const code = trimEnd(rest.map((word) => word.text).join('')).slice(0, 40);
  if (code === '') return misused('claim', 'The code is missing: it was printed when Watchpost started.');
  return { kind: 'claim', code };
}

const guid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const address = /^[^\s@<>()]{1,64}@[^\s@<>()]{1,190}$/;

function personOf(word: Word | undefined, mentions: readonly Mention[]): PersonRef | undefined {
  if (word === undefined) return undefined;
  const mention = word.mention === undefined ? undefined : mentions[word.mention];
  if (mention !== undefined) return { by: 'mention', teamsId: mention.teamsId, text: mention.text };
  const text = trimEnd(word.text).replace(/^mailto:/i, '');
  if (guid.test(text)) return { by: 'oid', oid: text.toLowerCase() };
  if (address.test(text)) return { by: 'address', address: text.toLowerCase() };
  return undefined;
}

/** Who is meant is not clear: what was typed, and what would be. */
function whom(word: Word | undefined): string {
  const said = plain(trimEnd(word?.text ?? ''), 80);
  return said === '' || roleNamed(word) !== undefined
    ? 'Whom? Mention the person, or give an address or an object id.'
    : `I cannot find a person by “${said}”: mention them, or give the address or object id.`;
}

function roleNamed(word: Word | undefined): Role | undefined {
  const said = trimEnd(word?.text ?? '').toLowerCase();
  const singular = said === 'owner' ? 'admin' : said;
  return roles.find((role) => role.toLowerCase() === singular);
}

/** A day that exists: not 30 February. */
function isDay(text: string): boolean {
  if (!/^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(text)) return false;
  const at = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(at.getTime()) && at.toISOString().startsWith(text);
}

type Misused = Extract<Command, { kind: 'misused' }>;

function misused(command: CommandName, say: string): Misused {
  return { kind: 'misused', command, say, usage: rowOf(command).usage };
}
