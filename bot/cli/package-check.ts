import { AppManifestUtils, type TeamsManifest } from '@microsoft/app-manifest';
import * as v from 'valibot';
import type { PackageFiles, Variant } from './package-build.ts';
import { iconProblems } from './package-icons.ts';
import { type Manifest, manifestSchema, schemaAddress } from './package-manifest.ts';
import { menuProblems } from './package-menu.ts';

/** What the bot asks for in a team where it is installed: nothing more (its list of members needs no permission). */
const permissions: Readonly<Record<Variant, readonly string[]>> = {
  standard: [],
  'read-back': ['ChannelMessage.Read.Group'],
};
/** Not one organisation's own: Microsoft's domains as a whole, and what hosts everybody's sites without the site's name. */
const sharedDomains =
  /(^|\.)(onmicrosoft\.com|microsoft\.com|botframework\.com)$|^(azurewebsites\.net|azurestaticapps\.net|herokuapp\.com|ngrok\.(io|app)|ngrok-free\.(app|dev)|devtunnels\.ms)$/;
const none = '00000000-0000-0000-0000-000000000000';

/** Everything wrong with a package, a sentence each; empty = it may go to Teams. Never reaches the network. */
export async function packageProblems(files: PackageFiles, variant: Variant): Promise<string[]> {
  const raw = manifestOf(files);
  if (typeof raw === 'string') return [raw];
  const bySchema = await schemaProblems(raw);
  return bySchema.length > 0 ? bySchema : ruleProblems(files, variant);
}

/** What Microsoft's schema says, read from the library's own folder. */
async function schemaProblems(raw: Record<string, unknown>): Promise<string[]> {
  // With any other address the library would go and fetch it.
  if (raw.$schema !== schemaAddress) return [`The manifest's $schema must be ${schemaAddress}.`];
  const left = leftOver(raw);
  if (left.length > 0) return left;
  // The library's type promises what the library is only about to check.
  const problems = await AppManifestUtils.validateAgainstSchema(raw as unknown as TeamsManifest);
  return problems.map((one) => `Microsoft's schema says: manifest${one.trim()}`);
}

/** What the schema does not know (see docs/packaging.md); the manifest has passed it before. */
export function ruleProblems(files: PackageFiles, variant: Variant): string[] {
  const raw = manifestOf(files);
  if (typeof raw === 'string') return [raw];
  const parsed = v.safeParse(manifestSchema, raw);
  if (!parsed.success)
    return parsed.issues.map(
      (one) => `The manifest's ${v.getDotPath(one) ?? 'shape'} is wrong: ${one.message}.`,
    );
  const manifest = parsed.output;
  return [
    ...leftOver(raw),
    ...fileProblems(files, manifest),
    ...idProblems(manifest),
    ...domainProblems(manifest, raw),
    ...wordProblems(manifest),
    ...menuProblems(manifest),
    ...permissionProblems(manifest, variant),
    ...iconProblems(files, manifest.icons),
  ];
}

function leftOver(raw: Record<string, unknown>): string[] {
  const left = [...new Set(JSON.stringify(raw).match(/\$\{\{[^}]*\}\}/g) ?? [])];
  return left.map((one) => `The manifest still holds ${one}: nothing was given for it.`);
}

function manifestOf(files: PackageFiles): Record<string, unknown> | string {
  const bytes = files['manifest.json'];
  if (bytes === undefined) return 'The package holds no manifest.json at its root.';
  try {
    const parsed = v.safeParse(
      v.record(v.string(), v.unknown()),
      JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)),
    );
    return parsed.success ? parsed.output : 'manifest.json is not a JSON object.';
  } catch {
    return 'manifest.json is not JSON.';
  }
}

function fileProblems(files: PackageFiles, { icons }: Manifest): string[] {
  const wanted = new Set(['manifest.json', icons.color, icons.outline]);
  return [
    ...[...wanted].filter((name) => files[name] === undefined).map((name) => `The package lacks ${name}.`),
    ...Object.keys(files)
      .filter((name) => !wanted.has(name))
      .map((name) => `The package holds ${name}, which the manifest does not name.`),
  ];
}

