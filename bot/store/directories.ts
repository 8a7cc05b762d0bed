import type { Directory } from '../../shared/directory/directory.ts';
import type { TenantId } from '../../shared/tenants/tenant.ts';
import type { DirectoryStore } from '../services.ts';
import type { CollectionDeclaration } from './engine/collection.ts';
import { type Kit, requireScope, whileOurs } from './kit.ts';

type DirectoryDocument = { _id: string; tenantId: TenantId; value: Directory };

export const directoriesDeclaration: CollectionDeclaration = {
  name: 'directories',
  tenantScoped: 'one',
  indexes: [],
};

/** One document a tenant, written part by part: what could not be read again stays as it was. */
export function openDirectories({ engine }: Kit): DirectoryStore {
  const directories = engine.collection<DirectoryDocument>(directoriesDeclaration);
  return {
    async get(scope, id) {
      requireScope(scope, id);
      return (await directories.findOne({ _id: id }))?.value ?? null;
    },
    async save(scope, lease, parts) {
      const id = lease.tenantId;
      requireScope(scope, id);
      const fields = Object.fromEntries(
        Object.entries(parts).flatMap(([part, value]) =>
          value === undefined ? [] : [[`value.${part}`, value]],
        ),
      );
      if (Object.keys(fields).length === 0) return;
      const update = { $set: fields, $setOnInsert: { tenantId: id } };
      await directories.bulkWrite(
        [{ updateOne: { filter: { _id: id }, update, upsert: true } }],
        whileOurs(lease),
      );
    },
  };
}
