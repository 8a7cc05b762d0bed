import type { AuditEntryToWrite, AuditStore } from '../services.ts';

const windowMs = 60_000;
/** Different refusals of one person within a minute that get an entry each; what is beyond is counted. */
const eachAtMost = 10;
const personsAtMost = 2_000;
/** Actions that are counted by name. */
const namedAtMost = 20;

type Seen = {
  kinds: Map<string, AuditEntryToWrite>;
  repeats: Map<string, number>;
  timer: NodeJS.Timeout;
  since: number;
};

/**
 * Refusals, bounded: the first of a kind is an entry at once; what the same person is refused again within the minute
 * becomes one entry with a count when the minute is over. Never throws: a refusal is one with or without its entry.
 */
export function openDenials(
  write: AuditStore['write'],
  monotonic: () => number,
): { note(entry: AuditEntryToWrite): Promise<void>; settle(): Promise<void> } {
  const persons = new Map<string, Seen>();

  async function over(who: string): Promise<void> {
    const seen = persons.get(who);
    if (seen === undefined) return;
    persons.delete(who);
    clearTimeout(seen.timer);
    const count = [...seen.repeats.values()].reduce((sum, one) => sum + one, 0);
    if (count === 0) return;
    const whats = [...seen.repeats].map(([what, times]) => `${what} ${times}`);
    // One tenant's Admins see it when it was all about that tenant.
    const tenants = new Set([...seen.kinds.values()].map(({ tenant }) => tenant));
    const [tenant] = tenants;
    await tolerant({
      who,
      what: seen.repeats.size === 1 ? ([...seen.repeats.keys()][0] ?? 'refused') : 'several refusals',
      result: 'refused',
      detail: `${count} more within a minute: ${whats.join(', ')}`,
      ...(tenants.size === 1 && tenant !== undefined ? { tenant } : {}),
    });
  }

  async function tolerant(entry: AuditEntryToWrite): Promise<void> {
    await write(entry).catch(() => undefined);
  }

  return {
    async note(entry) {
      const { who, what } = entry;
      const kind = JSON.stringify([what, entry.tenant, entry.target, entry.where, entry.detail]);
      let seen = persons.get(who);
      if (seen !== undefined && monotonic() - seen.since >= windowMs) {
        await over(who);
        seen = undefined;
      }
      if (seen === undefined) {
        const [oldest] = persons.keys();
        if (persons.size >= personsAtMost && oldest !== undefined) await over(oldest);
        const timer = setTimeout(() => void over(who), windowMs);
        timer.unref();
        seen = { kinds: new Map(), repeats: new Map(), timer, since: monotonic() } as Seen & {
          since: number;
        };
        persons.set(who, seen);
      }
      if (seen.kinds.has(kind) || seen.kinds.size >= eachAtMost) {
        const named = seen.repeats.has(what) || seen.repeats.size < namedAtMost ? what : 'others';
        seen.repeats.set(named, (seen.repeats.get(named) ?? 0) + 1);
        return;
      }
      seen.kinds.set(kind, entry);
      await tolerant(entry);
    },
    async settle() {
      for (const who of [...persons.keys()]) await over(who);
    },
  };
}
