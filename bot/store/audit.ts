import { hasCode, WatchpostError } from '../errors.ts';
import type { AuditStore } from '../services.ts';
import { type AuditDocument, auditDeclaration, openChain } from './audit-chain.ts';
import { type CheckpointFiles, openCheckpoints } from './audit-checkpoints.ts';
import { openDenials } from './audit-denials.ts';
import { openSearch, rowOf } from './audit-search.ts';
import { verifyAudit } from './audit-verify.ts';
import type { Kit } from './kit.ts';

const longest = 1_000;

/** The audit log; `files` are the checkpoints', absent where none are written or compared. */
export function openAudit(kit: Kit, files?: CheckpointFiles): AuditStore & { settle(): Promise<void> } {
  const audit = kit.engine.collection<AuditDocument>(auditDeclaration);
  const chain = openChain(kit);
  const checkpoints = openCheckpoints(kit, files);
  const write: AuditStore['write'] = async (entry) => {
    const { who, what, target, tenant, where, result, detail, request } = entry;
    await chain.append({
      who: text(who),
      what: text(what),
      target: target === undefined ? undefined : text(target),
      tenant,
      where: where === undefined ? undefined : text(where),
      result,
      detail: detail === undefined ? undefined : text(detail),
      request: request === undefined ? undefined : text(request),
    });
  };
  const denials = openDenials(write, kit.monotonic);
  return {
    write,
    async writeFirst(entry) {
      try {
        await write(entry);
      } catch (cause) {
        if (hasCode(cause, 'stopped')) throw cause;
        throw new WatchpostError('audit', 'Nothing was done: the audit log cannot be written right now.', {
          hint: 'Try again in a moment; if it stays so, the log of the server says why.',
          cause,
        });
      }
    },
    denied: denials.note,
    settle: denials.settle,
    async list({ limit, after }) {
      const page = await audit.find({}, { sort: { _id: -1 }, limit, after });
      return { rows: page.rows.map(rowOf), next: page.next };
    },
    search: openSearch(kit),
    verify: async () => await verifyAudit(kit, await checkpoints.read()),
    checkpoint: checkpoints.write,
  };
}

/** Half a surrogate pair would come back from the store as something else than was hashed. */
function text(given: string): string {
  return given.slice(0, longest).toWellFormed().replaceAll('\0', '\uFFFD');
}
