import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { readConfig } from '../bot/config.ts';
import { names } from '../bot/config-reader.ts';

/** Dockerfile and compose.yaml, read and held to the program: no Docker builds them here. */

const root = fileURLToPath(new URL('..', import.meta.url));
const text = (path: string): string => readFileSync(join(root, path), 'utf8');
const dockerfile = text('Dockerfile');
const port = String(readConfig({}).port);
const secretName = /PASSWORD|SECRET|KEY|TOKEN|MONGODB_URI/;

type Line = { word: string; rest: string };

/** Instructions with their continued lines, comments left out. */
function instructions(content: string): Line[] {
  const joined = content.replace(/^\s*#.*\n/gm, '').replace(/\\\n/g, ' ');
  return joined.split('\n').flatMap((line) => {
    const [, word, rest] = /^([A-Z]+)\s+(.+)$/.exec(line.trim()) ?? [];
    return word === undefined || rest === undefined ? [] : [{ word, rest }];
  });
}

function imageProblems(content: string): string[] {
  const lines = instructions(content);
  const of = (word: string): string[] => lines.filter((line) => line.word === word).map(({ rest }) => rest);
  const finalStage = lines.slice(lines.findLastIndex(({ word }) => word === 'FROM'));
  const last = (word: string): string => finalStage.findLast((line) => line.word === word)?.rest ?? '';
  const problems: string[] = [];
  for (const from of of('FROM'))
    if (/alpine|:latest|^[\w/.-]+( AS|$)/.test(from)) problems.push(`base ${from}`);
  for (const copy of of('COPY')) {
    if (/--from=/.test(copy)) continue;
    const sources = copy
      .split(/\s+/)
      .filter((part) => !part.startsWith('--'))
      .slice(0, -1);
    for (const source of sources) {
      if (source === '.') problems.push('copies everything');
      else if (!existsSync(join(root, source))) problems.push(`${source} is not there`);
    }
  }
  for (const set of [...of('ENV'), ...of('ARG')])
    for (const name of names)
      if (secretName.test(name) && new RegExp(`\\b${name}\\b`).test(set))
        problems.push(`${name} in the image`);
  if (!/^[1-9]\d*(:[1-9]\d*)?$/.test(last('USER'))) problems.push(`user ${last('USER') || 'root'}`);
  if (last('EXPOSE') !== port) problems.push(`port ${last('EXPOSE')}`);
  if (last('STOPSIGNAL') !== 'SIGTERM') problems.push('stop signal');
  if (!/NODE_ENV=production/.test(last('ENV'))) problems.push('NODE_ENV');
  const data = /WATCHPOST_DATA=(\S+)/.exec(last('ENV'))?.[1];
  if (data === undefined || last('VOLUME') !== data) problems.push('data folder');
  const health = last('HEALTHCHECK');
  if (!health.includes('/healthz') || !health.includes(port)) problems.push('health');
  const started = /"(bot\/[\w/-]+\.ts)"/.exec(last('CMD'))?.[1] ?? '';
  if (started === '' || !existsSync(join(root, started))) problems.push('what is started');
  if (!of('RUN').some((run) => run.startsWith('npm ci --omit=dev'))) problems.push('how packages come');
  return problems;
}

test('the image: sources there, no secret, an ordinary user, port, health and folder as in the program', () => {
  expect(imageProblems(dockerfile)).toEqual([]);
  expect(text('bot/server.ts')).toContain("get('/healthz'");
});

test.each([
  { planted: ['COPY shared ./shared', 'COPY gone ./gone'], says: 'gone is not there' },
  { planted: ['COPY shared ./shared', 'COPY . .'], says: 'copies everything' },
  { planted: ['USER 10001:10001', 'USER root'], says: 'user root' },
  { planted: ['USER 10001:10001', ''], says: 'user root' },
  { planted: ['EXPOSE 3978', 'EXPOSE 80'], says: 'port 80' },
  { planted: ['VOLUME /data', 'VOLUME /var'], says: 'data folder' },
  { planted: ['NODE_ENV=production', 'BOT_PASSWORD=x'], says: 'BOT_PASSWORD in the image' },
  { planted: ['/healthz', '/health'], says: 'health' },
  { planted: ['debian:bookworm-slim', 'node:alpine'], says: 'base node:alpine' },
  { planted: ['CMD ["node", "bot/main.ts"]', 'CMD ["node", "bot/start.ts"]'], says: 'what is started' },
])('a planted mistake is found: $says', ({ planted: [from = '', to = ''], says }) => {
  expect(dockerfile).toContain(from);
  expect(imageProblems(dockerfile.replace(from, to))).toContain(says);
});

test('everything the build needs is a dependency of the program, and everything copied passes .dockerignore', () => {
  const { dependencies } = JSON.parse(text('package.json')) as { dependencies: Record<string, string> };
  const config = [...text('tab/vite.config.ts').matchAll(/from '([^'.][^']*)'/g)].map(
    ([, name]) => name ?? '',
  );
  for (const name of [...config, 'vite']) expect(Object.keys(dependencies)).toContain(name);
  const passed = text('.dockerignore')
    .split('\n')
    .filter((line) => line.startsWith('!'))
    .map((line) => line.slice(1));
  const copied = instructions(dockerfile).flatMap(({ word, rest }) =>
    word === 'COPY' && !rest.startsWith('--from') ? rest.split(/\s+/).slice(0, -1) : [],
  );
  expect(copied.sort()).toEqual(passed.sort());
});

test('what is taken out of the image after the build is used by the page alone, and the start says what it must', () => {
  const removed = /npm uninstall --no-save --omit=dev (.+)/.exec(dockerfile)?.[1]?.split(' ') ?? [];
  expect(removed.length).toBeGreaterThan(3);
  const { dependencies } = JSON.parse(text('package.json')) as { dependencies: Record<string, string> };
  expect(removed.filter((name) => !(name in dependencies))).toEqual([]);
  const used = ['bot', 'shared'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts'))
      .filter((path) => removed.some((name) => text(`${folder}/${path}`).includes(`from '${name}`))),
  );
  expect(used).toEqual([]);
  const said = /grep --quiet '([^']+)'/.exec(dockerfile)?.[1] ?? 'nothing';
  expect(() => readConfig({ NODE_ENV: 'production' })).toThrow(said);
});

