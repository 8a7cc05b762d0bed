import { LRUCache } from 'lru-cache';
import { isOneOf } from '../clouds.ts';

/**
 * True when `text` may be a `serviceUrl` (R3): https, one of `hosts` (exact, or `*.` and a suffix), nothing else in
 * its authority. The text must spell the host as it is looked up, so that user names, ports, upper case, full-width
 * letters and other spellings of the same address are refused instead of understood. Asked at intake and at each send.
 */
export function isAllowedServiceUrl(text: unknown, hosts: readonly string[]): text is string {
  if (typeof text !== 'string') return false;
  // Teams names a handful of addresses, three times in every turn.
  const known = allowed.get(hosts) ?? new LRUCache<string, true>({ max: 100 });
  if (known.has(text)) return true;
  if (!isAllowed(text, hosts)) return false;
  allowed.set(hosts, known.set(text, true));
  return true;
}

const allowed = new WeakMap<readonly string[], LRUCache<string, true>>();

function isAllowed(text: string, hosts: readonly string[]): boolean {
  if (text.length > 1024 || !/^[\x21-\x7e]+$/.test(text)) return false;
  const url = URL.parse(text);
  if (url === null || url.protocol !== 'https:' || url.search !== '' || url.hash !== '') return false;
  const origin = `https://${url.hostname}`;
  if (text !== origin && !text.startsWith(`${origin}/`)) return false;
  return isOneOf(hosts, url.hostname);
}
