import * as v from 'valibot';
import { scopeOfJob } from '../../shared/access.ts';
import { type TenantId, tenantId } from '../../shared/tenants/tenant.ts';
import { hasCode, WatchpostError } from '../errors.ts';
import type { Keyring } from '../secrets.ts';
import { credentialsDeclaration, openCredentials, tenantKeysDeclaration } from './credentials.ts';
import type { Collection, Engine } from './engine/collection.ts';
import type { Look } from './engine/look-embedded.ts';

/** What is said of the stored credentials. Nothing of their content is kept or told. */
export type CredentialLook = {
  /** Rows looked at. */
  looked: number;
  /** There are more rows than that. */
  more: boolean;
  unopened: TenantId[];
  /** Ids of keys that sealed something and that the keyring does not have. */
  missingKids: string[];
  /** Certificates of customers, with the instant they end. */
  ending: { tenantId: TenantId; expiresAt: string }[];
};

const rowSchema = v.object({ tenantId: v.string(), expiresAt: v.optional(v.string()) });
const keySchema = v.object({ wraps: v.array(v.object({ kekId: v.string() })) });

/** Opens the stored credentials of up to `most` tenants and forgets them at once; writes nothing, no audit either. */
export async function lookAtCredentials(look: Look, keyring: Keyring, most: number): Promise<CredentialLook> {
  const noAudit = { write: async () => undefined };
  const credentials = openCredentials({ engine: readOnly(look), now: () => '' }, keyring, noAudit);
  const rows = (await look.documents(credentialsDeclaration.name, most + 1)).map((row) =>
    v.parse(rowSchema, row),
  );
  const said: CredentialLook = {
    looked: 0,
    more: rows.length > most,
    unopened: [],
    missingKids: [],
    ending: [],
  };
  const missing = new Set<string>();
  for (const row of rows.slice(0, most)) {
    const id = tenantId(row.tenantId);
    if (id === undefined) continue;
    said.looked += 1;
    if (row.expiresAt !== undefined) said.ending.push({ tenantId: id, expiresAt: row.expiresAt });
    try {
      await credentials.open(scopeOfJob(id), id);
    } catch (error) {
      if (!hasCode(error, 'secret')) throw error;
      said.unopened.push(id);
      const key = v.safeParse(keySchema, await look.document(tenantKeysDeclaration.name, id));
      for (const { kekId } of key.success ? key.output.wraps : [])
        if (!keyring.kids.includes(kekId)) missing.add(kekId);
    }
  }
  return { ...said, missingKids: [...missing].slice(0, 10) };
}

/** An engine that finds by `_id` and does nothing else. */
function readOnly(look: Look): Pick<Engine, 'collection'> {
  const no = async (): Promise<never> => {
    throw new WatchpostError('store', 'This store is only looked at.');
  };
  return {
    collection: <T extends { _id: string }>({ name }: { name: string }): Collection<T> => ({
      findOne: async (filter) => (await look.document(name, String(Reflect.get(filter, '_id')))) as T | null,
      find: no,
      insertOne: no,
      updateOne: no,
      findOneAndUpdate: no,
      bulkWrite: no,
      deleteMany: no,
      countDocuments: no,
    }),
  };
}