test('no file that git keeps and the image takes looks like a private key or a settings file', () => {
  const kept = execFileSync('git', ['ls-files', 'bot', 'shared', 'tab', 'appPackage'], {
    cwd: root,
    encoding: 'utf8',
  });
  expect(kept.split('\n').filter((path) => /\.(pem|key|env)$|(^|\/)\.env/.test(path))).toEqual([]);
});

type Service = {
  image?: string;
  user?: string;
  environment?: Record<string, string>;
  env_file?: string;
  ports?: string[];
  networks?: string[];
  volumes?: string[];
  depends_on?: Record<string, { condition: string }>;
  healthcheck?: unknown;
  read_only?: boolean;
  cap_drop?: string[];
  privileged?: boolean;
  secrets?: string[];
  entrypoint?: string[];
};
type Compose = {
  services: Record<string, Service>;
  volumes: Record<string, unknown>;
  networks: Record<string, { internal?: boolean }>;
  secrets: Record<string, { environment?: string }>;
};

function composeProblems(content: string): string[] {
  const { services, volumes, networks, secrets } = parse(content, { merge: true }) as Compose;
  const problems: string[] = [];
  const { watchpost } = services;
  for (const [name, service] of Object.entries(services)) {
    for (const [setting, value] of Object.entries(service.environment ?? {}))
      if (/PASSWORD|SECRET|KEY|TOKEN|URI/.test(setting) && !/\$\{\w+:\?[^}]+\}/.test(value))
        problems.push(`${name}: ${setting} has a value or a default`);
    if (service.privileged === true) problems.push(`${name} is privileged`);
    if (/:latest$|^[^:]+\/[^:]+$/.test(service.image ?? '') && service.image !== 'watchpost')
      problems.push(`${name}: image`);
    for (const one of service.volumes ?? []) {
      const [from = ''] = one.split(':');
      if (from.startsWith('.') ? !existsSync(join(root, from)) : !(from in volumes))
        problems.push(`${name}: volume ${from}`);
    }
    for (const one of service.networks ?? [])
      if (one !== 'default' && !(one in networks)) problems.push(`${name}: network ${one}`);
    for (const one of service.secrets ?? [])
      if (secrets[one]?.environment === undefined) problems.push(`${name}: secret ${one}`);
    for (const one of Object.keys(service.depends_on ?? {}))
      if (!(one in services)) problems.push(`${name}: needs ${one}`);
    if (name !== 'watchpost' && service.ports !== undefined) problems.push(`${name} is reached from outside`);
  }
  const uri = watchpost?.environment?.MONGODB_URI ?? '';
  const members = [...uri.matchAll(/(mongo\d):27017/g)].map(([, member]) => member ?? '');
  if (members.length !== 3 || members.some((one) => services[one]?.healthcheck === undefined))
    problems.push('members');
  const set = /replicaSet=(\w+)/.exec(uri)?.[1] ?? 'none';
  const script = text('infra/mongo-init.js');
  if (members.some((one) => !script.includes(`'${one}:27017'`)) || !script.includes(`'${set}'`))
    problems.push('the script makes another set');
  for (const one of members)
    if (!services[one]?.entrypoint?.join(' ').includes(`--replSet ${set}`))
      problems.push(`${one} is in another set`);
  const made = members.filter((one) => services[one]?.environment?.MONGO_INITDB_ROOT_PASSWORD !== undefined);
  if (made.join() !== 'mongo1') problems.push('members must join empty');
  if (watchpost?.ports?.join() !== `127.0.0.1:${port}:${port}` || watchpost.environment?.PORT !== port)
    problems.push('port');
  if (watchpost?.read_only !== true || watchpost.cap_drop?.join() !== 'ALL') problems.push('rights');
  if (watchpost?.env_file !== 'watchpost.env') problems.push('settings');
  if (networks.store?.internal !== true) problems.push('the store is reached from outside');
  return problems;
}

