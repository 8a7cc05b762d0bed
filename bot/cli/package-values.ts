import { demoBotId, demoTabAppId } from '../cast.ts';
import { names, reader } from '../config-reader.ts';
import { WatchpostError } from '../errors.ts';

/** What stands in the templates as `${{NAME}}`, and whether it is the demo's. */
export type PackageValues = { demo: boolean; values: Record<PlaceholderName, string> };
export const placeholderNames = [
  'TEAMS_APP_ID',
  'BOT_ID',
  'AAD_APP_CLIENT_ID',
  'PUBLIC_URL',
  'TAB_DOMAIN',
] as const;
export type PlaceholderName = (typeof placeholderNames)[number];

const needed = ['TEAMS_APP_ID', 'BOT_ID', 'AAD_APP_CLIENT_ID', 'PUBLIC_URL'] as const;
/** With any of these set somebody means a real package: a missing value is then an error, never the demo's. */
const real = /^(BOT_|AAD_|GRAPH_|PUBLIC_URL$|TEAMS_APP_ID$|ENCRYPTION_KEYS$)/;

const demoValues: Record<PlaceholderName, string> = {
  TEAMS_APP_ID: '7e52c9a4-0d3b-4f18-a6e7-58b1c2d9f043',
  BOT_ID: demoBotId,
  AAD_APP_CLIENT_ID: demoTabAppId,
  // Teams takes https only; the demo itself listens on this machine, where Teams could not reach it anyway.
  PUBLIC_URL: 'https://watchpost.example',
  TAB_DOMAIN: 'watchpost.example',
};

/**
 * The values for the app package from the environment; without any of them, and unless `fromFile`, the demo's. Throws
 * `config` with one sentence that names everything missing or wrong.
 */
export function packageValues(environment: NodeJS.ProcessEnv, fromFile = false): PackageValues {
  const demo = !fromFile && !names.some((name) => real.test(name) && environment[name] !== undefined);
  if (demo) return { demo: true, values: demoValues };

  const text = (name: string): string => (environment[name] ?? '').replace(/^\uFEFF/, '').trim();
  const set = new Map(needed.flatMap((name) => (text(name) === '' ? [] : [[name, text(name)] as const])));
  const missing = needed.filter((name) => !set.has(name));
  const problems =
    missing.length === 0 ? [] : [`${listed(missing)} ${missing.length > 1 ? 'are' : 'is'} missing.`];
  const read = reader(set, problems, '.');
  for (const name of ['TEAMS_APP_ID', 'BOT_ID', 'AAD_APP_CLIENT_ID'] as const) read.guid(name, false);
  const publicUrl = set.has('PUBLIC_URL') ? (read.publicUrl() ?? '') : '';
  if (publicUrl.startsWith('http:'))
    problems.push('PUBLIC_URL must begin with https: Teams opens nothing else.');
  const domain = URL.canParse(publicUrl) ? new URL(publicUrl).host : '';
  const said = text('TAB_DOMAIN');
  if (said !== '' && domain !== '' && said.toLowerCase() !== domain)
    problems.push(`TAB_DOMAIN must be the host of PUBLIC_URL, ${domain}, or not be set.`);
  if (problems.length > 0)
    throw new WatchpostError('config', `The package cannot be built: ${problems.join(' ')}`, {
      hint: 'Set them, or name a file that holds them: npm run package -- --env FILE',
    });
  const id = (name: (typeof needed)[number]): string => (set.get(name) ?? '').toLowerCase();
  return {
    demo: false,
    values: {
      TEAMS_APP_ID: id('TEAMS_APP_ID'),
      BOT_ID: id('BOT_ID'),
      AAD_APP_CLIENT_ID: id('AAD_APP_CLIENT_ID'),
      PUBLIC_URL: publicUrl,
      TAB_DOMAIN: domain,
    },
  };
}

function listed(some: readonly string[]): string {
  return some.length < 2 ? (some[0] ?? '') : `${some.slice(0, -1).join(', ')} and ${some.at(-1)}`;
}
