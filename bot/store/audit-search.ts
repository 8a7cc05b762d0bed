import { type Caller, isScope, type TenantScope } from '../../shared/access.ts';
import { entryId } from '../../shared/audit/verify.ts';
import { type Instant, plus } from '../../shared/time.ts';
import { WatchpostError } from '../errors.ts';
import type { AuditFilter, AuditRow, AuditStore } from '../services.ts';
import { type AuditDocument, auditDeclaration } from './audit-chain.ts';
import type { Collection, Filter } from './engine/collection.ts';
import type { Kit } from './kit.ts';

/** Of one list in a filter: as many values as the engines take. */
const listAtMost = 1_000;
/** Entries looked through in one breath: others wait no longer than these take. */
const windowEntries = 10_000;
/** After this the answer is what was found so far, and where to go on. */
const patienceMs = 2_000;
/** Clocks of instances differ a little: an entry's time may stand that far out of order. */
const disorderMs = 10 * 60_000;
/** After the key of every entry. */
const afterAll = 'f';

/**
 * Looks through the log from the newest entry on, piece by piece: a filter that fits nothing must not hold up who is
 * being answered. A page may so have fewer rows than asked for, even none, and still a `next`.
 */
export function openSearch({ engine, monotonic }: Kit, atOnce = windowEntries): AuditStore['search'] {
  const audit = engine.collection<AuditDocument>(auditDeclaration);
  return async (scope, own, filter, { limit, after }) => {
    const wanted = conditions(scope, own, filter);
    if (wanted === null) return { rows: [], next: null };
    const began = monotonic();
    const bounds = await boundsOf(audit, filter);
    if (bounds === null) return { rows: [], next: null };
    let below = after === undefined ? bounds.below : lower(cursor(after), bounds.below);
    const rows: AuditDocument[] = [];
    while (below > bounds.from) {
      const from = higher(bounds.from, await windowStart(audit, below, atOnce));
      const inside: Filter = { _id: { $gte: from, $lt: below } };
      const page = await audit.find(
        { $and: [inside, ...wanted] },
        { sort: { _id: -1 }, limit: limit - rows.length },
      );
      rows.push(...page.rows);
      if (rows.length === limit) {
        const last = rows.at(-1)?._id ?? from;
        const more = page.next !== null || (from > bounds.from && (await isAnything(audit, from)));
        return { rows: rows.map(rowOf), next: more ? last : null };
      }
      below = from;
      if (below > bounds.from && monotonic() - began > patienceMs) {
        return { rows: rows.map(rowOf), next: below };
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    return { rows: rows.map(rowOf), next: null };
  };
}

/** Keys between which everything lies that may fit the times asked for; null when nothing does. */
async function boundsOf(
  audit: Collection<AuditDocument>,
  { from, to }: AuditFilter,
): Promise<{ from: string; below: string } | null> {
  const first = from === undefined ? '' : await edge(audit, { $gte: plus(from, -disorderMs) }, 1);
  const last = to === undefined ? undefined : await edge(audit, { $lt: plus(to, disorderMs) }, -1);
  if (first === null || last === null) return null;
  // The key itself is still asked for.
  return { from: first, below: last === undefined ? afterAll : `${last}~` };
}

async function edge(
  audit: Collection<AuditDocument>,
  at: { $gte: Instant } | { $lt: Instant },
  direction: 1 | -1,
): Promise<string | null> {
  const { rows } = await audit.find({ at }, { sort: { at: direction }, limit: 1 });
  return rows[0]?._id ?? null;
}

/** Where the piece begins that ends before `below`; rows from before the chain are one piece. */
async function windowStart(audit: Collection<AuditDocument>, below: string, atOnce: number): Promise<string> {
  const { rows } = await audit.find({ _id: { $lt: below } }, { sort: { _id: -1 }, limit: 1 });
  const seq = rows[0]?.seq;
  return seq === undefined ? '' : seq <= atOnce ? entryId(0) : entryId(seq - atOnce);
}

async function isAnything(audit: Collection<AuditDocument>, below: string): Promise<boolean> {
  return (await audit.find({ _id: { $lt: below } }, { limit: 1 })).rows.length > 0;
}

function cursor(after: string): string {
  if (/^(e\d{12}|\d{4}-[\w:.-]{1,60})$/.test(after)) return after;
  throw new WatchpostError('bad-input', 'That page does not exist any more.', {
    hint: 'Start again from the first page.',
  });
}

function lower(one: string, other: string): string {
  return one < other ? one : other;
}

function higher(one: string, other: string): string {
  return one > other ? one : other;
}

/** What is told of a row: not what only the chain needs. */
export function rowOf(row: AuditDocument): AuditRow {
  const { _id, prev: _p, salt: _s, tenantSeq: _n, tenantPrev: _t, tenantHash: _h, ...shown } = row;
  return { id: _id, ...shown };
}

/** What may be seen and is asked for; null when that is nothing. */
function conditions(
  scope: TenantScope,
  { tid, oid }: Pick<Caller, 'tid' | 'oid'>,
  { who, what, tenant, result, from, to }: AuditFilter,
): Filter[] | null {
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
  return parts;
}
