import { createHash, randomInt } from 'node:crypto';
import type { Services } from '../services.ts';

/** Letters and digits that cannot be misread: no I, L, O, 0, 1. */
const alphabet = 'ABCDEFGHJKMNPQRSTUVWXYZ23456789';

/**
 * While no Admin exists: stores the hash of a new one-time code and prints it to standard output only, never to the
 * log. The last one printed is valid. Whoever can read this terminal may become the first Admin.
 */
export async function announceClaim(
  services: Services,
  print: (line: string) => void = console.log,
): Promise<void> {
  if (await services.store.people.anyAdmin(services.now())) return;
  const code = newClaimCode();
  await services.store.claims.put(claimHash(code));
  print(`No Admin yet. Type this to the bot in a personal chat to become the first one:  claim ${code}`);
}

/** Eight letters as `ABCD-EFGH`: 31^8 codes, and five tries an hour for each person. */
export function newClaimCode(): string {
  const letters = Array.from({ length: 8 }, () => alphabet[randomInt(alphabet.length)] ?? 'A').join('');
  return `${letters.slice(0, 4)}-${letters.slice(4)}`;
}

/** SHA-256 of the code as the bot compares it: case and dash do not matter. */
export function claimHash(code: string): string {
  return createHash('sha256')
    .update(code.toUpperCase().replace(/[^A-Z0-9]/g, ''))
    .digest('hex');
}
