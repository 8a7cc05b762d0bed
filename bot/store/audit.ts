import { randomBytes } from 'node:crypto';
import type { AuditRow, AuditStore } from '../services.ts';
import type { CollectionDeclaration } from './engine/collection.ts';
import type { Kit } from './kit.ts';

type AuditDocument = Omit<AuditRow, 'id'> & { _id: string };

/** Read newest first over all tenants; `_id` begins with the time. */
export const auditDeclaration: CollectionDeclaration = {
  name: 'audit',
  tenantScoped: false,
  indexes: [{ keys: { tenant: 1, at: 1 } }],
};

const longest = 1_000;

export function openAudit({ engine, now }: Kit): AuditStore {
  const audit = engine.collection<AuditDocument>(auditDeclaration);
  return {
    async write({ who, what, tenant, where, result, detail }) {
      const at = now();
      await audit.insertOne({
        _id: `${at}-${randomBytes(9).toString('base64url')}`,
        at,
        who: who.slice(0, longest),
        what: what.slice(0, longest),
        tenant,
        where,
        result,
        detail: detail?.slice(0, longest),
      });
    },
    async list({ limit, after }) {
      const page = await audit.find({}, { sort: { _id: -1 }, limit, after });
      return { rows: page.rows.map(({ _id, ...row }) => ({ id: _id, ...row })), next: page.next };
    },
  };
}
