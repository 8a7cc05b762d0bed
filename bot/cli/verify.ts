import { scopeOfSystem } from '../../shared/access.ts';
import type { AuditVerdict } from '../../shared/audit/verify.ts';
import { clean } from '../../shared/foreign-text.ts';
import { counted } from '../../shared/words.ts';
import type { Services } from '../services.ts';

/**
 * `watchpost verify`: recomputes the chains of the audit log and compares them with the checkpoints, while a server
 * goes on writing. Prints the verdict through `say`; answers the exit code: 1 when something is not as it was written.
 */
export async function verify({ store }: Services, say: (line: string) => void): Promise<number> {
  const verdict = await store.audit.verify();
  const tenants = await store.tenants.list(scopeOfSystem());
  const nameOf = (id: string): string | undefined => tenants.find((tenant) => tenant.id === id)?.name;
  for (const line of verdictInWords(verdict, nameOf)) say(line);
  return verdict.kind === 'whole' ? 0 : 1;
}

/** The verdict as lines for a terminal. */
export function verdictInWords(
  verdict: AuditVerdict,
  nameOf: (tenant: string) => string | undefined,
): string[] {
  if (verdict.kind === 'broken') {
    const { chain, seq, at, why } = verdict;
    const name = nameOf(chain);
    const which =
      chain === 'global'
        ? 'the chain over all'
        : `the chain of ${name === undefined ? chain : `${clean(name, 80)} (${chain})`}`;
    return [
      'BROKEN: the audit log is not as it was written.',
      `  first broken entry: number ${seq} of ${which}${at === null ? '' : `, of ${clean(at, 40)}`}`,
      `  what is wrong: ${clean(why, 300)}`,
      'Entries before it are as they were written. Keep the data folder and the checkpoint file as they are, and compare with a backup.',
    ];
  }
  const { entries, tenants, older, checkpoints, covered, lastAt } = verdict;
  if (entries === 0) return ['Whole: the audit log has no entries yet.'];
  const open = entries - covered;
  return [
    `Whole: ${counted(entries, 'entry', 'entries')} in the chain over all and in ${counted(tenants, 'chain')} of tenants, the last of ${lastAt ?? ''}.`,
    ...(older === 0
      ? []
      : [
          `  ${counted(older, 'older entry', 'older entries')} from before the chain, as they were when it began.`,
        ]),
    checkpoints === 0
      ? '  No checkpoint yet: a chain that was made anew or cut off at its end would not be noticed.'
      : `  ${counted(checkpoints, 'signed checkpoint')} agree, up to entry ${covered}${open === 0 ? '' : `; ${open} since then ${open === 1 ? 'has' : 'have'} none yet`}.`,
  ];
}
