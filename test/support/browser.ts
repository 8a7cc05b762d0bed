import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';

const require = createRequire(import.meta.url);
const unpackMs = 60_000;

/**
 * A headless browser of its own, or null when this machine has none: tests are then skipped by name. On Linux x64 the
 * one that came with npm, elsewhere the installed Chrome or Edge.
 */
export async function openBrowser(): Promise<Browser | null> {
  const args = [
    '--disable-gpu',
    '--disable-dev-shm-usage',
    '--hide-scrollbars',
    '--font-render-hinting=none',
  ];
  if (process.platform === 'linux' && process.arch === 'x64') {
    const folder = await unpacked();
    return await chromium.launch({
      executablePath: join(folder, 'chromium'),
      // Neither --single-process nor --no-zygote, which the package recommends for another place: with them closing
      // one page ends the browser.
      args: [...args, '--no-sandbox', '--headless=new'],
      env: environment(folder),
    });
  }
  for (const channel of ['chrome', 'msedge']) {
    try {
      return await chromium.launch({ channel, args });
    } catch (error) {
      // The next one may be installed; what is wrong with this one is worth a line.
      console.error(`No ${channel}: ${error instanceof Error ? error.message.split('\n')[0] : error}`);
    }
  }
  return null;
}

/** Can this machine have a browser at all? For `describe.skip` before one is started. */
export const browserExpected = process.platform !== 'linux' || process.arch === 'x64';

/**
 * The folder with the unpacked browser, one per version: the package unpacks to the system's temporary folder and
 * takes whatever is there already, also half a file that another process is just writing. So each process unpacks
 * beside and the first to be done gives the name.
 */
async function unpacked(): Promise<string> {
  const entry = require.resolve('@sparticuz/chromium');
  const { version } = JSON.parse(readFileSync(join(dirname(entry), '../package.json'), 'utf8')) as {
    version: string;
  };
  const folder = join(tmpdir(), `watchpost-chromium-${version}-${process.getuid?.() ?? 0}`);
  if (existsSync(join(folder, 'chromium'))) return folder;
  const beside = await mkdtemp(join(tmpdir(), 'watchpost-chromium-unpack-'));
  const code = `const { default: chromium } = await import(${JSON.stringify(pathToFileURL(entry).href)}); await chromium.executablePath();`;
  await run(['--input-type=module', '--eval', code], { TMPDIR: beside });
  await writeFile(
    join(beside, 'fonts.conf'),
    `<?xml version="1.0"?><fontconfig><dir>${join(folder, 'fonts')}</dir><cachedir>${join(folder, 'cache')}</cachedir></fontconfig>\n`,
  );
  try {
    await rename(beside, folder);
  } catch (error) {
    await rm(beside, { recursive: true, force: true });
    if (!existsSync(join(folder, 'chromium'))) throw error;
  }
  return folder;
}

/** The package brings fonts for machines without any; the place its own settings name is another one. */
function environment(folder: string): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (value !== undefined && name !== 'NODE_OPTIONS') kept[name] = value;
  }
  if (existsSync('/etc/fonts/fonts.conf') && existsSync('/usr/share/fonts')) return kept;
  return { ...kept, FONTCONFIG_FILE: join(folder, 'fonts.conf') };
}

async function run(args: string[], environment: Record<string, string>): Promise<void> {
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', ...environment },
    timeout: unpackMs,
  });
  let said = '';
  child.stderr.on('data', (piece: Buffer) => {
    said += piece.toString('utf8');
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`The browser could not be unpacked: ${said.slice(-500)}`);
}

/** Keeps a picture in the folder that `SHOTS` names; without it nothing is written. */
export async function keepShot(page: Page, name: string): Promise<void> {
  const folder = process.env.SHOTS;
  if (folder === undefined || folder === '') return;
  await mkdir(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
}
