import type { AuditResult } from './audit/entry.ts';
import type { Instant } from './time.ts';

/** What the *Audit* page is asked for; every field may be empty. Days are sent as the instants they begin and end. */
export type AuditQuery = {
  /** A name, an address, an object id, or an actor as an entry names it. */
  person: string;
  /** A name, a domain or a tenant id. */
  tenant: string;
  action: string;
  result: AuditResult | '';
  from: Instant | '';
  to: Instant | '';
};

/** One line. Null = there is none; a name is null when it is not known any more. */
export type AuditLine = {
  id: string;
  /** Place in the chain; null for entries from before there was one. */
  seq: number | null;
  at: Instant;
  who: { key: string; name: string | null };
  what: string;
  target: string | null;
  tenant: { id: string; name: string | null } | null;
  where: 'tab' | 'chat' | 'command line' | null;
  result: string;
  detail: string | null;
  request: string | null;
};

/** `GET /api/tab/audit?person=…&after=…`, newest first, 50 at a time. */
export type AuditPage = { now: Instant; rows: AuditLine[]; next: string | null };

/** `GET /api/tab/audit/export?format=csv|jsonl&…&after=…`: a piece of the file and where it goes on. */
export type AuditExport = { text: string; rows: number; next: string | null };
export const exportFormats = ['csv', 'jsonl'] as const;
export type ExportFormat = (typeof exportFormats)[number];

/** Rows of one piece, and of a whole file. */
export const exportLimits = { piece: 5_000, file: 100_000 } as const;

/** Actions people may look for; any other text is looked for as it is. */
export const auditActions = [
  'sign in',
  'grant',
  'revoke',
  'deny',
  'claim',
  'bind',
  'unbind',
  'connect tenant',
  'update credentials',
  'test connection',
  'remove tenant',
  'use credential',
  'sync',
  'watch',
  'unwatch',
  'threshold',
  'acknowledge',
  'export audit',
  'settings',
  'gate',
] as const;
