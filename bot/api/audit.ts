import { type Caller, scopeFor, type TenantScope } from '../../shared/access.ts';
import {
  type AuditExport,
  type AuditPage,
  type ExportFormat,
  exportFormats,
  exportLimits,
} from '../../shared/api-audit.ts';
import { csvText } from '../csv.ts';
import { jsonLines } from '../json-lines.ts';
import type { AuditFilter, AuditRow, Services } from '../services.ts';
import { personOf, tooFast } from './allowed.ts';
import { lineOf, type Names, openNames } from './audit-names.ts';
import { askedFor } from './audit-query.ts';
import { problem } from './problem.ts';
import { openRate } from './rate.ts';
import type { ApiAnswer, ApiRequest, ApiRoute } from './route.ts';
import { tabOf } from './tenants.ts';

const pageRows = 50;
/** What the store gives at once. */
const readRows = 1_000;

/**
 * The audit log for Admins: of all tenants everything, of some their entries and one's own. `GET /api/tab/audit` shows
 * it by pages; `GET /api/tab/audit/export` gives what was filtered piece by piece, and each piece is an entry first.
 */
export function auditRoutes(): ApiRoute[] {
  const exports = openRate(120, 60_000);
  return [
    {
      method: 'GET',
      path: '/api/tab/audit',
      auth: 'tab',
      handle: async (request, who, services) => {
        const asked = await allowed(request, who, services);
        if ('answer' in asked) return asked.answer;
        const { scope, filter, after } = asked;
        const page = await services.store.audit.search(scope, who, filter, {
          limit: pageRows,
          ...(after === undefined ? {} : { after }),
        });
        const names = await openNames(who, services);
        const rows = await Promise.all(page.rows.map((row) => lineOf(row, names)));
        const body: AuditPage = { now: services.now(), rows, next: page.next };
        return { status: 200, body };
      },
    },
    {
      method: 'GET',
      path: '/api/tab/audit/export',
      auth: 'tab',
      handle: async (request, who, services) => {
        const asked = await allowed(request, who, services);
        if ('answer' in asked) return asked.answer;
        const refusal = tooFast(exports, who, request);
        if (refusal !== null) return refusal;
        const format = exportFormats.find((one) => one === request.query.get('format'));
        if (format === undefined) return problem(400, 'Choose CSV or JSON lines.', request.id);
        await services.store.audit.writeFirst({
          ...{ who: personOf(who), what: 'export audit', where: 'tab', result: 'done' },
          detail: `${format}${asked.after === undefined ? '' : ', continued'}: ${filterInWords(asked.filter)}`,
        });
        return { status: 200, body: await piece(asked, format, who, services) };
      },
    },
  ];
}

type Allowed = { scope: TenantScope; filter: AuditFilter; after: string | undefined };

async function allowed(
  request: ApiRequest,
  who: Caller,
  services: Services,
): Promise<Allowed | { answer: ApiAnswer }> {
  const scope = scopeFor(who, tabOf(who), 'export', services.now());
  if (!scope.all && scope.ids.size === 0) {
    return { answer: problem(403, 'The audit log is for Admins.', request.id) };
  }
  const asked = await askedFor(request.query, who, services);
  if (asked.kind === 'wrong') return { answer: problem(400, asked.say, request.id) };
  return { scope, filter: asked.filter, after: asked.after };
}

async function piece(
  { scope, filter, after }: Allowed,
  format: ExportFormat,
  who: Caller,
  services: Services,
): Promise<AuditExport> {
  const rows: AuditRow[] = [];
  let next: string | null = after ?? null;
  do {
    const page = await services.store.audit.search(scope, who, filter, {
      limit: readRows,
      ...(next === null ? {} : { after: next }),
    });
    rows.push(...page.rows);
    next = page.next;
  } while (next !== null && rows.length < exportLimits.piece && !services.signal.aborted);
  const names = await openNames(who, services);
  const records = await Promise.all(rows.map((row) => recordOf(row, names)));
  const text =
    format === 'jsonl'
      ? jsonLines(records)
      : csvText(
          columns,
          records.map((record) => columns.map((column) => record[column])),
          after === undefined ? 'whole' : 'continued',
        );
  return { text, rows: rows.length, next };
}

const columns = [
  'seq',
  'time',
  'actor',
  'person',
  'action',
  'target',
  'tenantId',
  'tenant',
  'where',
  'result',
  'detail',
  'request',
  'instance',
  'hash',
] as const;
type Exported = Record<(typeof columns)[number], string | number | null>;

/** Ids as they are, and names beside them: an auditor can compare the hash, a person can read. */
async function recordOf(row: AuditRow, names: Names): Promise<Exported> {
  return {
    seq: row.seq ?? null,
    time: row.at,
    actor: row.who,
    person: await names.person(row.who),
    action: row.what,
    target: row.target ?? null,
    tenantId: row.tenant ?? null,
    tenant: row.tenant === undefined ? null : names.tenant(row.tenant),
    where: row.where ?? null,
    result: row.result,
    detail: row.detail ?? null,
    request: row.request ?? null,
    instance: row.instance ?? null,
    hash: row.hash ?? null,
  };
}

function filterInWords(filter: AuditFilter): string {
  const parts = Object.entries(filter).map(([name, value]) => `${name} ${String(value)}`);
  return parts.length === 0 ? 'everything' : parts.join(', ').slice(0, 400);
}
