import type { IncomingMessage, ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';

/** One request, its body already read. */
export type Call = {
  method: string;
  /** The host the caller meant, lower case, without a port. */
  host: string;
  path: string;
  /** Path and query as they came. */
  asked: string;
  query: URLSearchParams;
  headers: IncomingMessage['headers'];
  body: Buffer;
  at: Date;
};

export type Answer = {
  status: number;
  headers?: Record<string, string>;
  body?: string | Buffer;
  /** Set by faults: wait, cut the body in the middle, end the connection. */
  delayMs?: number;
  truncate?: boolean;
  reset?: boolean;
};

const longest = 1024 * 1024;

/** Reads the whole request; null when the body is over 1 MB. */
export async function readCall(request: IncomingMessage, at: Date): Promise<Call | null> {
  const url = new URL(request.url ?? '/', 'http://sandbox');
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length <= longest) chunks.push(chunk);
  }
  if (length > longest) return null;
  return {
    method: request.method ?? 'GET',
    host: hostName(request.headers.host ?? ''),
    path: url.pathname,
    asked: request.url ?? '/',
    query: url.searchParams,
    headers: request.headers,
    body: Buffer.concat(chunks),
    at,
  };
}

/** `localhost:3978` → `localhost`, `[::1]:1` → `[::1]`. */
export function hostName(host: string): string {
  return host.toLowerCase().replace(/:\d+$/, '');
}

export function json(status: number, body: unknown, headers: Record<string, string> = {}): Answer {
  return {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  };
}

/** Writes the answer, compressed when the caller takes gzip and it is worth it. */
export async function writeAnswer(
  call: Call | null,
  response: ServerResponse,
  answer: Answer,
): Promise<void> {
  if (answer.delayMs !== undefined && answer.delayMs > 0) await wait(answer.delayMs, response);
  if (answer.reset) {
    response.destroy();
    return;
  }
  let body = Buffer.from(answer.body ?? '');
  const headers: Record<string, string | number> = { ...answer.headers };
  if (body.length > 1_400 && /\bgzip\b/.test(String(call?.headers['accept-encoding'] ?? ''))) {
    body = gzipSync(body, { level: 1 });
    headers['content-encoding'] = 'gzip';
    headers.vary = 'accept-encoding';
  }
  if (answer.status !== 204) headers['content-length'] = body.length;
  response.writeHead(answer.status, headers);
  if (answer.truncate) {
    // Announces everything, sends half, ends the connection: what a broken line looks like.
    response.write(body.subarray(0, Math.floor(body.length / 2)), () => response.destroy());
    return;
  }
  response.end(call?.method === 'HEAD' || answer.status === 204 ? undefined : body);
}

function wait(ms: number, response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    response.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
