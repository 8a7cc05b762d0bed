import { WatchpostError } from '../errors.ts';

/** One thing that was looked at. `remedy` is there when it is wrong, and where an unchecked thing can be checked by hand. */
export type Check = {
  about: string;
  state: 'ok' | 'wrong' | 'not checked';
  says: string;
  remedy?: string;
};

/** Every look outside ends within this. */
export const askMs = 5_000;

export const ok = (about: string, says: string): Check => ({ about, state: 'ok', says });
export const wrong = (about: string, says: string, remedy: string): Check => ({
  about,
  state: 'wrong',
  says,
  ...(remedy === '' ? {} : { remedy }),
});
export const notChecked = (about: string, says: string, remedy?: string): Check => ({
  about,
  state: 'not checked',
  says,
  ...(remedy === undefined || remedy === '' ? {} : { remedy }),
});

/**
 * Does one look. It never throws and never lasts: after 6 s, one more than every look's own limit, or when it fails in
 * a way nobody foresaw, the thing was not checked. `signal` ends after 5 s.
 */
export async function look(
  about: string,
  work: (signal: AbortSignal) => Promise<Check | Check[]>,
): Promise<Check[]> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Check>((resolve) => {
    timer = setTimeout(() => resolve(notChecked(about, 'No answer within 6 seconds.')), askMs + 1_000);
  });
  try {
    return [await Promise.race([work(AbortSignal.timeout(askMs)), late])].flat();
  } catch (error) {
    // The message of a foreign error may quote what was sent; only our own sentences are shown.
    if (error instanceof WatchpostError) return [wrong(about, error.message, error.hint ?? '')];
    return [notChecked(about, `This look failed (${error instanceof Error ? error.name : typeof error}).`)];
  } finally {
    clearTimeout(timer);
  }
}

export type Report = { wrong: number; notChecked: number; checks: Check[] };

export function reportOf(checks: Check[]): Report {
  const count = (state: Check['state']): number => checks.filter((check) => check.state === state).length;
  return { wrong: count('wrong'), notChecked: count('not checked'), checks };
}

/** One line a check, a remedy under what is wrong, the sum last. */
export function inLines({ checks, wrong: wrongs, notChecked: open }: Report): string[] {
  const lines = checks.flatMap((check) => [
    `${check.state.padEnd(11)} ${check.about}: ${check.says}`,
    ...(check.remedy === undefined ? [] : [`${' '.repeat(12)}→ ${check.remedy}`]),
  ]);
  const things = (count: number): string => `${count} ${count === 1 ? 'thing is' : 'things are'}`;
  const unchecked = open === 0 ? '' : ` ${open} could not be checked from here.`;
  return [...lines, '', `${wrongs === 0 ? 'Nothing is' : things(wrongs)} wrong.${unchecked}`];
}

/** The last line of defence: whatever came before, none of these values is printed. */
export function without(text: string, secrets: readonly string[]): string {
  return secrets.reduce((left, secret) => left.replaceAll(secret, '[secret]'), text);
}
