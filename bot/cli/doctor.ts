import { WatchpostError } from '../errors.ts';
import { examine } from './doctor-examine.ts';
import { inLines, reportOf, without } from './doctor-report.ts';
import { secretsIn } from './doctor-settings.ts';
import { optionsOf, withSettingsIn } from './options.ts';

/** `npm run doctor`: reads the environment like the program and says what is wrong; exit code 0 when nothing is. */

const usage = 'npm run doctor -- [--env FILE] [--json]';
const options = {
  env: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof WatchpostError)) throw error;
  console.error([error.message, error.hint].filter(Boolean).join('\n'));
  process.exitCode = 1;
}

async function main(args: string[]): Promise<number> {
  const { env, json, help } = optionsOf(args, options, usage);
  if (help === true) {
    console.log(usage);
    return 0;
  }
  const environment = env === undefined ? process.env : withSettingsIn(env, process.env);
  const secrets = secretsIn(environment);
  const report = reportOf(await examine(environment, process.cwd()));
  if (json === true) console.log(JSON.stringify(report, (_, value) => hidden(value, secrets), 2));
  else console.log(without(inLines(report).join('\n'), secrets));
  return report.wrong === 0 ? 0 : 1;
}

/** Before it becomes JSON, which writes some characters in another way. */
function hidden(value: unknown, secrets: readonly string[]): unknown {
  return typeof value === 'string' ? without(value, secrets) : value;
}
