import { parseTags } from './tags.ts';

/** The key at one selector (RFC 6376). `revoked`: published and empty, which takes it back. */
export type DkimKey =
  | { kind: 'ok' }
  | { kind: 'revoked' }
  | { kind: 'none'; pointsTo?: string }
  | { kind: 'wrong'; why: string };

/** The two selectors of Exchange Online; another sender's are not known to anybody but him. */
export const microsoftSelectors = ['selector1', 'selector2'] as const;

/** The key among the TXT records of a selector. */
export function dkimKeyOf(records: readonly string[]): DkimKey {
  const own = records.filter((text) => /(^|;)\s*p\s*=/i.test(text));
  const [record] = own;
  if (record === undefined) {
    return records.length === 0 ? { kind: 'none' } : { kind: 'wrong', why: 'what stands there is no key' };
  }
  if (own.length > 1) return { kind: 'wrong', why: `there are ${own.length} keys under one name` };
  const { tags, wrong } = parseTags(record);
  if (wrong !== null) return { kind: 'wrong', why: wrong };
  const version = tags.get('v');
  if (version !== undefined && version !== 'DKIM1') return { kind: 'wrong', why: 'its version is not DKIM1' };
  const key = (tags.get('p') ?? '').replace(/\s+/g, '');
  if (key === '') return { kind: 'revoked' };
  return /^[A-Za-z0-9+/]+={0,2}$/.test(key)
    ? { kind: 'ok' }
    : { kind: 'wrong', why: 'the key is cut or damaged' };
}
