import { createHmac } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { names } from './config-reader.ts';
import { tolerant } from './noted.ts';
import { derivedKeyOf, type Keyring } from './secrets.ts';
import type { Services } from './services.ts';

const schema = v.object({ kid: v.string(), digests: v.record(v.string(), v.string()) });
type Seen = v.InferOutput<typeof schema>;

/**
 * Settings come from the environment, so nobody is seen changing them: at a start they are compared with those of the
 * last one, and what differs is an audit entry, by name and never by value. Of each value a keyed digest is kept in the
 * data folder.
 */
export async function noteSettings(
  environment: NodeJS.ProcessEnv,
  dataFolder: string,
  keyring: Keyring,
  services: Services,
): Promise<void> {
  const file = join(dataFolder, 'settings-seen.json');
  const before = readSeen(file);
  const now = digestsOf(environment, keyring, keyring.primary);
  // Under the key they were made with, as long as it is there; without it every value counts as changed.
  const same = before === null ? {} : digestsOf(environment, keyring, before.kid);
  const said = before === null ? firstIn(now) : differenceIn(before.digests, same);
  if (said !== '') {
    await tolerant(
      { who: 'watchpost', what: 'settings', result: 'done', detail: said.slice(0, 900) },
      services,
    );
  }
  if (said === '' && before?.kid === keyring.primary) return;
  writeFileSync(`${file}.new`, JSON.stringify({ kid: keyring.primary, digests: now } satisfies Seen), {
    mode: 0o600,
  });
  renameSync(`${file}.new`, file);
}

function digestsOf(environment: NodeJS.ProcessEnv, keyring: Keyring, kid: string): Record<string, string> {
  const key = derivedKeyOf(keyring, kid, 'settings-seen-v1');
  const found: Record<string, string> = {};
  for (const name of names) {
    const value = environment[name]?.trim() ?? '';
    if (value === '') continue;
    found[name] = key === undefined ? '' : createHmac('sha256', key).update(value).digest('hex');
  }
  return found;
}

function firstIn(now: Record<string, string>): string {
  const there = Object.keys(now);
  return `first start with ${there.length === 0 ? 'no settings' : there.join(' ')}`;
}

function differenceIn(before: Record<string, string>, now: Record<string, string>): string {
  const parts = {
    set: Object.keys(now).filter((name) => !Object.hasOwn(before, name)),
    changed: Object.keys(now).filter((name) => Object.hasOwn(before, name) && before[name] !== now[name]),
    removed: Object.keys(before).filter((name) => !Object.hasOwn(now, name)),
  };
  return Object.entries(parts)
    .filter(([, found]) => found.length > 0)
    .map(([what, found]) => `${what}: ${found.join(' ')}`)
    .join('; ');
}

/** Null when there is none, or none that can be read: then this counts as the first start. */
function readSeen(file: string): Seen | null {
  if (!existsSync(file)) return null;
  try {
    return v.parse(schema, JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return null; // a file cut short by a crash of an earlier version, or by hand
  }
}
