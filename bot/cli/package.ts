import { mkdirSync, writeFileSync } from 'node:fs';
import { isAbsolute, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WatchpostError } from '../errors.ts';
import { optionsOf, settingsIn } from './options.ts';
import { packageFiles, variants, zipOf } from './package-build.ts';
import { packageProblems } from './package-check.ts';
import { packageValues } from './package-values.ts';

/** `npm run package`: the app packages for Teams, checked without the network. Nothing is written when one is wrong. */

const usage = 'npm run package -- [--out FOLDER] [--env FILE]';
const options = {
  out: { type: 'string' },
  env: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;
const project = fileURLToPath(new URL('../..', import.meta.url));
const zipNames = { standard: 'watchpost.zip', 'read-back': 'watchpost-read-back.zip' } as const;

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof WatchpostError)) throw error;
  console.error([error.message, error.hint].filter(Boolean).join('\n'));
  process.exitCode = 1;
}

async function main(args: string[]): Promise<number> {
  const { out, env, help } = optionsOf(args, options, usage);
  if (help === true) {
    console.log(usage);
    return 0;
  }
  const environment = env === undefined ? process.env : { ...process.env, ...fileOf(env) };
  const { demo, values } = packageValues(environment, env !== undefined);
  const folder = resolve(out ?? join(project, 'appPackage/build'));

  const built = variants.map((variant) => ({
    variant,
    files: packageFiles(join(project, 'appPackage'), values, variant),
  }));
  const problems = (
    await Promise.all(built.map(({ files, variant }) => packageProblems(files, variant)))
  ).flat();
  if (problems.length > 0) {
    console.error(
      ['No package was written:', ...[...new Set(problems)].map((one) => `  - ${one}`)].join('\n'),
    );
    return 1;
  }
  for (const { variant, files } of built) {
    const path = join(folder, zipNames[variant]);
    write(path, zipOf(files));
    console.log(shown(path));
  }
  console.log(
    demo
      ? "These are the demo's ids, which exist nowhere at Microsoft: good to look at, not to upload. Set TEAMS_APP_ID, BOT_ID, AAD_APP_CLIENT_ID and PUBLIC_URL for your own."
      : `Built for ${values.PUBLIC_URL}. Upload watchpost.zip; the other one also lets Watchpost read the channels it posts to (docs/packaging.md).`,
  );
  return 0;
}

/** As short as it can be said: from here, unless it lies elsewhere. */
function shown(path: string): string {
  const short = relative(process.cwd(), path);
  return short.startsWith('..') || isAbsolute(short) ? path : short;
}

/** The file's lines win over the environment: it was named for this package. One left blank says nothing. */
function fileOf(path: string): NodeJS.ProcessEnv {
  const lines = Object.entries(settingsIn(path));
  return Object.fromEntries(lines.filter(([, value]) => value?.trim() !== ''));
}

function write(path: string, bytes: Uint8Array): void {
  try {
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, bytes);
  } catch (cause) {
    throw new WatchpostError('bad-input', `${path} cannot be written.`, { cause });
  }
}
