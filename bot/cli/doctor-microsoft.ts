import * as v from 'valibot';
import type { TenantId } from '../../shared/tenants/tenant.ts';
import { type Cloud, cloudNamed, entraMetadata } from '../clouds.ts';
import type { Config } from '../config.ts';
import type { AppCredential, Name } from '../config-reader.ts';
import { WatchpostError } from '../errors.ts';
import { openBotTokens } from '../microsoft/bot-tokens.ts';
import { tenantOfDomain } from '../microsoft/discovery.ts';
import { MicrosoftError } from '../microsoft/failures.ts';
import { openSigningKeys } from '../microsoft/keys.ts';
import { openTokens } from '../microsoft/tokens.ts';
import { type Outbound, OutboundError, openOutbound } from '../outbound.ts';
import type { Secret } from '../secrets.ts';
import { askMs, type Check, look, notChecked, ok, wrong } from './doctor-report.ts';

const network =
  'Let this machine reach that host on port 443, by name, or tell Node of your proxy with NODE_USE_ENV_PROXY=1 and HTTPS_PROXY.';

/** Everything that is asked of Microsoft, at once. `broken`: settings that were said to be wrong already. */
export async function examineMicrosoft(config: Config, broken: ReadonlySet<Name>): Promise<Check[]> {
  if (broken.has('CLOUD')) return [notChecked('Microsoft', 'CLOUD is wrong, so nobody knows whom to ask.')];
  const cloud = cloudNamed(config.cloud);
  const way = { cloud, outbound: bounded(openOutbound({ cloud })) };
  const { bot, tab, graph } = config;
  const checks = await Promise.all([
    look('clock', () => clock(way)),
    look('Bot Framework keys', () => keys(way, 'Bot Framework keys', cloud.botOpenIdMetadata)),
    look('Entra keys', () => keys(way, 'Entra keys', entraMetadata(cloud, 'common'))),
    unless(broken, ['BOT_TENANT_ID'], (signal) => tenant(way, 'BOT_TENANT_ID', bot.tenantId, signal)),
    unless(broken, ['AAD_APP_TENANT_ID'], (signal) => tenant(way, 'AAD_APP_TENANT_ID', tab.tenantId, signal)),
    config.homeTenantId === bot.tenantId
      ? []
      : unless(broken, ['HOME_TENANT_ID', 'BOT_TENANT_ID'], (signal) =>
          tenant(way, 'HOME_TENANT_ID', config.homeTenantId, signal),
        ),
    unless(broken, ['BOT_PASSWORD', 'BOT_ID', 'BOT_TENANT_ID'], (signal) => botToken(way, bot, signal)),
    unless(broken, ['AAD_APP_SECRET', 'AAD_APP_CLIENT_ID', 'AAD_APP_TENANT_ID'], (signal) =>
      appToken(
        way,
        { id: 'AAD_APP_CLIENT_ID', app: tab.clientId, tenantId: tab.tenantId, credential: tab.credential },
        signal,
      ),
    ),
    graph === undefined
      ? []
      : unless(broken, ['GRAPH_APP_ID', 'HOME_TENANT_ID', 'BOT_TENANT_ID'], (signal) =>
          appToken(
            way,
            {
              id: 'GRAPH_APP_ID',
              app: graph.appId,
              tenantId: config.homeTenantId,
              credential: graph.credential,
            },
            signal,
          ),
        ),
  ]);
  return [...withCause(checks.flat()), ...separate(config, broken)];
}

type Way = { cloud: Cloud; outbound: Outbound };

/** The program waits longer for Microsoft; the doctor does not. */
function bounded(outbound: Outbound): Outbound {
  return (url, init) => outbound(url, { ...init, timeoutMs: Math.min(init.timeoutMs ?? askMs, askMs) });
}

function unless(
  broken: ReadonlySet<Name>,
  needed: readonly [Name, ...Name[]],
  work: (signal: AbortSignal) => Promise<Check | Check[]>,
): Promise<Check[]> {
  const [about] = needed;
  const missing = needed.find((name) => broken.has(name));
  if (missing === undefined) return look(about, work);
  return Promise.resolve([notChecked(about, `${missing} is missing or wrong.`)]);
}

