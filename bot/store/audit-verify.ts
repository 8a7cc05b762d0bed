import * as v from 'valibot';
import type { AuditEntry } from '../../shared/audit/entry.ts';
import { type AuditVerdict, openVerifier, type StoredEntry } from '../../shared/audit/verify.ts';
import {
  type AuditDocument,
  auditDeclaration,
  chained,
  everyRow,
  olderFields,
  sha256,
  unchained,
} from './audit-chain.ts';
import type { ReadCheckpoints } from './audit-checkpoints.ts';
import type { Kit } from './kit.ts';

const text = v.string();
const number = v.pipe(v.number(), v.safeInteger(), v.minValue(1));
const schema = v.object({
  at: text,
  who: text,
  what: text,
  target: v.optional(text),
  tenant: v.optional(text),
  where: v.optional(text),
  result: text,
  detail: v.optional(text),
  request: v.optional(text),
  instance: text,
  seq: number,
  prev: text,
  hash: text,
  tenantSeq: v.optional(number),
  tenantPrev: v.optional(text),
  tenantHash: v.optional(text),
  salt: text,
});

/** A row as the verifier takes it: whatever somebody has made of it. */
export function storedEntry(row: AuditDocument): StoredEntry {
  const parsed = v.safeParse(schema, row);
  return { id: row._id, entry: parsed.success ? (parsed.output as AuditEntry) : null };
}

/**
 * Reads the whole audit log and recomputes its chains, 200 rows at a time, while others go on writing: checkpoints are
 * read before the entries, which only become more.
 */
export async function verifyAudit({ engine }: Kit, checkpoints: ReadCheckpoints): Promise<AuditVerdict> {
  const audit = engine.collection<AuditDocument>(auditDeclaration);
  if (checkpoints.broken !== null) return checkpoints.broken;
  const verifier = openVerifier(sha256, checkpoints.good);
  for await (const row of everyRow(audit, unchained)) verifier.older(olderFields(row));
  for await (const row of everyRow(audit, chained)) {
    const broken = verifier.add(storedEntry(row));
    if (broken !== null) return broken;
  }
  return verifier.end();
}
