import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { type IncomingHttpHeaders, request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ApiRoute } from '../../bot/api/route.ts';
import type { Log, LogFields } from '../../bot/log.ts';
import { createServer, type Server, type ServerParts } from '../../bot/server.ts';
import type { Services } from '../../bot/services.ts';

export type Heard = { status: number; headers: IncomingHttpHeaders; text: string };
export type ServerRig = {
  url: string;
  port: number;
  server: Server;
  lines: { level: string; fields: LogFields; message: string }[];
  ask(
    method: string,
    path: string,
    options?: { headers?: string[]; body?: string | Buffer; chunked?: boolean },
  ): Promise<Heard>;
  /** Bytes as they stand over a bare socket; all that comes back until the connection ends. */
  raw(bytes: string, withinMs?: number): Promise<string>;
  close(): Promise<void>;
};

/** A built tab of three files, with a secret beside it that must not be reachable. */
export function tabFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'watchpost-tab-'));
  mkdirSync(join(folder, 'dist', 'assets'), { recursive: true });
  writeFileSync(join(folder, 'secret.txt'), 'canary-secret');
  writeFileSync(
    join(folder, 'dist', 'index.html'),
    '<!doctype html><title>Watchpost</title>'.padEnd(900, ' '),
  );
  writeFileSync(
    join(folder, 'dist', 'assets', 'index-B4d0aZ9x.js'),
    `export const long = "${'x'.repeat(2000)}";`,
  );
  writeFileSync(join(folder, 'dist', 'assets', 'index-B4d0aZ9x.js.map'), '{"sources":["canary-source"]}');
  writeFileSync(join(folder, 'dist', 'icon.svg'), '<svg xmlns="http://www.w3.org/2000/svg"/>');
  return join(folder, 'dist');
}

/** The real server on a free port around what the test gives it. */
export async function openServer(
  changes: Partial<Omit<ServerParts, 'config' | 'services'>> & {
    config?: Partial<ServerParts['config']>;
    routes?: ApiRoute[];
  } = {},
): Promise<ServerRig> {
  const lines: ServerRig['lines'] = [];
  const say =
    (level: string) =>
    (fields: LogFields, message: string): void => {
      lines.push({ level, fields, message });
    };
  const log: Log = { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') };
  let ids = 0;
  const services = {
    log,
    metrics: { text: async () => 'watchpost_up 1\n' },
    random: () => {
      ids += 1;
      return `id-${ids}`;
    },
    signal: new AbortController().signal,
  } as unknown as Services;
  const server = createServer({
    config: {
      publicUrl: 'https://watchpost.example',
      metricsToken: undefined,
      demo: false,
      tabFolder: tabFolder(),
      ...changes.config,
    },
    door: changes.door,
    apiRoutes: changes.routes ?? [],
    requireUser:
      changes.requireUser ?? (async () => ({ kind: 'refused', status: 401, detail: 'Sign in again.' })),
    services,
    ready: changes.ready ?? (async () => true),
  });
  const port = await server.listen(0, '127.0.0.1');
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    server,
    lines,
    ask: (method, path, options = {}) => ask(port, method, path, options),
    raw: (bytes, withinMs = 5000) => raw(port, bytes, withinMs),
    close: () => server.close(),
  };
}

function ask(
  port: number,
  method: string,
  path: string,
  { headers = [], body, chunked = false }: { headers?: string[]; body?: string | Buffer; chunked?: boolean },
): Promise<Heard> {
  return new Promise((resolve, reject) => {
    const length =
      body === undefined || chunked || headers.some((name) => name.toLowerCase() === 'content-length')
        ? []
        : ['content-length', String(Buffer.byteLength(body))];
    const all = [
      'host',
      `127.0.0.1:${port}`,
      ...length,
      ...(chunked ? ['transfer-encoding', 'chunked'] : []),
      ...headers,
    ];
    const outgoing = request({ host: '127.0.0.1', port, method, path, headers: all, timeout: 40_000 });
    let heard = false;
    outgoing.once('error', (error) => {
      // The server may hang up on the rest of a body it has already refused.
      if (!heard) reject(error);
    });
    outgoing.once('timeout', () => outgoing.destroy(new Error('no answer')));
    outgoing.once('response', (incoming) => {
      heard = true;
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.once('error', reject);
      incoming.once('end', () =>
        resolve({
          status: incoming.statusCode ?? 0,
          headers: incoming.headers,
          text: Buffer.concat(chunks).toString('latin1'),
        }),
      );
    });
    outgoing.end(body);
  });
}

function raw(port: number, bytes: string, withinMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    let text = '';
    const timer = setTimeout(() => {
      socket.destroy();
      resolve(text);
    }, withinMs);
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
    });
    socket.once('error', reject);
    socket.once('close', () => {
      clearTimeout(timer);
      resolve(text);
    });
  });
}