/** Tokens are refused when this machine's clock is off; Microsoft's answers carry the time. */
async function clock({ cloud, outbound }: Way): Promise<Check> {
  try {
    const before = Date.now();
    const started = performance.now();
    const { headers } = await outbound(entraMetadata(cloud, 'common'), {
      method: 'GET',
      maxBytes: 1024 * 1024,
    });
    const middle = before + (performance.now() - started) / 2;
    const told = Date.parse(headers.date ?? '');
    if (Number.isNaN(told)) return notChecked('clock', 'Microsoft did not tell the time.');
    return clockAgainst(told, middle);
  } catch (error) {
    return unreachable('clock', error);
  }
}

/** Both in milliseconds. The header has whole seconds, and tokens forgive two minutes in the tab. */
export function clockAgainst(microsoft: number, ours: number): Check {
  const seconds = Math.round(Math.abs(ours - microsoft) / 1000);
  if (seconds <= 30) return ok('clock', "It agrees with Microsoft's within 30 s.");
  const side = ours > microsoft ? 'ahead of' : 'behind';
  return wrong(
    'clock',
    `This machine's clock is ${seconds} s ${side} Microsoft's: tokens are refused from 2 minutes on.`,
    'Let the machine keep time by NTP (on Linux: `timedatectl set-ntp true`).',
  );
}

async function keys({ outbound }: Way, about: string, metadataUrl: string): Promise<Check> {
  const seen: { why?: unknown } = {};
  const listening: Outbound = async (url, init) => {
    try {
      return await outbound(url, init);
    } catch (error) {
      seen.why = error;
      throw error;
    }
  };
  const published = openSigningKeys({ outbound: listening, metadataUrl, now: () => Date.now() });
  try {
    await published.find('none has this id');
    return ok(about, 'Microsoft publishes them and they can be read from here.');
  } catch (error) {
    return unreachable(about, seen.why ?? error);
  }
}

async function tenant(
  { cloud, outbound }: Way,
  about: Name,
  id: TenantId,
  signal: AbortSignal,
): Promise<Check> {
  try {
    if ((await tenantOfDomain(outbound, cloud, id, signal)) === id)
      return ok(about, 'Microsoft Entra knows this tenant.');
    return wrong(
      about,
      'Microsoft Entra does not know this tenant.',
      `Copy the directory (tenant) id from the overview of Entra; CLOUD says in which cloud it is looked for (${cloud.name}).`,
    );
  } catch (error) {
    return unreachable(about, error);
  }
}

async function botToken({ cloud, outbound }: Way, bot: Config['bot'], signal: AbortSignal): Promise<Check> {
  const about = 'BOT_PASSWORD';
  const { id, tenantId, credential } = bot;
  if (credential === undefined) return notChecked(about, 'The bot has no credential.');
  const named = credential.kind === 'secret' ? about : 'BOT_CERTIFICATE_FILE';
  const tokens = openBotTokens({
    outbound,
    cloud,
    now: () => Date.now(),
    signal,
    bot: { tenantId, appId: id, credential },
  });
  try {
    const audience = audienceOf(await tokens.get());
    const wanted = cloud.botScope.replace(/\/\.default$/, '');
    // The address or the app id of the Bot Framework: Microsoft writes either.
    if (audience !== undefined && audience !== wanted && !/^[0-9a-f-]{36}$/i.test(audience))
      return wrong(
        named,
        'Microsoft Entra gave a token for something else than the Bot Framework.',
        'Check BOT_ID and CLOUD.',
      );
    return ok(
      named,
      'Microsoft Entra gives the bot a token with it, for the right tenant and the Bot Framework.',
    );
  } catch (error) {
    return refusedToken(named, 'BOT_ID', error);
  }
}

const claimsSchema = v.object({ aud: v.string() });

