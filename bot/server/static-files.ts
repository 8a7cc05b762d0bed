import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.txt': 'text/plain; charset=utf-8',
};
const packable = new Set(['.html', '.js', '.css', '.json', '.svg', '.txt']);
const mostFiles = 1000;
const mostBytes = 32 * 1024 * 1024;

type File = {
  bytes: Buffer;
  type: string;
  etag: string;
  /** Vite puts a hash of the content into the name: such a file never changes. */
  immutable: boolean;
  packs: boolean;
  packed: Partial<Record<'br' | 'gzip', Promise<Buffer>>>;
};
export type StaticAnswer = { status: 200 | 304; headers: Record<string, string>; bytes: Buffer };

/**
 * The built tab, read into memory once: only what was found there can be asked for, so no path leads anywhere else.
 * Packed once on first demand.
 */
export function openStaticFiles(folder: string): {
  /** `path` as in the address, percent-encoded, below the folder; undefined when there is no such file. */
  find(
    path: string,
    headers: { accept?: string; encodings?: string; etag?: string },
  ): Promise<StaticAnswer | undefined>;
} {
  const files = load(folder);

  async function packedAs(
    file: File,
    encodings: string | undefined,
  ): Promise<['br' | 'gzip', Buffer] | undefined> {
    if (!file.packs) return undefined;
    const wanted = accepts(encodings, 'br') ? 'br' : accepts(encodings, 'gzip') ? 'gzip' : undefined;
    if (wanted === undefined) return undefined;
    file.packed[wanted] ??= wanted === 'br' ? brotli(file.bytes) : zip(file.bytes, { level: 9 });
    return [wanted, await file.packed[wanted]];
  }

  return {
    async find(path, { encodings, etag }) {
      const name = nameOf(path);
      if (name === undefined) return undefined;
      // Addresses inside the app have no file: the page finds its way by itself.
      const file = files.get(name) ?? (extname(name) === '' ? files.get('index.html') : undefined);
      if (file === undefined) return undefined;
      const headers: Record<string, string> = {
        'Content-Type': file.type,
        'Cache-Control': file.immutable
          ? 'public, max-age=31536000, immutable'
          : file.type.startsWith('text/html')
            ? 'no-store'
            : 'no-cache',
        ETag: file.etag,
        Vary: 'Accept-Encoding',
      };
      if (etag === file.etag) return { status: 304, headers, bytes: Buffer.alloc(0) };
      const packed = await packedAs(file, encodings);
      if (packed === undefined) return { status: 200, headers, bytes: file.bytes };
      return { status: 200, headers: { ...headers, 'Content-Encoding': packed[0] }, bytes: packed[1] };
    },
  };
}

const zip = promisify(gzip);
const brotliLater = promisify(brotliCompress);
function brotli(bytes: Buffer): Promise<Buffer> {
  return brotliLater(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } });
}

function nameOf(path: string): string | undefined {
  try {
    const name = decodeURIComponent(path).replace(/^\/+/, '');
    return name === '' ? 'index.html' : name;
  } catch {
    return undefined; // not percent-encoding: no file
  }
}

function accepts(encodings: string | undefined, one: string): boolean {
  return (encodings ?? '').split(',').some((part) => {
    const [name = '', ...parameters] = part.split(';').map((text) => text.trim().toLowerCase());
    return name === one && !parameters.some((text) => /^q=0(\.0*)?$/.test(text));
  });
}

function load(folder: string): Map<string, File> {
  const files = new Map<string, File>();
  let total = 0;
  for (const name of walk(folder, '')) {
    const size = statSync(join(folder, name)).size;
    total += size;
    if (files.size >= mostFiles || total > mostBytes) throw new Error(`too much in ${folder}`);
    const bytes = readFileSync(join(folder, name));
    const ending = extname(name).toLowerCase();
    files.set(name, {
      bytes,
      type: types[ending] ?? 'application/octet-stream',
      etag: `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`,
      immutable: /^assets\/.+-[A-Za-z0-9_-]{8}\.\w+$/.test(name),
      packs: packable.has(ending) && size > 500,
      packed: {},
    });
  }
  return files;
}

function walk(folder: string, below: string): string[] {
  let entries: { name: string; isDirectory(): boolean; isFile(): boolean }[];
  try {
    entries = readdirSync(join(folder, below), { withFileTypes: true });
  } catch {
    return []; // not built: every address of the tab is 404
  }
  return entries.flatMap((entry) => {
    const name = below === '' ? entry.name : `${below}/${entry.name}`;
    if (entry.isDirectory()) return walk(folder, name);
    // Source maps are for us, not for the world.
    return entry.isFile() && !name.endsWith('.map') ? [name] : [];
  });
}
