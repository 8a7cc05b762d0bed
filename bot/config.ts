import { join, resolve } from 'node:path';
import type { Role } from '../shared/access.ts';
import { type ShownBy, shownByDefault, shownClaims } from '../shared/shown-claims.ts';
import type { TenantId } from '../shared/tenants/tenant.ts';
import { demoBotId, demoHome, demoTabAppId } from './cast.ts';
import { type AppCredential, isLoopbackUrl, type Name, names, reader } from './config-reader.ts';
import { WatchpostError } from './errors.ts';
import { isLoopback } from './loopback.ts';
import { parseKeyring, Secret } from './secrets.ts';

/** All settings, checked. Read here and nowhere else. */
export type Config = {
  demo: boolean;
  port: number;
  host: string;
  publicUrl: string;
  dataFolder: string;
  role: 'all' | 'web' | 'clock';
  logLevel: string;
  cloud: 'global' | 'usgov' | 'usgovdod' | 'china';
  mongodbUri: Secret | undefined;
  metricsToken: Secret | undefined;
  /** Absent in the demo: generated once into the data folder. */
  encryptionKeys: Secret | undefined;
  homeTenantId: TenantId;
  bot: { id: string; tenantId: TenantId; credential: AppCredential | undefined };
  tab: { clientId: string; tenantId: TenantId; credential: AppCredential | undefined };
  graph: { appId: string; credential: AppCredential } | undefined;
  /** Whom a token of the tab speaks of: roles by group, and the claims that are shown as name and mail address. */
  people: { groupRoles: ReadonlyMap<string, Role>; shownBy: ShownBy };
  teamsAppId: string | undefined;
  sandboxUrl: string | undefined;
  /** The second place of the audit's checkpoints, and the Ed25519 key that signs them: made when it is not there. */
  audit: { checkpointFile: string; keyFile: string };
  syncScores: string;
  syncDirectory: string;
  /** One line each about names we do not know. */
  warnings: string[];
};

const ours = /^(BOT|AAD|GRAPH|SYNC|WATCHPOST|SANDBOX|AUDIT)_/;
/** What somebody sets who means business: with any of these there is no demo. */
const production = /^(BOT_|AAD_|GRAPH_|PUBLIC_URL$|ENCRYPTION_KEYS$)/;
/** Twice a day, at odd minutes (`graph.md` §7): Secure Score is a daily batch. */
const twiceADay = '17 5,17 * * *';
const everyMinute = '* * * * *';
/** Users, MFA, groups, licences and domains change slowly and are many: once a night; in the demo now and then. */
const onceANight = '41 2 * * *';
const nowAndThen = '*/10 * * * *';

/**
 * The settings of the environment, or a WatchpostError `config` whose message lists everything that is missing or
 * wrong at once. Values of secrets are never in it.
 */
