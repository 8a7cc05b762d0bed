import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { askServer } from '../../bot/cli/socket.ts';
import { type Program, productionSettings } from './program.ts';
import type { Sandbox } from './sandbox.ts';

/** A tenant as the sandbox hands one out. */
export type SandboxCustomer = { name: string; domain: string; id: string; appId: string; secret: string };

const root = fileURLToPath(new URL('../..', import.meta.url));

/** `ENCRYPTION_KEYS` for several starts on one folder. */
export function newEncryptionKeys(): string {
  return `k1:${randomBytes(32).toString('base64')}`;
}

/** Makes a tenant in the sandbox; its first history is there at once. */
export async function addCustomer(sandbox: Sandbox, name: string, domain: string): Promise<SandboxCustomer> {
  return await sandbox.control<SandboxCustomer>('POST', '/_sandbox/tenants', { name, domain, seed: 'story' });
}

/** `npm run watchpost -- …` as its own process with these settings. Answers its code and all it printed. */
export async function watchpost(
  args: readonly string[],
  settings: Record<string, string>,
): Promise<{ code: number | null; out: string }> {
  const preload = ['--import', pathToFileURL(join(root, 'test/support/to-sandbox.ts')).href];
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', ...preload, join(root, 'bot/cli/main.ts'), ...args],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? tmpdir(), ...settings },
      timeout: 60_000,
    },
  );
  let out = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (piece: Buffer) => {
      out += piece.toString('utf8');
    });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, out };
}

/** `npm run watchpost -- connect …` as its own process, beside the running program. Answers its code and lines. */
export async function connectByCommandLine(
  program: Program,
  sandbox: Sandbox,
  customer: SandboxCustomer,
  env: Record<string, string>,
): Promise<{ code: number | null; out: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'wp-secret-'));
  const file = join(folder, 'secret');
  await writeFile(file, customer.secret, { mode: 0o600 });
  const settings = { ...productionSettings(sandbox), WATCHPOST_DATA: program.folder, ...env };
  const ended = await watchpost(
    ['connect', customer.domain, '--app-id', customer.appId, '--secret-file', file],
    settings,
  );
  await rm(folder, { recursive: true, force: true });
  return ended;
}

/** The same request through the program's socket, without the cost of a process. Ends after the first sync. */
export async function connect(
  program: Pick<Program, 'folder'>,
  customer: SandboxCustomer,
): Promise<{ code: number | null; lines: string[] }> {
  const lines: string[] = [];
  const { domain, appId, secret } = customer;
  const code = await askServer(
    program.folder,
    { command: 'connect', user: 'story', domain, appId, secret },
    (line) => lines.push(line),
  );
  return { code, lines };
}