function audienceOf(token: Secret): string | undefined {
  return token.use((value) => {
    const [, middle, ...rest] = value.split('.');
    if (middle === undefined || rest.length !== 1) return undefined; // opaque to clients
    try {
      return v.parse(claimsSchema, JSON.parse(Buffer.from(middle, 'base64url').toString('utf8'))).aud;
    } catch {
      // A token is its receiver's business: what cannot be read is not judged.
      return undefined;
    }
  });
}

/** Registrations whose credential is optional: without one nobody can ask Microsoft about them. */
async function appToken(
  { cloud, outbound }: Way,
  asked: { id: Name; app: string; tenantId: TenantId; credential: AppCredential | undefined },
  signal: AbortSignal,
): Promise<Check[]> {
  const { id, app, tenantId, credential } = asked;
  if (credential === undefined)
    return [
      notChecked(
        id,
        'It has no credential of its own, so Microsoft cannot be asked about it.',
        'Open the tab in Teams once: that needs it. docs/packaging.md says what the registration must have.',
      ),
    ];
  const tokens = openTokens({ outbound, cloud, now: () => Date.now(), signal, most: 1 });
  try {
    await tokens.get({ tenantId, appId: app, credential });
    return [ok(id, 'Microsoft Entra gives this application a token.')];
  } catch (error) {
    return [refusedToken(id, id, error)];
  }
}

/** Entra's refusal by the program's own table. */
function refusedToken(about: string, id: Name, error: unknown): Check {
  if (!(error instanceof MicrosoftError) || error.failure.transient) return unreachable(about, error);
  const { cause, remedy, code } = error.failure;
  return wrong(
    about,
    `${cause}${code === undefined ? '' : ` (${code})`}`,
    `${remedy} The application is the one of ${id}.`,
  );
}

/** Nothing is known of what could not be looked at: it may be right. Why it could not is told once, for all. */
type Unreached = Check & { unreached?: string };

function unreachable(about: string, error: unknown): Unreached {
  if (error instanceof MicrosoftError && !error.failure.transient)
    return wrong(about, error.failure.cause, error.failure.remedy);
  if (!(error instanceof WatchpostError)) throw error;
  const silent = error instanceof OutboundError && error.code === 'stopped';
  const unreached = silent ? 'Microsoft did not answer within 5 seconds.' : error.message;
  return { ...notChecked(about, 'Microsoft could not be asked.'), unreached };
}

/** The checks as they are told, and before them in one line what kept Microsoft from being asked. */
function withCause(checks: readonly Unreached[]): Check[] {
  const causes = [...new Set(checks.flatMap(({ unreached }) => unreached ?? []))];
  const told = checks.map(({ unreached: _, ...check }) => check);
  if (causes.length === 0) return told;
  const more = causes.length > mostCauses ? [`And ${causes.length - mostCauses} more.`] : [];
  return [wrong('reaching Microsoft', [...causes.slice(0, mostCauses), ...more].join(' '), network), ...told];
}
const mostCauses = 3;

/** One registration for two purposes opens a door that was measured: a person's token for one counts at the other. */
function separate({ bot, tab, graph }: Config, broken: ReadonlySet<Name>): Check[] {
  const ids: [Name, string][] = [
    ['BOT_ID', bot.id],
    ['AAD_APP_CLIENT_ID', tab.clientId],
    ...(graph === undefined ? [] : [['GRAPH_APP_ID', graph.appId] satisfies [Name, string]]),
  ];
  const known = ids.filter(([name]) => !broken.has(name));
  if (known.length < 2) return [notChecked('registrations', 'Fewer than two are known.')];
  const twice = known.find(([, id], at) => known.some(([, other], where) => where < at && other === id));
  if (twice === undefined) return [ok('registrations', 'Each purpose has one of its own.')];
  const same = known.filter(([, id]) => id === twice[1]).map(([name]) => name);
  return [
    wrong(
      'registrations',
      `${same.join(' and ')} are the same application.`,
      'Make a registration for each: a token for one must be worth nothing at the other (docs/packaging.md).',
    ),
  ];
}
