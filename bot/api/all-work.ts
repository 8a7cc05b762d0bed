import { setImmediate as breathe } from 'node:timers/promises';
import type { TenantScope } from '../../shared/access.ts';
import type { Services, WorkKind, WorkRow } from '../services.ts';

const pageSize = 500;
/** Two of each of the 10,000 tenants a list holds. */
const most = 20_000;

/** All work within `scope`, at most 20,000 rows; others get their turn between the pages. */
export async function allWork(scope: TenantScope, { store }: Services, kind?: WorkKind): Promise<WorkRow[]> {
  const rows: WorkRow[] = [];
  let after: string | undefined;
  do {
    const page = await store.work.list(scope, {
      limit: pageSize,
      ...(after === undefined ? {} : { after }),
      ...(kind === undefined ? {} : { kind }),
    });
    rows.push(...page.rows);
    after = page.next ?? undefined;
    if (after !== undefined) await breathe();
  } while (after !== undefined && rows.length < most);
  return rows;
}