export function readConfig(environment: NodeJS.ProcessEnv, folder = process.cwd()): Config {
  const problems: string[] = [];
  const set = new Map<Name, string>();
  const warnings: string[] = [];
  for (const [name, raw] of Object.entries(environment)) {
    if (raw === undefined) continue;
    const known = names.find((one) => one === name);
    if (known === undefined) {
      if (ours.test(name) && !name.startsWith('WATCHPOST_TEST_'))
        warnings.push(`${name} is not a setting of Watchpost and is ignored.`);
      continue;
    }
    // A BOM, a carriage return or blanks come with files written elsewhere; inside a value they stay.
    const value = raw.replace(/^\uFEFF/, '').trim();
    if (value !== '') set.set(known, value);
  }
  const hostSet = set.get('HOST');
  const loopbackHost = hostSet === undefined || isLoopback(hostSet);
  const demo =
    loopbackHost &&
    environment.NODE_ENV !== 'production' &&
    // An unknown name of these families is a warning and never what ends the demo. A known one ends it even when it
    // is blank: that is a server whose settings got lost.
    !names.some((name) => production.test(name) && environment[name] !== undefined);

  const read = reader(set, problems, folder);
  const port = read.port('PORT', 3978);
  const host = hostSet ?? (demo ? '127.0.0.1' : '0.0.0.0');
  const role = read.oneOf('WATCHPOST_ROLE', ['all', 'web', 'clock'] as const, 'all');
  const mongo = set.get('MONGODB_URI');
  if (mongo !== undefined && !/^mongodb(\+srv)?:\/\//.test(mongo))
    problems.push('MONGODB_URI must begin with mongodb:// or mongodb+srv://.');
  if (role !== 'all' && mongo === undefined)
    problems.push(
      'WATCHPOST_ROLE other than "all" needs MONGODB_URI: the embedded store serves one process.',
    );
  const sandbox = set.get('SANDBOX_URL');
  if (sandbox !== undefined && !demo)
    problems.push('SANDBOX_URL is for the demo only; remove it or the production settings.');
  if (sandbox !== undefined && !isLoopbackUrl(sandbox))
    problems.push('SANDBOX_URL must be an http address on loopback.');
  const teamsAppId = read.guid('TEAMS_APP_ID', false);
  const cloud = read.oneOf('CLOUD', ['global', 'usgov', 'usgovdod', 'china'] as const, 'global');

  const dataFolder = resolve(folder, set.get('WATCHPOST_DATA') ?? 'data');

  const common = {
    port,
    host,
    dataFolder,
    audit: {
      checkpointFile: read.path('AUDIT_CHECKPOINT_FILE', join(dataFolder, 'audit-checkpoints.jsonl')),
      keyFile: read.signingKeyFile('AUDIT_KEY_FILE', join(dataFolder, 'audit-key.pem')),
    },
    role,
    logLevel: read.oneOf(
      'LOG_LEVEL',
      ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const,
      'info',
    ),
    cloud,
    mongodbUri: mongo === undefined ? undefined : new Secret(mongo),
    metricsToken: read.secret('METRICS_TOKEN', 16),
    people: {
      groupRoles: read.groupRoles('WATCHPOST_GROUP_ROLES'),
      shownBy: {
        name: read.someOf('WATCHPOST_NAME_CLAIMS', shownClaims, shownByDefault.name),
        mail: read.someOf('WATCHPOST_MAIL_CLAIMS', shownClaims, shownByDefault.mail),
      },
    },
    teamsAppId,
    sandboxUrl: sandbox?.replace(/\/+$/, ''),
    syncScores: read.cron('SYNC_CRON_SCORES', demo ? everyMinute : twiceADay),
    syncDirectory: read.cron('SYNC_CRON_DIRECTORY', demo ? nowAndThen : onceANight),
    warnings,
  };
  for (const name of [
    'SYNC_CRON_ALERTS',
    'SYNC_CRON_IDENTITY',
    'SYNC_CRON_POLICIES',
    'SYNC_CRON_CALENDAR',
  ] as const) {
    read.cron(name, everyMinute);
  }

  if (demo) {
    refuseOver(problems);
    return {
      ...common,
      demo: true,
      publicUrl: `http://localhost:${port}`,
      encryptionKeys: undefined,
      homeTenantId: demoHome.id,
      bot: { id: demoBotId, tenantId: demoHome.id, credential: undefined },
      tab: { clientId: demoTabAppId, tenantId: demoHome.id, credential: undefined },
      graph: undefined,
    };
  }

  const publicUrl = read.publicUrl();
  const botId = read.guid('BOT_ID', true);
  const botTenantId = read.guid('BOT_TENANT_ID', true);
  const bot = read.credential('BOT_PASSWORD', 'BOT_CERTIFICATE_FILE', 'BOT_KEY_FILE', true);
  const tabId = read.guid('AAD_APP_CLIENT_ID', true);
  const tabTenant = read.guid('AAD_APP_TENANT_ID', true);
  const tab = read.credential('AAD_APP_SECRET', 'AAD_APP_CERTIFICATE_FILE', 'AAD_APP_KEY_FILE', false);
  const graphId = read.guid('GRAPH_APP_ID', false);
  const graph = read.credential('GRAPH_APP_SECRET', 'GRAPH_CERTIFICATE_FILE', 'GRAPH_KEY_FILE', false);
  if (graphId !== undefined && graph === undefined)
    problems.push('GRAPH_APP_ID is set without GRAPH_APP_SECRET or a certificate.');
  if (graphId === undefined && graph !== undefined)
    problems.push('GRAPH_APP_SECRET or a certificate is set without GRAPH_APP_ID.');
  const home = read.guid('HOME_TENANT_ID', false) ?? botTenantId;
  const keys = read.secret('ENCRYPTION_KEYS', 1);
  if (keys === undefined) problems.push('ENCRYPTION_KEYS is missing: kid:base64 of 32 random bytes.');
  else problems.push(...keyProblems(keys));
  // Real settings are production, whatever NODE_ENV says (R57).
  for (const name of ['DEBUG', 'NODE_DEBUG'] as const)
    if (environment[name])
      problems.push(`${name} must not be set with real settings: it prints what must stay secret.`);
  if (/--inspect/.test(`${environment.NODE_OPTIONS ?? ''} ${process.execArgv.join(' ')}`))
    problems.push('The inspector must be off with real settings.');
  refuseOver(problems);
  return {
    ...common,
    demo: false,
    publicUrl: sure(publicUrl),
    encryptionKeys: keys,
    homeTenantId: sure(home),
    bot: { id: sure(botId), tenantId: sure(botTenantId), credential: bot },
    tab: { clientId: sure(tabId), tenantId: sure(tabTenant), credential: tab },
    graph: graphId !== undefined && graph !== undefined ? { appId: graphId, credential: graph } : undefined,
  };
}

/** What is wrong with the keys, without showing one: told together with everything else. */
function keyProblems(keys: Secret): string[] {
  try {
    keys.use(parseKeyring);
    return [];
  } catch (error) {
    if (!(error instanceof WatchpostError)) throw error;
    return [error.message];
  }
}

/** After `refuseOver` has passed, a required value is there. */
function sure<T>(value: T | undefined): T {
  if (value === undefined) throw new WatchpostError('config', 'A required setting is missing.');
  return value;
}

function refuseOver(problems: string[]): void {
  if (problems.length === 0) return;
  throw new WatchpostError(
    'config',
    `Watchpost cannot start:\n${problems.map((one) => `  - ${one}`).join('\n')}`,
    {
      hint: 'The README tells what each is for. Without any of BOT_*, AAD_*, GRAPH_*, PUBLIC_URL and ENCRYPTION_KEYS the demo starts.',
    },
  );
}
