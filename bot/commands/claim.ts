import { createHash, randomUUID } from 'node:crypto';
import { type Caller, may } from '../../shared/access.ts';
import type { Command } from '../../shared/command.ts';
import { ask } from '../cards/actions.ts';
import type { Place, Reply, Services } from '../services.ts';
import { auditor } from './audit.ts';
import { refuse, say } from './reply.ts';

/** Letters and digits nobody misreads: without I, L, O, 0, 1. */
const alphabet = 'ABCDEFGHJKMNPQRSTUVWXYZ23456789';

/** A new code like `ABCD-EFGH` from at least 16 random bytes; bytes that would favour a letter are skipped. */
export function newClaimCode(random: Uint8Array): string {
  const fair = 256 - (256 % alphabet.length);
  const letters = [...random].filter((byte) => byte < fair).map((byte) => alphabet[byte % alphabet.length]);
  if (letters.length < 8) throw new RangeError('not enough random bytes for a claim code');
  return `${letters.slice(0, 4).join('')}-${letters.slice(4, 8).join('')}`;
}

/** What is stored and compared of a code: SHA-256, whatever its case and with or without the dash. */
export function claimHash(code: string): string {
  return createHash('sha256')
    .update(code.toUpperCase().replace(/[^A-Z0-9]/g, ''))
    .digest('hex');
}

/** `claim ABCD-EFGH`: the first Admin, by the code that the terminal showed. Home tenant, personal chat. */
export async function claim(
  command: Extract<Command, { kind: 'claim' }>,
  who: Caller,
  where: Place,
  services: Services,
): Promise<Reply> {
  const { store } = services;
  const audit = auditor(who, where, services);
  if (!who.home || who.disabled) {
    await audit('claim', 'refused', { detail: who.home ? 'switched off' : 'not of the home tenant' });
    return refuse(where, 'Only people of the organisation that runs Watchpost can claim it.');
  }
  if (may(who, 'grant', undefined, services.now())) return refuse(where, 'You are an Admin already.');

  await audit('claim', 'started');
  // A code that was printed before there was an Admin outlives its use: it stands on some screen still.
  const outcome = (await store.people.anyAdmin(services.now()))
    ? 'none'
    : await store.claims.redeem(claimHash(command.code), who.tid, who.oid);
  await audit('claim', outcome === 'right' ? 'done' : 'refused', { detail: outcome });
  switch (outcome) {
    case 'right':
      await store.people.addGrant(who.tid, who.oid, who.name, {
        id: randomUUID(),
        role: 'Admin',
        scope: 'all',
        source: 'claim',
        by: 'one-time code',
        at: services.now(),
      });
      return say(where, {
        text: 'You are an Admin now. Give others a role with: grant @Ana operator.',
        buttons: [ask('All tenants', { verb: 'ranking' }), ask('Help', { verb: 'help' })],
      });
    case 'too-many':
      return refuse(where, 'Too many tries. Wait an hour, then try again.');
    case 'none':
      return refuse(
        where,
        'There is no code to claim: Watchpost has an Admin already, who can give you a role.',
      );
    default:
      return refuse(
        where,
        'This is not the code. The last one printed when Watchpost started is the valid one.',
      );
  }
}
