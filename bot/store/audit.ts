import { type Caller, isScope, type TenantScope } from '../../shared/access.ts';
import { hasCode, WatchpostError } from '../errors.ts';
import type { AuditFilter, AuditRow, AuditStore } from '../services.ts';
import { type AuditDocument, auditDeclaration, openChain } from './audit-chain.ts';
import { type CheckpointFiles, openCheckpoints } from './audit-checkpoints.ts';
import { openDenials } from './audit-denials.ts';
import { verifyAudit } from './audit-verify.ts';
import type { Filter } from './engine/collection.ts';
import type { Kit } from './kit.ts';

export { auditDeclaration };

const longest = 1_000;
/** Of one list in a filter: as many values as the engines take. */
const listAtMost = 1_000;

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
    async search(scope, own, filter, { limit, after }) {
      const wanted = conditions(scope, own, filter);
      if (wanted === null) return { rows: [], next: null };
      const page = await audit.find(wanted, { sort: { _id: -1 }, limit, after });
      return { rows: page.rows.map(rowOf), next: page.next };
    },
    verify: async () => await verifyAudit(kit, await checkpoints.read()),
    checkpoint: checkpoints.write,
  };
}

/** Half a surrogate pair would come back from the store as something else than was hashed. */
function text(given: string): string {
  return given.slice(0, longest).toWellFormed().replaceAll('\0', '\uFFFD');
}

function rowOf({ _id, prev: _, salt: __, tenantPrev: ___, ...row }: AuditDocument): AuditRow {
  const { tenantSeq: _s, tenantHash: _h, ...shown } = row;
  return { id: _id, ...shown };
}

/** What may be seen and is asked for; null when that is nothing. */
function conditions(
  scope: TenantScope,
  { tid, oid }: Pick<Caller, 'tid' | 'oid'>,
  { who, what, tenant, result, from, to }: AuditFilter,
): Filter | null {
  if (!isScope(scope))
    throw new WatchpostError('scope', 'The audit log was asked without a right to see it.');
  const parts: Filter[] = [];
  if (who !== undefined) {
    if (who.length === 0) return null;
    parts.push({ who: who.length === 1 ? (who[0] ?? '') : { $in: who.slice(0, listAtMost) } });
  }
  if (what !== undefined) parts.push({ what });
  if (tenant !== undefined) parts.push({ tenant });
  if (result !== undefined) parts.push({ result });
  if (from !== undefined) parts.push({ at: { $gte: from } });
  if (to !== undefined) parts.push({ at: { $lt: to } });
  if (!scope.all) {
    const ids = [...scope.ids];
    const seen: Filter[] = [{ who: `${tid}/${oid}` }];
    for (let at = 0; at < ids.length; at += listAtMost) {
      seen.push({ tenant: { $in: ids.slice(at, at + listAtMost) } });
    }
    parts.push({ $or: seen });
  }
  return parts.length === 0 ? {} : { $and: parts };
}
