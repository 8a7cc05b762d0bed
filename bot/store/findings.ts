import { covers, type TenantScope } from '../../shared/access.ts';
import type { Baseline } from '../../shared/alerts/baseline.ts';
import type { Finding } from '../../shared/alerts/finding.ts';
import { isTakenOn } from '../../shared/alerts/people.ts';
import type { TenantId } from '../../shared/tenants/tenant.ts';
import type { Instant } from '../../shared/time.ts';
import { hasCode } from '../errors.ts';
import type { FindingStore, Lease, StandingMark } from '../services.ts';
import type { BulkWrite, CollectionDeclaration, Page } from './engine/collection.ts';
import { type Kit, requireAnyScope, requireScope, rowsAtOnce, whileOurs } from './kit.ts';
import { addToOutbox } from './outbox-rows.ts';

/** `revision` grows with every write: whoever changes a finding names the one that was read. */
export type FindingDocument = {
  _id: string;
  tenantId: TenantId;
  toldAt: Instant;
  revision: number;
  value: Finding;
};
type BaselineDocument = { _id: string; tenantId: TenantId; value: Baseline };

export const findingsDeclaration: CollectionDeclaration = {
  name: 'findings',
  tenantScoped: true,
  // By state: the tab's list asks for all that stand, which are few among all that ever were.
  indexes: [{ keys: { tenantId: 1, toldAt: 1 } }, { keys: { 'value.state': 1, tenantId: 1 } }],
  // Each score card asks whether a fall stands.
  readMostly: true,
};
export const baselinesDeclaration: CollectionDeclaration = {
  name: 'baselines',
  tenantScoped: 'one',
  indexes: [],
};

const mostFindings = 200;
const mostStanding = 10_000;

export function openFindings(kit: Kit): FindingStore {
  const findings = kit.engine.collection<FindingDocument>(findingsDeclaration);
  const baselines = kit.engine.collection<BaselineDocument>(baselinesDeclaration);

  return {
    async get(scope, tenant, id) {
      requireScope(scope, tenant);
      const row = await findings.findOne({ _id: findingDocumentId(tenant, id) });
      return row === null ? null : { value: row.value, revision: row.revision };
    },
    async ofTenant(scope, tenant) {
      requireScope(scope, tenant);
      const page = await findings.find({ tenantId: tenant }, { sort: { toldAt: -1 }, limit: mostFindings });
      return page.rows.map(({ value }) => value);
    },
    async standing(scope) {
      requireAnyScope(scope);
      const marks: StandingMark[] = [];
      let after: string | undefined;
      do {
        const page: Page<FindingDocument> = await findings.find(
          { 'value.state': { $in: ['open', 'acknowledged'] } },
          { sort: { tenantId: 1 }, limit: rowsAtOnce, ...(after === undefined ? {} : { after }) },
        );
        for (const { tenantId, value } of page.rows) {
          if (value.rule === 'scoreDrop' && value.state !== 'resolved' && covers(scope, tenantId)) {
            marks.push({
              tenantId,
              state: isTakenOn(value) ? 'acknowledged' : 'open',
              points: value.facts.points,
            });
          }
        }
        after = page.next ?? undefined;
      } while (after !== undefined && marks.length < mostStanding);
      return marks.slice(0, mostStanding);
    },
    async save(scope, finding, revision, tell, lease) {
      requireOwn(scope, finding.tenantId, lease);
      for (const entry of tell) requireSame(entry.tenantId, finding.tenantId);
      const guard = lease === undefined ? {} : whileOurs(lease);
      // The finding first: as long as the baseline does not know of it, its transition is told again, with the same
      // ids, so that rows a crash kept from being written are written then.
      const done = await findings.bulkWrite([write(finding, revision)], guard);
      if (done.upserted + (revision === null ? 0 : done.matched) !== 1) return false;
      // Without a lease nothing keeps a removal of the tenant away: rows come only beside the finding, which goes first.
      const beside = {
        collection: findingsDeclaration.name,
        filter: { _id: findingDocumentId(finding.tenantId, finding.id) },
      };
      try {
        await addToOutbox(kit, tell, lease === undefined ? { onlyIf: beside } : guard);
      } catch (error) {
        if (lease === undefined && hasCode(error, 'conflict')) return false;
        throw error;
      }
      return true;
    },
    async baseline(scope, tenant) {
      requireScope(scope, tenant);
      return (await baselines.findOne({ _id: tenant }))?.value ?? null;
    },
    async saveBaseline(scope, lease, baseline) {
      const { tenantId } = baseline;
      requireOwn(scope, tenantId, lease);
      await baselines.bulkWrite(
        [{ replaceOne: { document: { _id: tenantId, tenantId, value: baseline } } }],
        whileOurs(lease),
      );
    },
  };
}

/** Only over the revision that was read; without one only where there is none. */
function write(finding: Finding, revision: number | null): BulkWrite<FindingDocument> {
  const { id, tenantId } = finding;
  const _id = findingDocumentId(tenantId, id);
  const fields = { tenantId, toldAt: finding.told.at, revision: (revision ?? 0) + 1, value: finding };
  return revision === null
    ? { updateOne: { filter: { _id }, update: { $setOnInsert: fields }, upsert: true } }
    : { updateOne: { filter: { _id, revision }, update: { $set: fields } } };
}

export function findingDocumentId(tenant: TenantId, id: string): string {
  return `${tenant}:${id}`;
}

function requireOwn(scope: TenantScope, tenant: TenantId, lease: Lease | undefined): void {
  requireScope(scope, tenant);
  if (lease !== undefined) requireSame(lease.tenantId, tenant);
}

/** A mix-up must not end up in somebody else's rows. */
function requireSame(found: TenantId, expected: TenantId): void {
  if (found !== expected) throw new Error('a finding or what tells of it is of another tenant');
}
