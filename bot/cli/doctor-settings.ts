import { type Config, readConfig } from '../config.ts';
import { type Name, names } from '../config-reader.ts';
import { WatchpostError } from '../errors.ts';
import { remedies } from './doctor-remedies.ts';
import { type Check, notChecked, ok, wrong } from './doctor-report.ts';

/** What can be looked at further, and which settings cannot be believed. */
export type Settings = { config: Config; broken: ReadonlySet<Name> };

const nothing = '00000000-0000-0000-0000-000000000000';
/** Put in for what is missing, so that everything else can still be looked at; never asked about, never shown. */
const standIns: Partial<Record<Name, string>> = {
  PUBLIC_URL: 'https://unset.invalid',
  BOT_ID: nothing,
  BOT_TENANT_ID: nothing,
  BOT_PASSWORD: 'a stand-in',
  AAD_APP_CLIENT_ID: nothing,
  AAD_APP_TENANT_ID: nothing,
  ENCRYPTION_KEYS: `none:${Buffer.alloc(32).toString('base64')}`,
};
/** Of these one wrong name leaves the others without a meaning. */
const families: readonly (readonly Name[])[] = [
  ['BOT_PASSWORD', 'BOT_CERTIFICATE_FILE', 'BOT_KEY_FILE'],
  ['AAD_APP_SECRET', 'AAD_APP_CERTIFICATE_FILE', 'AAD_APP_KEY_FILE'],
  ['GRAPH_APP_ID', 'GRAPH_APP_SECRET', 'GRAPH_CERTIFICATE_FILE', 'GRAPH_KEY_FILE'],
];
const outsiders = ['DEBUG', 'NODE_DEBUG', 'NODE_OPTIONS'];

/**
 * Reads the environment with the program's own reader, so that both always say the same. Every complaint becomes a
 * check; `settings` is what is left to look at, undefined when nothing can be made of it.
 */
export function examineSettings(
  environment: NodeJS.ProcessEnv,
  folder: string,
): { checks: Check[]; settings: Settings | undefined } {
  const complaints = complaintsOf(environment, folder);
  const broken = new Set<Name>(complaints.flatMap((sentence) => namesIn(sentence)));
  for (const family of families)
    if (family.some((name) => broken.has(name))) for (const name of family) broken.add(name);

  const left: NodeJS.ProcessEnv = { ...environment };
  for (const name of [...broken, ...outsiders]) delete left[name];
  const demo = complaints.length === 0 && readConfig(environment, folder).demo;
  if (!demo && endingDemo(environment).length > 0) {
    for (const [name, value] of Object.entries(standIns)) {
      const paired = name === 'BOT_PASSWORD' && left.BOT_CERTIFICATE_FILE !== undefined;
      if (!paired && (left[name]?.trim() ?? '') === '') left[name] = value;
    }
  }
  const config = configOf(left, folder);
  return {
    checks: [
      mode(environment),
      ...complaints.map(complained),
      ...(complaints.length === 0 ? [ok('settings', 'All are there and well formed.')] : []),
      ...unknown(environment, config?.warnings ?? []),
    ],
    settings: config === undefined ? undefined : { config, broken },
  };
}

/** The sentences with which the program would refuse to start. */
function complaintsOf(environment: NodeJS.ProcessEnv, folder: string): string[] {
  try {
    readConfig(environment, folder);
    return [];
  } catch (error) {
    if (!(error instanceof WatchpostError)) throw error;
    const sentences = error.message.split('\n').flatMap((line) => /^ {2}- (.+)$/.exec(line)?.[1] ?? []);
    return sentences.length > 0 ? sentences : [error.message];
  }
}

function configOf(environment: NodeJS.ProcessEnv, folder: string): Config | undefined {
  try {
    return readConfig(environment, folder);
  } catch (error) {
    if (error instanceof WatchpostError) return undefined;
    throw error;
  }
}

function complained(sentence: string): Check {
  const named = namesIn(sentence);
  const remedy = remedies[named[0] ?? 'PORT'];
  return wrong('settings', sentence, named.length > 0 ? remedy : 'Remove it from the environment.');
}

function namesIn(sentence: string): Name[] {
  const words: readonly string[] = sentence.match(/[A-Z][A-Z_]+/g) ?? [];
  return names.filter((name) => words.includes(name));
}

function mode(environment: NodeJS.ProcessEnv): Check {
  const because = endingDemo(environment);
  if (because.length === 0)
    return ok('mode', 'Demo: none of BOT_*, AAD_*, GRAPH_*, PUBLIC_URL and ENCRYPTION_KEYS is set.');
  const [first, ...others] = because;
  const more = others.length === 0 ? '' : ` and ${others.length} more`;
  return ok('mode', `Production, because of ${first}${more}: a wrong setting stops the start.`);
}

/** Which names, each by itself, keep the program from being a demo: the program's reader is asked, name by name. */
function endingDemo(environment: NodeJS.ProcessEnv): string[] {
  return [...names, 'NODE_ENV'].filter((name) => {
    const value = environment[name];
    return (
      value !== undefined && complaintsOf({ [name]: value }, '.').some((one) => / is missing\b/.test(one))
    );
  });
}

/** A name nobody knows is ignored by the program; one that looks like a name that is not set is a slip. */
function unknown(environment: NodeJS.ProcessEnv, warnings: readonly string[]): Check[] {
  return warnings.map((warning) => {
    const name = warning.split(' ')[0] ?? '';
    const meant = names.find((one) => environment[one] === undefined && isSlip(name, one));
    if (meant === undefined) return notChecked('settings', warning);
    return wrong('settings', warning, `It looks like ${meant}, which is not set: correct the name.`);
  });
}

/** One letter or underscore too many, too few, another, or two changed over. */
export function isSlip(one: string, other: string): boolean {
  if (Math.abs(one.length - other.length) > 1) return false;
  let from = 0;
  while (from < one.length && one[from] === other[from]) from += 1;
  let back = 0;
  while (
    back < Math.min(one.length, other.length) - from &&
    one[one.length - 1 - back] === other[other.length - 1 - back]
  )
    back += 1;
  const [a, b] = [one.slice(from, one.length - back), other.slice(from, other.length - back)];
  if (a.length <= 1 && b.length <= 1) return true;
  return a.length === 2 && b.length === 2 && a[0] === b[1] && a[1] === b[0];
}

const secretNames: readonly Name[] = [
  'BOT_PASSWORD',
  'AAD_APP_SECRET',
  'GRAPH_APP_SECRET',
  'ENCRYPTION_KEYS',
  'METRICS_TOKEN',
  'MONGODB_URI',
];

/** What must not be printed under any name: whole values, each key by itself, the password inside an address. */
export function secretsIn(environment: NodeJS.ProcessEnv): string[] {
  const whole = secretNames.flatMap((name) => environment[name]?.trim() ?? []);
  const keys = (environment.ENCRYPTION_KEYS ?? '')
    .split(',')
    .map((part) => part.trim().replace(/^[^:]*:/, ''));
  const password = /\/\/[^/@]*:([^@/]+)@/.exec(environment.MONGODB_URI ?? '')?.[1];
  const all = [...whole, ...keys, ...(password === undefined ? [] : [password, decoded(password)])];
  // Shorter ones stand in ordinary words. Longest first, so that no piece of one is left.
  return all.filter((value) => value.length >= 6).sort((a, b) => b.length - a.length);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // Not encoded at all; the text itself is on the list.
    return text;
  }
}
