import { randomBytes } from 'node:crypto';
import { claimHash, newClaimCode } from './commands/claim.ts';
import type { Services } from './services.ts';

/**
 * While no Admin exists: stores the hash of a new one-time code and prints it to standard output only, never to the
 * log. The last one printed is valid. Whoever can read this terminal may become the first Admin.
 */
export async function announceClaim(
  services: Services,
  print: (line: string) => void = console.log,
): Promise<void> {
  if (await services.store.people.anyAdmin(services.now())) return;
  const code = newClaimCode(randomBytes(64));
  await services.store.claims.put(claimHash(code));
  print(`No Admin yet. Type this to the bot in a personal chat to become the first one:  claim ${code}`);
}
