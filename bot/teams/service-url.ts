import { isOneOf } from '../clouds.ts';

/**
 * True when `text` may be a `serviceUrl` (R3): https, one of `hosts` (exact, or `*.` and a suffix), nothing else in
 * its authority. The text must spell the host as it is looked up, so that user names, ports, upper case, full-width
 * letters and other spellings of the same address are refused instead of understood. Asked at intake and at each send.
 */
export function isAllowedServiceUrl(text: unknown, hosts: readonly string[]): text is string {
  if (typeof text !== 'string' || text.length > 1024 || !/^[\x21-\x7e]+$/.test(text)) return false;
  const url = URL.parse(text);
  if (url === null || url.protocol !== 'https:' || url.search !== '' || url.hash !== '') return false;
  const origin = `https://${url.hostname}`;
  if (text !== origin && !text.startsWith(`${origin}/`)) return false;
  return isOneOf(hosts, url.hostname);
}
