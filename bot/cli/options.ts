import { readFileSync } from 'node:fs';
import { type ParseArgsConfig, parseArgs, parseEnv } from 'node:util';
import { WatchpostError } from '../errors.ts';

/** The options of a command line; throws `bad-input` with `usage` as its hint for one that is not there. */
export function optionsOf<const T extends NonNullable<ParseArgsConfig['options']>>(
  args: string[],
  options: T,
  usage: string,
): ReturnType<typeof parseArgs<{ args: string[]; options: T }>>['values'] {
  try {
    return parseArgs({ args, options }).values;
  } catch (error) {
    const [first = 'Unknown option'] = (error instanceof Error ? error.message : '').split('. ');
    throw new WatchpostError('bad-input', `${first.replace(/[.]$/, '')}.`, { hint: usage });
  }
}

/** The environment with the settings in a file, whose lines win: it was named for this one run. */
export function withSettingsIn(path: string, environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { ...environment, ...settingsIn(path) };
}

/** The settings in a file of lines like `NAME=value`; throws `bad-input` when it cannot be read. */
export function settingsIn(path: string): NodeJS.ProcessEnv {
  try {
    return parseEnv(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new WatchpostError('bad-input', `The file ${path} cannot be read.`, { cause });
  }
}
