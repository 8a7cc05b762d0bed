import { isUtf8 } from 'node:buffer';
import { hash } from 'node:crypto';
import * as v from 'valibot';
import type { Cloud } from '../clouds.ts';
import type { Reading, TenantAccess } from '../services.ts';
import { MicrosoftError, nonsense } from './failures.ts';
import type { Ask, Gateway } from './gateway.ts';

/** R40. A reading is kept in memory whole, so that it is used whole or not at all. */
export const pageLimits = { pages: 10_000, bytes: 64 * 1024 * 1024 } as const;

const pageSchema = v.object({
  value: v.array(v.unknown()),
  '@odata.nextLink': v.optional(v.nullable(v.string())),
});

/**
 * All pages of a collection, mapped by `map`; skipped without mapping when the raw bodies are those of `known`
 * (parsing is nearly all a reading costs, `performance.md` §3.1). `enough` stops before the end: with `$top=1`
 * secureScores still has a next page, and following it drags in the whole history.
 * Never throws for what Microsoft answers; WatchpostError `stopped` when the program ends.
 */
export async function readAll<T>(
  gateway: Pick<Gateway, 'get'>,
  cloud: Cloud,
  access: TenantAccess,
  ask: Ask,
  options: { known?: string | undefined; enough?: number; map(items: unknown[]): T },
): Promise<Reading<T>> {
  try {
    const items: unknown[] = [];
    const visited = new Set<string>();
    let bytes = 0;
    /** Of all pages so far: each takes in the print of those before it. */
    let print = '';
    let next: Ask | string = ask;
    for (let pages = 1; ; pages += 1) {
      const body = await gateway.get(access, next);
      bytes += body.length;
      if (bytes > pageLimits.bytes) throw endless('more than 64 MiB');
      print = `${pages}-${hash('sha256', print + hash('sha256', body, 'base64url'), 'base64url')}`;
      // The same bodies were read last time and the reading ended here: so it does now.
      if (print === options.known) return { kind: 'unchanged', hash: print };
      const page = parsePage(body);
      for (const item of page.value) items.push(item);
      const link = page['@odata.nextLink'];
      if (!link || (options.enough !== undefined && items.length >= options.enough)) {
        return { kind: 'ok', value: options.map(items), hash: print };
      }
      if (pages >= pageLimits.pages) throw endless('more than 10,000 pages');
      next = checkedLink(cloud, link);
      if (visited.has(next)) throw endless('pages in a circle');
      visited.add(next);
    }
  } catch (error) {
    return failed(error);
  }
}

/** A thrown failure as a reading; anything else goes on being thrown. */
export function failed(error: unknown): { kind: 'failed'; failure: MicrosoftError['failure'] } {
  if (error instanceof MicrosoftError) return { kind: 'failed', failure: error.failure };
  throw error;
}

/** The page in a body. Broken text, broken JSON and other shapes are Microsoft's fault and pass. */
export function parsePage(body: Buffer): v.InferOutput<typeof pageSchema> {
  const page = v.safeParse(pageSchema, parseJson(body));
  if (!page.success) throw unreadable('SHAPE');
  return page.output;
}

function parseJson(body: Buffer): unknown {
  // Buffers turn broken UTF-8 into replacement characters without a word; better no data than wrong data.
  if (!isUtf8(body)) throw unreadable('UTF8');
  const text = body.toString('utf8');
  try {
    return JSON.parse(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text);
  } catch {
    // The parser's message quotes the body, so it goes no further.
    throw unreadable('JSON');
  }
}

function unreadable(code: string): MicrosoftError {
  return new MicrosoftError(nonsense('Microsoft answered with something that cannot be read.', code));
}

function endless(what: string): MicrosoftError {
  return new MicrosoftError(nonsense(`Microsoft answered with ${what}.`, 'ENDLESS'));
}

/** The next page's address, only on our Graph's own origin and versions (T19): it is sent with a token. */
function checkedLink(cloud: Cloud, link: string): string {
  const url = URL.parse(link);
  const ours =
    url !== null &&
    url.origin === cloud.graph &&
    url.username === '' &&
    url.password === '' &&
    /^\/(v1\.0|beta)\//.test(url.pathname);
  if (!ours) {
    throw new MicrosoftError(
      nonsense('Microsoft named a next page outside Microsoft Graph.', 'FOREIGN_LINK'),
    );
  }
  return url.href;
}
