import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { demoBotId, demoGraphAppId, demoHome, demoPeople, demoTabAppId } from '../../bot/cast.ts';
import { dayOf } from '../../shared/time.ts';
import type { Fault } from './faults.ts';
import { type KeyRing, newRing } from './keys.ts';
import { type App, demoTenants, newApp, type SandboxTenant, usualConsent } from './tenants.ts';

/** Somebody of a conversation's roster, in the connector's words. */
export type Member = {
  id: string;
  aadObjectId: string;
  name: string;
  /** `user`, `guest`, `anonymous`. */
  userRole: string;
  tenantId: string;
  address?: string;
};

export type Conversation = {
  id: string;
  kind: 'personal' | 'groupChat' | 'channel';
  hostTenant: string;
  members: Member[];
};

/** All that outlives the process, one JSON file in the folder; the ledger has a file of its own. */
export type State = {
  version: 1;
  keys: KeyRing;
  bot: App & { tenantId: string };
  tab: App & { tenantId: string };
  /** The application that customers consent to. */
  graph: App & {
    tenantId: string;
    /** What its registration asks for. */
    permissions: string[];
    /** How long after a consent Entra does not know of it yet, and what it says meanwhile. */
    delayMs: number;
    delayCode: number;
    /** How the next ID token differs from a right one. */
    nextIdToken?: { claims?: Record<string, unknown>; sign?: 'right' | 'wrong' };
  };
  tenants: SandboxTenant[];
  faults: Fault[];
  /** True while the published limits are lifted, for benches. */
  limitsOff: boolean;
  conversations: Conversation[];
  /** App roles a person has in the tab's registration, by oid. */
  appRoles: Record<string, string[]>;
};

export type Keeper = {
  state: State;
  /** Something changed: written within a quarter of a second. */
  touch(): void;
  /** Writes what is not yet written. */
  flush(): Promise<void>;
};

/** Opens the folder's state or makes a new one. */
export async function openState(
  folder: string,
  options: { empty: boolean; sharedKeys?: string | undefined; now: Date },
): Promise<Keeper> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, 'state.json');
  const found = await readState(file);
  const state = found ?? (await newState(options));
  // Folders of earlier versions have none.
  state.graph ??= newGraphApp();
  let dirty = found === undefined;
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> = Promise.resolve();

  function write(): Promise<void> {
    writing = writing.then(async () => {
      if (!dirty) return;
      dirty = false;
      const draft = `${file}.new`;
      await writeFile(draft, JSON.stringify(state), { mode: 0o600 });
      await rename(draft, file);
    });
    return writing;
  }
  function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    return write();
  }
  function touch(): void {
    dirty = true;
    timer ??= setTimeout(() => {
      timer = undefined;
      write().catch((error: unknown) => {
        console.error('the sandbox cannot write its folder:', error);
        process.exitCode = 1;
      });
    }, 250);
  }
  if (dirty) touch();
  return { state, touch, flush };
}

async function readState(file: string): Promise<State | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as State;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

async function newState(options: {
  empty: boolean;
  sharedKeys?: string | undefined;
  now: Date;
}): Promise<State> {
  return {
    version: 1,
    keys: await newRing(options.sharedKeys),
    bot: { ...newApp(demoBotId), tenantId: demoHome.id },
    tab: { ...newApp(demoTabAppId), tenantId: demoHome.id },
    graph: newGraphApp(),
    tenants: options.empty ? [] : demoTenants(dayOf(options.now.toISOString())),
    faults: [],
    limitsOff: false,
    conversations: [],
    appRoles: {},
  };
}

function newGraphApp(): State['graph'] {
  return {
    ...newApp(demoGraphAppId),
    tenantId: demoHome.id,
    permissions: [...usualConsent],
    delayMs: 0,
    delayCode: 7000229,
  };
}

/** The Playground wants five people beside its current user: a colleague who is nobody to Watchpost. */
export const extra = {
  oid: 'd3c59a1f-6e08-47b2-9a6d-58f1e0c2b794',
  teamsId: '29:demo-finn',
  name: 'Finn Berg',
  address: 'finn@fourthcoffee.example',
};

/** The demo's people as a roster. */
export function homeMembers(): Member[] {
  return [...demoPeople, extra].map((person) => ({
    id: person.teamsId,
    aadObjectId: person.oid,
    name: person.name,
    userRole: 'user',
    tenantId: demoHome.id,
    address: person.address,
  }));
}

/** A tenant by id or domain. */
export function findTenant(state: State, name: string): SandboxTenant | undefined {
  const wanted = name.toLowerCase();
  return state.tenants.find((tenant) => tenant.id === wanted || tenant.domain === wanted);
}
