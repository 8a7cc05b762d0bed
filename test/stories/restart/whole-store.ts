import { collections } from '../../../bot/store/collections.ts';
import type { Engine } from '../../../bot/store/engine/collection.ts';

/** Every document of every collection as one line, sorted; the same for two stores that say the same. */
export type WholeStore = Map<string, string[]>;

/** Random or counted by how often something was tried: says nothing about what is known. */
const varying: Record<string, string> = {
  sealed: '<sealed>',
  wraps: '<keys>',
  commitment: '<key>',
  dekId: '<key>',
  versionMac: '<key>',
  last4: '<print>',
  fence: '<fence>',
  lastMs: '<ms>',
  /** How many writes under a lease MongoDB has seen. */
  guards: '<count>',
  revision: '<revision>',
  /** What a person is told of a sync: that it went on where it was broken off is worded in its own way. */
  result: '<told>',
  lastOutcome: '<outcome>',
};
const instant = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z$/;
/** Collections whose ids are random: their order in time is their name. */
const randomIds = new Set(['audit', 'syncRequests', 'inbound', 'tenantKeys']);

export async function readWholeStore(engine: Engine): Promise<WholeStore> {
  const whole: WholeStore = new Map();
  for (const declaration of collections) {
    const rows: { _id: string }[] = [];
    let after: string | undefined;
    do {
      const page = await engine.collection<{ _id: string }>(declaration).find({}, { limit: 1_000, after });
      rows.push(...page.rows);
      after = page.next ?? undefined;
    } while (after !== undefined);
    const withoutIds = randomIds.has(declaration.name);
    // Which settings differ from the start before is told at each start; the port does, and only who was killed starts again.
    const told = rows.filter((row) => !('what' in row && row.what === 'settings'));
    whole.set(declaration.name, told.map((row) => line(row, withoutIds)).sort());
  }
  return whole;
}

function line(row: object, withoutIds: boolean): string {
  const sorted = (value: unknown): unknown => {
    if (typeof value === 'string') return instant.test(value) ? '<time>' : value;
    if (Array.isArray(value)) return value.map(sorted);
    if (typeof value !== 'object' || value === null) return value;
    // How many days were asked for is part of this mark: a sync that goes on asks for fewer.
    if ('tenantHash' in value || ('prev' in value && 'salt' in value)) return sorted(unchained({ ...value }));
    const { secureScores } = value as { secureScores?: { hash?: string } };
    if (secureScores?.hash !== undefined) secureScores.hash = '<mark>';
    return Object.fromEntries(
      Object.entries(value)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, member]) => [
          name,
          varying[name] ?? (withoutIds && (name === '_id' || name === 'id') ? '<id>' : sorted(member)),
        ]),
    );
  };
  return JSON.stringify(sorted(row));
}

/** An audit entry without its place in the chains, which says in what order things were done. */
function unchained(entry: Record<string, unknown>): object {
  const places = ['seq', 'prev', 'hash', 'salt', 'tenantSeq', 'tenantPrev', 'tenantHash', 'instance'];
  return Object.fromEntries(Object.entries(entry).filter(([name]) => !places.includes(name)));
}

/** What one store has and the other has not, in words. */
export function differences(one: WholeStore, other: WholeStore): string[] {
  const found: string[] = [];
  for (const [name, lines] of one) {
    const others = other.get(name) ?? [];
    found.push(
      ...onlyIn(lines, others).map((text) => `${name}: only undisturbed: ${text.slice(0, 400)}`),
      ...onlyIn(others, lines).map((text) => `${name}: only after the restart: ${text.slice(0, 400)}`),
    );
  }
  return found;
}

function onlyIn(lines: readonly string[], others: readonly string[]): string[] {
  const left = [...others];
  return lines.filter((text) => {
    const at = left.indexOf(text);
    if (at < 0) return true;
    left.splice(at, 1);
    return false;
  });
}
