import { join } from 'node:path';
import type { Config } from '../config.ts';
import { parseKeyring } from '../secrets.ts';
import { collections } from '../store/collections.ts';
import { type Look, lookIntoFile } from '../store/engine/look-embedded.ts';
import type { MongoLook } from '../store/engine/look-mongo.ts';
import { lookAtCredentials } from '../store/look.ts';
import { warnDays } from './doctor-certificates.ts';
import { type Check, notChecked, ok, wrong } from './doctor-report.ts';

/** Opened at most: enough to know whether the keys are the right ones. */
const mostCredentials = 200;
const dayMs = 86_400_000;

/** The store: there and whole, and what is sealed in it opens with ENCRYPTION_KEYS. Nothing is written. */
export async function examineStore(config: Config, keysKnown: boolean, now: number): Promise<Check[]> {
  const { mongodbUri } = config;
  if (mongodbUri === undefined) {
    const look = lookIntoFile(join(config.dataFolder, 'watchpost.sqlite'), 4_000);
    if (look === null)
      return [
        ok('store', 'The embedded file is made at the first start.'),
        notChecked('ENCRYPTION_KEYS', 'Nothing is stored yet that they would have to open.'),
      ];
    return await within(look, async () => [
      ok('store', 'The embedded file can be read.'),
      ...(await credentials(look, config, keysKnown, now)),
    ]);
  }
  // The driver takes 20 MB: it is loaded where it is used.
  const { lookIntoMongo } = await import('../store/engine/look-mongo.ts');
  const look = await mongodbUri.use((uri) => lookIntoMongo(uri, collections));
  return await within(look, async () => [
    ...mongo(look),
    ...(await credentials(look, config, keysKnown, now)),
  ]);
}

async function within(look: Look, work: () => Promise<Check[]>): Promise<Check[]> {
  try {
    return await work();
  } finally {
    await look.close();
  }
}

/** What a MongoDB has to be for Watchpost: a replica set, with a right clock, with our indexes. */
export function mongo(look: Omit<MongoLook, keyof Look>): Check[] {
  return [replicaSet(look), mongoClock(look), indexes(look)];
}

function replicaSet({ members, sharded }: Pick<MongoLook, 'members' | 'sharded'>): Check {
  if (sharded) return ok('MongoDB', 'A sharded cluster answers; transactions work.');
  if (members === 0)
    return wrong(
      'MongoDB',
      'It answers and is no replica set, so it has no transactions.',
      'Start mongod with --replSet and run rs.initiate(), with three members if its data matters.',
    );
  if (members === 1)
    return ok(
      'MongoDB',
      'A replica set of one member answers: it works, and nothing takes over when it fails.',
    );
  return ok('MongoDB', `A replica set of ${members} members answers.`);
}

function mongoClock({ aheadMs, uncertainMs }: Pick<MongoLook, 'aheadMs' | 'uncertainMs'>): Check {
  const about = "MongoDB's clock";
  if (!Number.isFinite(aheadMs)) return notChecked(about, 'The server does not tell the time.');
  const seconds = Math.round(Math.abs(aheadMs) / 1000);
  if (Math.abs(aheadMs) <= 2_000 + uncertainMs) return ok(about, "It agrees with this machine's.");
  const side = aheadMs > 0 ? 'ahead of' : 'behind';
  return wrong(
    about,
    `It is ${seconds} s ${side} this machine's.`,
    'Let both keep time by NTP. Watchpost goes by the clock of the MongoDB; tokens go by this machine.',
  );
}

function indexes({
  missingIndexes,
  missingCollections,
}: Pick<MongoLook, 'missingIndexes' | 'missingCollections'>): Check {
  const about = "MongoDB's indexes";
  if (missingCollections.length === collections.length)
    return ok(about, 'The database is empty; collections and indexes are made at the first start.');
  if (missingIndexes.length === 0 && missingCollections.length === 0)
    return ok(about, 'All that are declared are there.');
  if (missingIndexes.length === 0)
    return ok(about, `${missingCollections.length} new collections are made at the next start.`);
  const some = missingIndexes.slice(0, 5).join('; ');
  return wrong(
    about,
    `${missingIndexes.length} ${missingIndexes.length === 1 ? 'is' : 'are'} missing (${some}).`,
    'Start Watchpost anew: it makes them. If they are missing again, look at the log of the MongoDB.',
  );
}

async function credentials(look: Look, config: Config, keysKnown: boolean, now: number): Promise<Check[]> {
  const about = 'ENCRYPTION_KEYS';
  if (!keysKnown || config.encryptionKeys === undefined)
    return [
      config.demo
        ? notChecked(about, 'The demo keeps a key of its own in the data folder.')
        : notChecked(about, 'They are wrong themselves.'),
    ];
  const said = await lookAtCredentials(look, config.encryptionKeys.use(parseKeyring), mostCredentials);
  if (said.looked === 0) return [notChecked(about, 'Nothing is stored yet that they would have to open.')];
  const ending = customers(said.ending, now);
  const of = said.more ? `the first ${said.looked}` : `${said.looked}`;
  const tenants = said.looked === 1 ? 'tenant' : 'tenants';
  if (said.unopened.length === 0)
    return [ok(about, `They open the credentials of ${of} ${tenants}.`), ...ending];
  const kids =
    said.missingKids.length === 0
      ? ''
      : ` They were sealed with ${said.missingKids.join(', ')}, which is not among them.`;
  return [
    wrong(
      about,
      `They do not open the credentials of ${said.unopened.length} of ${of} ${tenants}.${kids}`,
      said.missingKids.length === 0
        ? 'Somebody changed the store or a key: put back the last good copy of both, or connect those tenants again.'
        : 'Put the missing keys back after the first one, or connect those tenants again.',
    ),
    ...ending,
  ];
}

/** Certificates with which customers' tenants are read. */
function customers(all: readonly { tenantId: string; expiresAt: string }[], now: number): Check[] {
  if (all.length === 0) return [];
  const soon = all.filter(({ expiresAt }) => Date.parse(expiresAt) < now + warnDays * dayMs);
  const about = 'certificates of tenants';
  if (soon.length === 0) return [ok(about, `None of ${all.length} ends within ${warnDays} days.`)];
  const some = soon.slice(0, 5).map(({ tenantId, expiresAt }) => `${tenantId} on ${expiresAt.slice(0, 10)}`);
  return [
    wrong(
      about,
      `${soon.length} of ${all.length} end within ${warnDays} days or have ended (${some.join(', ')}).`,
      'Register a new certificate with each application and connect the tenant again with it.',
    ),
  ];
}