function idProblems({ id, version, bots, webApplicationInfo, validDomains }: Manifest): string[] {
  const problems: string[] = [];
  const [bot] = bots;
  for (const [name, value] of [
    ['id', id],
    ['botId', bot.botId],
    ['webApplicationInfo.id', webApplicationInfo.id],
  ] as const) {
    if (value === none) problems.push(`The manifest's ${name} is the empty GUID.`);
  }
  if (!/^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)$/.test(version))
    problems.push(`The version "${version}" must be three numbers like 1.0.0.`);
  const resource = /^api:\/\/([^/]+)\/(botid-)?([^/]+)$/.exec(webApplicationInfo.resource);
  const domain = resource?.[1] ?? '';
  const named = resource?.[3] === webApplicationInfo.id;
  // The form with botid- is for a bot and a tab that share one registration.
  if (!named || (resource?.[2] !== undefined && bot.botId !== webApplicationInfo.id))
    problems.push(`The SSO resource must be api://DOMAIN/${webApplicationInfo.id}.`);
  else if (!validDomains.includes(domain))
    problems.push(`The SSO resource names ${domain}, which is not among validDomains.`);
  return problems;
}

function domainProblems({ validDomains, developer }: Manifest, raw: Record<string, unknown>): string[] {
  const problems: string[] = [];
  const pages = [developer.websiteUrl, developer.privacyUrl, developer.termsOfUseUrl];
  if (new Set(pages).size < pages.length)
    problems.push("The developer's website, privacy and terms must be three different pages.");
  for (const domain of validDomains) {
    if (!/^[a-z0-9.-]+(:\d+)?$/.test(domain))
      problems.push(`The valid domain "${domain}" must be one plain host, without wildcard, scheme or path.`);
    else if (sharedDomains.test(domain.replace(/:\d+$/, '')))
      problems.push(`Teams refuses the valid domain ${domain}: it is not yours alone.`);
  }
  for (const { path, address } of addresses(raw, '')) {
    if (path === '$schema') continue;
    const url = URL.canParse(address) ? new URL(address) : undefined;
    if (url?.protocol !== 'https:') problems.push(`${path} must be an https address, not ${address}.`);
    // What the developer links to opens in a browser of its own.
    else if (!path.startsWith('developer.') && !validDomains.includes(url.host))
      problems.push(`${path} leads to ${url.host}, which validDomains does not cover.`);
  }
  return problems;
}

/** Every web address in the manifest with the place where it stands. */
function addresses(part: unknown, path: string): { path: string; address: string }[] {
  if (typeof part === 'string') return /^https?:/i.test(part) ? [{ path, address: part }] : [];
  if (part === null || typeof part !== 'object') return [];
  return Object.entries(part).flatMap(([name, value]) =>
    addresses(value, path === '' ? name : `${path}.${name}`),
  );
}

function wordProblems({ name, description, developer }: Manifest): string[] {
  const problems: string[] = [];
  // The schema counts characters, Teams counts UTF-16 units: an emoji is one there and two here.
  for (const [what, text, most] of [
    ['name.short', name.short, 30],
    ['name.full', name.full, 100],
    ['description.short', description.short, 80],
    ['description.full', description.full, 4000],
    ['developer.name', developer.name, 32],
  ] as const) {
    if (text.trim() === '') problems.push(`${what} is empty.`);
    if (text.length > most)
      problems.push(`${what} has ${text.length} characters in UTF-16; ${most} is the most.`);
  }
  if (name.full === name.short) problems.push('name.full must say more than name.short.');
  const reserved = /\b(teams|microsoft|beta|dev)\b/i.exec(`${name.short} ${name.full}`)?.[0];
  if (reserved !== undefined) problems.push(`The name must not hold the word "${reserved}".`);
  if (/\bapp\b/i.test(description.short)) problems.push('description.short must do without the word "app".');
  const teams = /(\w+\s+)?Teams\b/.exec(description.full)?.[0];
  if (teams !== undefined && teams !== 'Microsoft Teams')
    problems.push(`description.full must first say "Microsoft Teams", not "${teams}".`);
  if (description.full.includes(description.short))
    problems.push('description.full must not repeat description.short.');
  return problems;
}

function permissionProblems({ authorization }: Manifest, variant: Variant): string[] {
  const asked = (authorization?.permissions?.resourceSpecific ?? []).map((one) => one.name);
  const wanted = permissions[variant];
  return asked.length === wanted.length && wanted.every((one) => asked.includes(one))
    ? []
    : [
        `The ${variant} package must ask teams for ${wanted.join(', ') || 'no permission'}, not ${asked.join(', ') || 'none'}.`,
      ];
}