describe('compose.yaml', () => {
  const compose = text('compose.yaml');

  test('three members with a key, no password of its own, nothing open but the port for the proxy', () => {
    expect(composeProblems(compose)).toEqual([]);
  });

  test.each([
    {
      planted: ['MONGO_INITDB_ROOT_PASSWORD: ', 'MONGO_INITDB_ROOT_PASSWORD: change-me # '],
      says: 'mongo1: MONGO_INITDB_ROOT_PASSWORD has a value or a default',
    },
    {
      planted: ['mongodb://watchpost:', 'mongodb://watchpost:change-me@mongo1/ # '],
      says: 'watchpost: MONGODB_URI has a value or a default',
    },
    { planted: ['replicaSet=rs0', 'replicaSet=rs1'], says: 'the script makes another set' },
    { planted: ['127.0.0.1:3978:3978', '80:3978'], says: 'port' },
    { planted: ['read_only: true', 'read_only: false'], says: 'rights' },
    { planted: ['internal: true', 'internal: false'], says: 'the store is reached from outside' },
    { planted: ['./infra/mongo-init.js:', './infra/gone.js:'], says: 'mongo-init: volume ./infra/gone.js' },
    { planted: ['env_file: watchpost.env', 'env_file: env/.env.dev'], says: 'settings' },
    { planted: ['volumes: [mongo3:/data/db]', 'volumes: [mongo4:/data/db]'], says: 'mongo3: volume mongo4' },
  ])('a planted mistake is found: $says', ({ planted: [from = '', to = ''], says }) => {
    expect(compose).toContain(from);
    expect(composeProblems(compose.replace(from, to))).toContain(says);
  });
});

describe('infra/mongo-init.js', () => {
  type Asked = Record<string, unknown>;

  /** What mongosh gives a script, over a cluster that is `made` or not. */
  function run(state: { made: boolean; user: boolean; awake?: number }): string[] {
    const done: string[] = [];
    let asleep = state.awake ?? 0;
    let time = 0;
    const refuse = (codeName: string): never => {
      throw Object.assign(new Error(codeName), { codeName });
    };
    const database = {
      adminCommand(asked: Asked) {
        if ('replSetGetStatus' in asked) return state.made ? { ok: 1 } : refuse('NotYetInitialized');
        done.push(JSON.stringify(asked));
        state.made = true;
        return { ok: 1 };
      },
      hello: () => ({ isWritablePrimary: state.made }),
      getSiblingDB: () => ({
        getUser: () => (state.user ? {} : null),
        createUser: ({ user, pwd, roles }: Asked) =>
          done.push(`create ${user} ${pwd} ${JSON.stringify(roles)}`),
        updateUser: (user: string, { pwd }: Asked) => done.push(`update ${user} ${pwd}`),
      }),
    };
    runInNewContext(text('infra/mongo-init.js'), {
      process: { env: { MONGO_ROOT_PASSWORD: 'r@ot', MONGO_PASSWORD: 'theirs' } },
      connect(address: string) {
        expect(address).toContain('root:r%40ot@');
        asleep -= 1;
        return asleep >= 0 ? refuse('HostUnreachable') : database;
      },
      sleep(ms: number) {
        time += ms;
      },
      Date: { now: () => time },
      print: () => undefined,
      encodeURIComponent,
    });
    return done;
  }

  const members =
    '[{"_id":0,"host":"mongo1:27017"},{"_id":1,"host":"mongo2:27017"},{"_id":2,"host":"mongo3:27017"}]';
  const made = `{"replSetInitiate":{"_id":"rs0","members":${members}}}`;
  const user = 'create watchpost theirs [{"role":"readWrite","db":"watchpost"}]';
  test.each([
    { what: 'the first start', state: { made: false, user: false }, does: [made, user] },
    {
      what: 'a server that wakes slowly',
      state: { made: false, user: false, awake: 20 },
      does: [made, user],
    },
    { what: 'a start that was cut off', state: { made: true, user: false }, does: [user] },
    { what: 'every later start', state: { made: true, user: true }, does: ['update watchpost theirs'] },
  ])('$what', ({ state, does }) => {
    expect(run({ ...state })).toEqual(does);
  });

  test('a server that never answers ends it with a sentence', () => {
    expect(() => run({ made: false, user: false, awake: 1_000 })).toThrow(
      'mongo1 does not answer: HostUnreachable',
    );
  });
});
