import { createHash } from 'node:crypto';
import { chmodSync, existsSync, unlinkSync } from 'node:fs';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import * as v from 'valibot';
import { connectLimits } from '../../shared/api.ts';
import { endGiven } from '../../shared/tenants/credential-expiry.ts';
import { errorCode, WatchpostError } from '../errors.ts';
import type { Log } from '../log.ts';
import { privateFolder } from './private-folder.ts';

/** What the command line asks of a running server: one JSON line in, one or more out, the last with `done`. */
export const cliRequest = v.variant('command', [
  v.object({
    command: v.literal('connect'),
    user: v.pipe(v.string(), v.maxLength(64)),
    domain: v.pipe(v.string(), v.maxLength(255)),
    name: v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(120))),
    appId: v.pipe(v.string(), v.regex(/^[0-9a-f-]{36}$/i)),
    secret: v.optional(v.pipe(v.string(), v.minLength(connectLimits.secretLeast), v.maxLength(4_096))),
    secretExpires: v.optional(
      v.pipe(
        v.string(),
        v.check((day) => endGiven(day) !== null),
      ),
    ),
    certificate: v.optional(v.pipe(v.string(), v.maxLength(65_536))),
    key: v.optional(v.pipe(v.string(), v.maxLength(65_536))),
  }),
  v.object({ command: v.literal('verify'), user: v.pipe(v.string(), v.maxLength(64)) }),
]);
export type CliRequest = v.InferOutput<typeof cliRequest>;

const cliAnswer = v.variant('kind', [
  v.object({ kind: v.literal('line'), text: v.string() }),
  v.object({ kind: v.literal('done'), code: v.number() }),
]);

const longestLine = 256 * 1024;

/** Where the server listens: beside the data, or, when that path is too long for a socket, under a name made from it. */
export function socketPath(dataFolder: string): string {
  const name = createHash('sha256').update(dataFolder).digest('hex').slice(0, 24);
  if (process.platform === 'win32') return `\\\\.\\pipe\\watchpost-${name}`;
  const beside = join(dataFolder, 'watchpost.sock');
  if (Buffer.byteLength(beside) <= 100) return beside;
  return join(privateFolder(join(tmpdir(), `watchpost-${userInfo().uid}`)), `${name}.sock`);
}

/**
 * Listens for the command line, mode 0600: who may open the data folder acts as Admin. `run` prints through `say`
 * and answers the exit code. The caller holds the folder's lock, so a socket file that is there is a left-over.
 */
export async function listenForCli(
  dataFolder: string,
  run: (request: CliRequest, say: (line: string) => void) => Promise<number>,
  log: Log,
): Promise<{ close(): Promise<void> }> {
  const path = socketPath(dataFolder);
  if (process.platform !== 'win32' && existsSync(path)) unlinkSync(path);
  const open = new Set<Socket>();
  const server: Server = createServer((socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    socket.on('error', (error) => log.warn({ code: errorCode(error) }, 'command line connection broke'));
    socket.setTimeout(120_000, () => socket.destroy());
    void serve(socket, run, log);
  });
  const mask = process.platform === 'win32' ? undefined : process.umask(0o177);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, () => resolve());
    });
  } finally {
    if (mask !== undefined) process.umask(mask);
  }
  if (process.platform !== 'win32') chmodSync(path, 0o600);
  return {
    close: () =>
      new Promise((resolve) => {
        for (const socket of open) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

async function serve(
  socket: Socket,
  run: (request: CliRequest, say: (line: string) => void) => Promise<number>,
  log: Log,
): Promise<void> {
  const send = (answer: v.InferOutput<typeof cliAnswer>): void => {
    if (!socket.destroyed) socket.write(`${JSON.stringify(answer)}\n`);
  };
  try {
    const request = v.parse(cliRequest, JSON.parse(await firstLine(socket)));
    send({ kind: 'done', code: await run(request, (text) => send({ kind: 'line', text })) });
  } catch (error) {
    log.warn({ code: errorCode(error) }, 'command line request failed');
    send({
      kind: 'line',
      text:
        error instanceof WatchpostError
          ? `${error.message} ${error.hint ?? ''}`.trim()
          : 'That request could not be understood.',
    });
    send({ kind: 'done', code: 1 });
  }
  socket.end();
}

async function firstLine(socket: Socket): Promise<string> {
  // Not `for await`: leaving that loop would destroy the socket that the answer goes through.
  return await new Promise((resolve, reject) => {
    let text = '';
    socket.setEncoding('utf8');
    socket.on('data', function take(piece: string) {
      text += piece;
      const end = text.indexOf('\n');
      if (end < 0 && text.length <= longestLine) return;
      // What comes after the line is read by nobody and not kept.
      socket.off('data', take).resume();
      if (end >= 0) resolve(text.slice(0, end));
      else reject(new WatchpostError('bad-input', 'That request is too long.'));
    });
    socket.once('close', () =>
      reject(new WatchpostError('bad-input', 'The request ended before its line did.')),
    );
  });
}

/** Asks the running server; null when none listens. Prints its lines through `say`, answers its exit code. */
export async function askServer(
  dataFolder: string,
  request: CliRequest,
  say: (line: string) => void,
): Promise<number | null> {
  const socket = await connect(socketPath(dataFolder));
  if (socket === null) return null;
  socket.write(`${JSON.stringify(request)}\n`);
  try {
    for await (const line of createInterface({ input: socket })) {
      const answer = v.parse(cliAnswer, JSON.parse(line));
      if (answer.kind === 'done') return answer.code;
      say(answer.text);
    }
  } finally {
    socket.destroy();
  }
  throw new WatchpostError('service-error', 'The server ended before it answered.', {
    hint: 'Look at its log, then try again: connecting twice does no harm.',
  });
}

async function connect(path: string): Promise<Socket | null> {
  return await new Promise((resolve, reject) => {
    const socket = createConnection(path);
    socket.once('connect', () => resolve(socket));
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') resolve(null);
      else reject(new WatchpostError('start', `The running server cannot be reached (${errorCode(error)}).`));
    });
  });
}
