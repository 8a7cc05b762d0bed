import { existsSync, readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import * as v from 'valibot';
import { readConfig } from '../config.ts';
import { WatchpostError } from '../errors.ts';
import { startTimetable } from '../jobs/index.ts';
import { openServices } from '../open-services.ts';
import { holdFolder } from '../store/engine/instance.ts';
import { withSettingsIn } from './options.ts';
import { runCli } from './run.ts';
import { askServer, type CliRequest, cliRequest } from './socket.ts';

/** `npm run watchpost -- …`: works beside a running server by asking it, and alone by opening the store itself. */

const usage = `npm run watchpost -- connect DOMAIN --app-id GUID --secret-file FILE [--secret-expires 2027-03-31] [--name "Contoso Ltd"] [--env FILE]
npm run watchpost -- connect DOMAIN --app-id GUID --certificate-file FILE --key-file FILE [--name "Contoso Ltd"] [--env FILE]
npm run watchpost -- verify [--env FILE]
--env FILE: the settings that the server runs with, in lines like NAME=value.`;

/** What is said of an option that does not fit; here, because the program below begins before what follows it. */
const wrong: Record<string, string> = {
  domain: 'That is no domain.',
  name: '--name must have 1 to 120 characters.',
  appId: '--app-id must be a GUID: the application (client) id of the app registration.',
  secret:
    'The file of --secret-file holds no client secret: it wants the Value, which Entra shows once, not the Secret ID.',
  secretExpires: '--secret-expires must be a day like 2027-03-31.',
  certificate: 'The file of --certificate-file is too long.',
  key: 'The file of --key-file is too long.',
};

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof WatchpostError)) throw error;
  console.error([error.message, error.hint].filter(Boolean).join('\n'));
  process.exitCode = 1;
}

async function main(): Promise<number> {
  if (process.argv.slice(2).some((one) => one === '--help' || one === '-h' || one === 'help')) {
    say(usage);
    return 0;
  }
  const { request, env } = readRequest(process.argv.slice(2));
  const environment = env === undefined ? process.env : withSettingsIn(env, process.env);
  // On a terminal only what went wrong is worth a log line; the steps are said in words.
  const config = { ...readConfig(environment), logLevel: 'warn' };
  const answered = await askServer(config.dataFolder, request, say);
  if (answered !== null) return answered;
  const sandboxUrl = config.demo ? demoSandbox(config.dataFolder) : undefined;
  if (config.demo && sandboxUrl === undefined) {
    throw new WatchpostError('start', 'No Watchpost runs here and no production settings are set.', {
      hint: 'Start it with `npm start`, or name the file with its settings: --env watchpost.env.',
    });
  }
  const folder = holdFolder(config.dataFolder);
  const stopping = new AbortController();
  const opened = await openServices({
    config,
    thread: 'main',
    instanceId: folder.instanceId,
    sandboxUrl,
    logFile: undefined,
    signal: stopping.signal,
    // No clock thread here: what is made due is read in this one.
    nudge: () => timetable.nudge(),
  });
  // Nothing is sent from here: the server, when it runs again, tells what waits.
  const timetable = startTimetable(opened.services, { sendAtOnce: 0 });
  try {
    return await runCli(request, opened.services, say);
  } finally {
    await timetable.stop(2_000);
    stopping.abort();
    await opened.close();
    folder.release();
  }
}

function say(line: string): void {
  console.log(line);
}

/**
 * The request as typed, and the file its settings are in; throws `bad-input` with the usage. Secrets come from files,
 * never from the command line.
 */
function readRequest(args: string[]): { request: CliRequest; env: string | undefined } {
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(args);
  } catch (error) {
    // Node's own sentence goes on with advice that does not fit here.
    const [first = 'Unknown option'] = (error instanceof Error ? error.message : '').split('. ');
    throw new WatchpostError('bad-input', `${first.replace(/[.]$/, '')}.`, { hint: usage });
  }
  const [command, domain, ...rest] = parsed.positionals;
  const user = userInfo().username;
  if (command === 'verify') {
    if (domain !== undefined)
      throw new WatchpostError('bad-input', 'verify looks at all there is.', { hint: usage });
    return { request: { command, user }, env: parsed.values.env };
  }
  if (command !== 'connect') {
    const what = command === undefined ? 'Say what to do.' : `There is no command "${command.slice(0, 40)}".`;
    throw new WatchpostError('bad-input', what, { hint: usage });
  }
  if (domain === undefined || rest.length > 0)
    throw new WatchpostError('bad-input', 'Name one domain (or tenant id) to connect.', { hint: usage });
  const { values } = parsed;
  const request = v.safeParse(cliRequest, {
    command,
    user,
    domain,
    name: values.name,
    appId: values['app-id'],
    secret: fileText(values['secret-file'])?.trim(),
    secretExpires: values['secret-expires'],
    certificate: fileText(values['certificate-file']),
    key: fileText(values['key-file']),
  });
  if (!request.success) {
    const field = String(request.issues[0]?.path?.[0]?.key ?? '');
    throw new WatchpostError('bad-input', wrong[field] ?? 'An option is missing or wrong.', { hint: usage });
  }
  return { request: request.output, env: values.env };
}

function parse(args: string[]) {
  const text = { type: 'string' } as const;
  return parseArgs({
    args,
    allowPositionals: true,
    options: {
      name: text,
      env: text,
      'app-id': text,
      'secret-file': text,
      'secret-expires': text,
      'certificate-file': text,
      'key-file': text,
    },
  });
}

function fileText(path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  try {
    return readFileSync(path, 'utf8');
  } catch {
    throw new WatchpostError('bad-input', `The file ${path} cannot be read.`);
  }
}

function demoSandbox(dataFolder: string): string | undefined {
  const file = join(dataFolder, 'sandbox.json');
  if (!existsSync(file)) return undefined;
  const info = v.safeParse(v.object({ url: v.string() }), JSON.parse(readFileSync(file, 'utf8')));
  return info.success ? info.output.url : undefined;
}
