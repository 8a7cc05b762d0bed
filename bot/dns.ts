import { getServers, promises } from 'node:dns';
import { openTurns } from './dns-turns.ts';
import type { Dns, DnsAnswer } from './services.ts';

export type DnsOptions = {
  /** Addresses with ports; absent: those of this machine. */
  servers?: readonly string[];
  /** For one question, all tries and servers together. Default 3 s. */
  timeoutMs?: number;
  /** Questions at once. Default 4. */
  atOnce?: number;
  /** Ends what is under way. */
  signal?: AbortSignal;
};

const mostRecords = 100;
const mostCharacters = 16_384;
/** Names in the DNS are letters, digits, hyphens and, for services, underscores. */
const nameShape = /^(?=.{1,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9-]{2,63}$/i;

/** Questions to the DNS that say why they have no answer; never throws. */
export function openDns(options: DnsOptions = {}): Dns {
  const { timeoutMs = 3_000, signal } = options;
  const turns = openTurns(options.atOnce ?? 4);

  async function ask(
    name: string,
    question: (resolver: promises.Resolver) => Promise<string[]>,
  ): Promise<DnsAnswer> {
    if (!nameShape.test(name)) return { kind: 'unknown', why: 'it is no name of the DNS' };
    return await turns.take(() => asked(question));
  }

  async function asked(question: (resolver: promises.Resolver) => Promise<string[]>): Promise<DnsAnswer> {
    if (signal?.aborted === true) return { kind: 'unknown', why: 'Watchpost is stopping' };
    // One for each question: cancelling it ends this question and no other.
    const resolver = new promises.Resolver({ timeout: Math.ceil(timeoutMs / 2), tries: 2 });
    resolver.setServers([...(options.servers ?? getServers())]);
    const cancel = (): void => resolver.cancel();
    const late = setTimeout(cancel, timeoutMs);
    signal?.addEventListener('abort', cancel, { once: true });
    try {
      const records = await question(resolver);
      return records.length === 0 ? { kind: 'none' } : bounded(records);
    } catch (error) {
      return silence(error);
    } finally {
      clearTimeout(late);
      signal?.removeEventListener('abort', cancel);
    }
  }

  return {
    txt: (name) =>
      ask(name, async (resolver) => (await resolver.resolveTxt(name)).map((chunks) => chunks.join(''))),
    cname: (name) => ask(name, (resolver) => resolver.resolveCname(name)),
  };
}

function bounded(records: string[]): DnsAnswer {
  const size = records.reduce((all, one) => all + one.length, 0);
  return records.length > mostRecords || size > mostCharacters
    ? { kind: 'unknown', why: 'the answer is too large' }
    : { kind: 'found', records };
}

/** Nothing there, or nothing heard: never the same. */
function silence(error: unknown): DnsAnswer {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  if (code === 'ENOTFOUND' || code === 'ENODATA') return { kind: 'none' };
  if (code === 'ETIMEOUT' || code === 'ECANCELLED')
    return { kind: 'unknown', why: 'the name servers did not answer' };
  if (code === 'ESERVFAIL' || code === 'EREFUSED')
    return { kind: 'unknown', why: 'the name servers could not tell' };
  if (code === 'ECONNREFUSED') return { kind: 'unknown', why: 'no name server could be reached' };
  return { kind: 'unknown', why: 'the answer could not be read' };
}
