import type { KeyObject } from 'node:crypto';
import type {
  AccessAction,
  Audience,
  Caller,
  Deny,
  Grant,
  GrantScope,
  Reach,
  Role,
  TenantScope,
} from '../shared/access.ts';
import type { Baseline } from '../shared/alerts/baseline.ts';
import type { Finding, Transition, TransitionKind } from '../shared/alerts/finding.ts';
import type { Subscription } from '../shared/alerts/route.ts';
import type { AuditResult } from '../shared/audit/entry.ts';
import type { AuditVerdict } from '../shared/audit/verify.ts';
import type { Command, PersonRef } from '../shared/command.ts';
import type {
  ConditionalAccessFacts,
  Directory,
  GroupFacts,
  LicenceFacts,
  LicenceTerms,
  MfaFacts,
  RoleFacts,
  SignInFacts,
  UserFacts,
} from '../shared/directory/directory.ts';
import type {
  ControlChange,
  ControlProfile,
  EvaluatedSnapshot,
  Posture,
  ScoreSnapshot,
} from '../shared/score/score.ts';
import type { CadencePart } from '../shared/tenants/cadence.ts';
import type { OwnCredential } from '../shared/tenants/credential-expiry.ts';
import type {
  DatasetName,
  DatasetState,
  Health,
  Licences,
  Tenant,
  TenantId,
} from '../shared/tenants/tenant.ts';
import type { Day, Instant } from '../shared/time.ts';
import type { Log } from './log.ts';
import type { Secret } from './secrets.ts';

/** Everything a handler may use. Both threads have their own, built by `open-services.ts`. */
export type Services = {
  store: Store;
  microsoft: Microsoft;
  dns: Dns;
  deliver: Deliver;
  /** Entra's signing keys, for tokens of the tab. */
  entraKeys: SigningKeys;
  /** Absent without GRAPH_APP_ID: then nobody can consent, and the pages say so. */
  consent?: ConsentApp | undefined;
  log: Log;
  metrics: Metrics;
  /** Database time as an instant: what is stored and compared. */
  now(): Instant;
  /** 128 random bits, base64url. */
  random(): string;
  /** Who is in a conversation now, for finding a mentioned or addressed person; at most 500. Throws when Teams will
   * not say. */
  roster(place: Place): Promise<RosterMember[]>;
  /** Wakes the clock thread: there is something to do now. */
  nudge(): void;
  /** Aborted when the program stops. */
  signal: AbortSignal;
  settings: Settings;
};

/** The few settings handlers see. */
export type Settings = {
  demo: boolean;
  homeTenantId: TenantId;
  publicUrl: string;
  teamsAppId: string | undefined;
  botId: string;
  /** The Entra admin center of this cloud, where remedies lead; https, without a trailing slash. */
  entraPortal: string;
  /** Watchpost's own credentials and when they end, as far as that is known. */
  ownCredentials?: OwnCredential[];
  /** Cron expression of the score sync. */
  syncScores: string;
  /** Cron expression of what is read once a day: users, MFA, groups, licences, domains. */
  syncDirectory: string;
};

// ---------------------------------------------------------------------------------------------- conversations

/** Where something was said and where an answer may go. */
export type Place = {
  kind: 'personal' | 'groupChat' | 'channel';
  /** Teams' conversation id, with `;messageid=` for a thread. */
  conversationId: string;
  serviceUrl: string;
  /** Tenant that owns the conversation. */
  hostTenantId: TenantId;
  audience: Audience;
  /** The message came as a private (targeted) one: the answer must too, never publicly. */
  targeted: boolean;
  /** Teams' id (`29:…`) of the person asking; a targeted answer needs it. */
  personTeamsId: string;
};

/** A member of a conversation as Teams lists one. */
export type RosterMember = { teamsId: string; oid: string; tid: TenantId; name: string; address?: string };

export type ActivityId = string;

/** A card as Adaptive Card JSON. Actions carry `CardAction` as their `data`; `teams/card-data.ts` signs it. */
export type CardData = { type: 'AdaptiveCard'; version: '1.5'; [member: string]: unknown };

/** What a button means, in the clear; verified and re-authorised on click. */
export type CardAction = { verb: string; tenant?: TenantId; object?: string };

export type Reply = {
  card?: CardData;
  /** Always there: toast, screen reader, fallback. Markdown of Teams; foreign names are escaped. */
  text: string;
  to: 'caller' | 'conversation';
  /** Our own earlier message to be replaced. */
  replaces?: ActivityId;
  /** Whose data this carries: the gate looks at nothing else. Empty only for static text. */
  tenants: TenantId[];
};

export type CommandHandler<C extends Command = Command> = (
  command: C,
  who: Caller,
  where: Place,
  services: Services,
) => Promise<Reply>;

/** What a button does. `inputs` are what people typed into the card: bounded text, never ids. */
export type CardHandler = {
  changes: boolean;
  run(
    action: CardAction,
    inputs: Record<string, string>,
    who: Caller,
    where: Place,
    services: Services,
  ): Promise<Reply>;
};

/** R37. `withheld`: our own gate said no; nothing was sent. */
export type Delivery =
  | { kind: 'sent'; activityId: ActivityId }
  | { kind: 'throttled'; retryAfterMs: number }
  | { kind: 'refused'; status: number; code: string }
  | { kind: 'unreachable'; why: string }
  | { kind: 'ambiguous'; why: string }
  | { kind: 'withheld'; why: string };

export type Deliver = {
  /** Posts, answers in the thread, or replaces; one attempt, 10 s; passes the gate last of all. `who` is the reader
   * of a personal or targeted answer. Never throws for what Teams answers. */
  send(place: Place, reply: Reply, who: Caller): Promise<Delivery>;
  typing(place: Place): Promise<void>;
  /**
   * News for a conversation: one attempt, nothing repeated, the gate last of all with members and binding as they are
   * now. A thread's id (`;messageid=`) makes it an answer there; `replaces` draws a card anew. `begin` is asked when
   * token, members and gate have let it pass, before the gate looks a last time, and `isOurs` right before the wire:
   * false, and nothing is sent (`unreachable`). Throws only what the store or `begin` throws, never after the wire.
   */
  post(
    place: Omit<Place, 'audience'>,
    news: News,
    isOurs?: () => boolean,
    begin?: () => Promise<boolean>,
  ): Promise<Delivery>;
};

/** What nobody asked for: a card or a line of text about these tenants' findings. */
export type News = {
  card?: CardData;
  text: string;
  tenants: TenantId[];
  findings: FindingRef[];
  replaces?: ActivityId;
  /** An earlier attempt may have arrived: says so to whoever counts. */
  repeated?: boolean;
};

// ---------------------------------------------------------------------------------------------- the store

export type Store = {
  kind: 'embedded' | 'mongo';
  now(): Instant;
  ping(): Promise<void>;
  close(): Promise<void>;
  /** Deletes up to 1,000 rows nobody needs any more: inbound keys and tries of `claim` over a day old, sync requests
   * over 7 days old, outbox rows that ended 90 days ago. Answers how many went; call again while it is 1,000. */
  sweep(): Promise<number>;
  tenants: TenantStore;
  scores: ScoreStore;
  directories: DirectoryStore;
  credentials: CredentialStore;
  nextCredentials: NextCredentialStore;
  connectLinks: ConnectLinkStore;
  connectPasses: ConnectPassStore;
  work: WorkStore;
  syncRequests: SyncRequestStore;
  people: PeopleStore;
  places: PlaceStore;
  claims: ClaimStore;
  inbound: InboundStore;
  audit: AuditStore;
  purge: PurgeStore;
  findings: FindingStore;
  subscriptions: SubscriptionStore;
  outbox: OutboxStore;
};

/** Every method that names a tenant throws `scope` outside the scope; lists leave such tenants out. */
export type TenantStore = {
  /** All tenants within `scope`, by name; at most 10,000. Cached per thread for at most 5 s, dropped on own writes. */
  list(scope: TenantScope): Promise<readonly Tenant[]>;
  get(scope: TenantScope, id: TenantId): Promise<Tenant | null>;
  /** Inserts or refreshes name, domains and, when given, tags; keeps health and datasets of a known one. */
  save(scope: TenantScope, tenant: Tenant): Promise<void>;
  /** What is known of the way in, outside of a sync: not connected yet, or what a consent left out. */
  setHealth(scope: TenantScope, id: TenantId, health: Health): Promise<void>;
  /**
   * Reads the tags, decides, writes if nobody wrote in between. Null when there is no such tenant; throws `bad-input`
   * for more than 20.
   */
  changeTags(
    scope: TenantScope,
    id: TenantId,
    decide: (tags: readonly string[]) => readonly string[],
  ): Promise<{ before: readonly string[]; after: readonly string[] } | null>;
  /** When a part of the tenant is read, as a cron expression; undefined: as the settings say. */
  setCadence(scope: TenantScope, id: TenantId, part: CadencePart, cron: string | undefined): Promise<void>;
};

export type ScoreStore = {
  posture(scope: TenantScope, id: TenantId): Promise<Posture | null>;
  postures(scope: TenantScope, ids: TenantId[]): Promise<Posture[]>;
  /** Days from `since` on, oldest first, at most 400. */
  snapshots(scope: TenantScope, id: TenantId, since: Day): Promise<ScoreSnapshot[]>;
  /** The last evaluated snapshot with its controls: what the next one is compared with. */
  evaluated(scope: TenantScope, id: TenantId): Promise<EvaluatedSnapshot | null>;
  changes(scope: TenantScope, id: TenantId, since: Day): Promise<ControlChange[]>;
  profiles(scope: TenantScope, id: TenantId): Promise<ControlProfile[]>;
  /** All that one sync found, written in crash order (snapshots, changes, profiles, posture, evaluated last) and
   * only while the lease's fence holds; deterministic ids, so that a repeat changes nothing. Throws `conflict` when
   * the lease was lost. */
  saveSync(scope: TenantScope, lease: Lease, found: FoundScores): Promise<void>;
};

/** What is known of a tenant's users, groups, licences and domains: one document. */
export type DirectoryStore = {
  get(scope: TenantScope, id: TenantId): Promise<Directory | null>;
  /** Replaces the parts that are given, each whole; the others stay. Throws `conflict` when the lease was lost. */
  save(scope: TenantScope, lease: Lease, parts: Partial<Directory>): Promise<void>;
};

export type FoundScores = {
  snapshots: ScoreSnapshot[];
  changes: ControlChange[];
  /** Absent = unchanged since last time. */
  profiles?: ControlProfile[];
  posture: Posture;
  evaluated: EvaluatedSnapshot;
};

/** How Watchpost gets into one tenant. */
export type TenantAccess = {
  tenantId: TenantId;
  appId: string;
  /** `expiresAt` of a secret is what a person said of it: Entra does not tell. */
  credential:
    | { kind: 'secret'; secret: Secret; expiresAt?: Instant }
    | { kind: 'certificate'; certificatePem: string; key: Secret }
    /** An administrator consented to our own application: nothing is kept for this tenant but that (R19). */
    | { kind: 'consent' };
};

/** What may be told about a credential (R58): never the value. */
export type CredentialFacts = {
  kind: 'secret' | 'certificate' | 'consent';
  appId: string;
  /** Empty for a consent. */
  last4: string;
  version: number;
  createdAt: Instant;
  expiresAt?: Instant;
};

export type CredentialStore = {
  /** Seals and stores a new version; the old one goes. */
  save(scope: TenantScope, access: TenantAccess): Promise<CredentialFacts>;
  /** Opens in memory only. Throws `secret` when tampered with or rolled back (R51, R52), null when there is none. */
  open(scope: TenantScope, id: TenantId): Promise<TenantAccess | null>;
  facts(scope: TenantScope, id: TenantId): Promise<CredentialFacts | null>;
  /** Credentials within `scope` that end before `until`, the first to end first; at most 1,000. */
  ending(scope: TenantScope, until: Instant): Promise<EndingCredential[]>;
};
export type EndingCredential = Required<Pick<CredentialFacts, 'kind' | 'version' | 'expiresAt'>> & {
  tenantId: TenantId;
};

/**
 * A credential that waits beside the one in use until Entra accepts it (R60): sealed and bound like that one, but as
 * another thing, so that neither can be put in the place of the other. One a tenant, also of one not connected yet.
 */
export type NextCredentialStore = {
  /** Seals and keeps it; one that waited before goes. */
  put(scope: TenantScope, access: TenantAccess): Promise<CredentialFacts>;
  /** Opens in memory only. Throws `secret` when tampered with or put back, null when none waits. */
  open(scope: TenantScope, id: TenantId): Promise<{ access: TenantAccess; facts: CredentialFacts } | null>;
  facts(scope: TenantScope, id: TenantId): Promise<CredentialFacts | null>;
  /**
   * Makes it the one in use, as a new version: for who has just seen it work. Null, and nothing changes, when another
   * one or none waits. Killed in between, either still waits or is in use; asked again, it is completed.
   */
  promote(scope: TenantScope, id: TenantId, version: number): Promise<CredentialFacts | null>;
  /** False when none waited. */
  drop(scope: TenantScope, id: TenantId): Promise<boolean>;
};

/** A link that an administrator of a tenant opens; its token is known to who made it and to nobody else. */
export type ConnectLink = { tenantId: TenantId; by: string; at: Instant; expiresAt: Instant };
export type ConnectLinkStore = {
  /** A new link for seven days; earlier ones of the tenant can no longer be used. Only the hash of `token` is kept. */
  add(scope: TenantScope, tenant: TenantId, by: string, token: string): Promise<ConnectLink>;
  /** Null whatever is wrong with it: used, ended, replaced, never made. Changes nothing. */
  look(token: string): Promise<ConnectLink | null>;
  /** The same and uses it up: of many at once, over all instances, one gets it (G12). */
  use(token: string): Promise<ConnectLink | null>;
  /** The one that can be used now. */
  current(scope: TenantScope, tenant: TenantId): Promise<ConnectLink | null>;
};

/** How a try to consent ended, as its page and the tab tell it. */
export type ConnectOutcome = { kind: 'connected' | 'failed'; title: string; says: string };
/**
 * One step of a try to consent, good once and for ten minutes (R15): the *ticket* that a popup begins with, the state
 * of the *consent* page, the state of the *sign-in* page, and the page that waits for the *check*.
 */
export type ConnectPass = {
  tenantId: TenantId;
  kind: 'ticket' | 'consent' | 'sign-in' | 'check';
  via: 'tab' | 'link';
  /** Who asked for the consent: `tid/oid`. */
  by: string;
  at: Instant;
  /** PKCE verifier and nonce of the sign-in; worked out from our key and the browser's cookie, kept nowhere. */
  proof: ConsentProof | null;
  outcome?: ConnectOutcome;
};
export type ConnectPassStore = {
  /** `session` is the browser's cookie, of which a hash is kept; a ticket has none yet. */
  add(
    scope: TenantScope,
    pass: Pick<ConnectPass, 'tenantId' | 'kind' | 'via' | 'by'>,
    session?: string,
  ): Promise<{ token: string; pass: ConnectPass }>;
  /** Uses it up, once over all instances; says why not, for the audit. */
  use(
    token: string,
    kind: ConnectPass['kind'],
    session: string | undefined,
  ): Promise<
    | { kind: 'right'; pass: ConnectPass }
    | { kind: 'unknown' }
    | { kind: 'other-session' | 'late' | 'used'; pass: ConnectPass }
  >;
  /** Of a check only; null when it is not this browser's or too old. */
  look(token: string, session: string): Promise<ConnectPass | null>;
  /** The right to try the check now, for `forMs`; false while somebody else does, too soon, or when it has ended. */
  claim(token: string, session: string, forMs: number): Promise<boolean>;
  /** Not yet: the next try in `afterMs`. */
  again(token: string, afterMs: number): Promise<void>;
  end(token: string, outcome: ConnectOutcome): Promise<void>;
};

/** The right to do one piece of work until `until` by database time; every later write is conditional on `fence`. */
export type Lease = {
  workId: string;
  tenantId: TenantId;
  kind: WorkKind;
  owner: string;
  fence: number;
  until: Instant;
};
export type WorkKind = 'sync-scores' | 'sync-directory';
export type WorkRow = {
  tenantId: TenantId;
  kind: WorkKind;
  dueAt: Instant;
  lastStartedAt?: Instant;
  lastDoneAt?: Instant;
  lastMs?: number;
  failures: number;
  lastOutcome?: string;
  lease?: { owner: string; until: Instant };
  fence: number;
};

export type WorkStore = {
  /** Makes the row when absent; brings `dueAt` forward when it is earlier, never back. */
  schedule(scope: TenantScope, id: TenantId, kind: WorkKind, dueAt: Instant): Promise<void>;
  /** Up to `limit` due rows without a live lease, each claimed with a new fence. */
  claimDue(kind: WorkKind, limit: number, leaseMs: number): Promise<Lease[]>;
  /** Still ours, and now until later? False when lost. */
  renew(lease: Lease, leaseMs: number): Promise<boolean>;
  finish(
    lease: Lease,
    result: { nextDueAt: Instant; outcome: string; ms: number; failed: boolean },
  ): Promise<boolean>;
  /** Frees leases of this instance that an earlier process left behind. */
  voidOwn(): Promise<number>;
  get(scope: TenantScope, id: TenantId, kind: WorkKind): Promise<WorkRow | null>;
  /** All work within `scope` in a fixed order, at most 1,000 rows; `next` is given until there are no more. */
  list(
    scope: TenantScope,
    options: { limit: number; after?: string; kind?: WorkKind },
  ): Promise<{ rows: WorkRow[]; next: string | null }>;
  /** Due rows without a live lease, for the metrics. */
  backlog(): Promise<number>;
  /** Health, datasets, names of a tenant after a try; conditional on the fence. */
  saveTenant(scope: TenantScope, lease: Lease, change: TenantChange): Promise<void>;
};

export type TenantChange = {
  name?: string;
  domain?: string;
  domains?: string[];
  licences?: Licences;
  permissions?: NonNullable<Tenant['permissions']>;
  endTold?: string;
  health?: Health;
  datasets?: Partial<Record<DatasetName, DatasetState>>;
};

/** A person's wish for a sync now; the clock thread answers in the same row. */
export type SyncRequest = {
  id: string;
  tenantId: TenantId;
  by: string;
  at: Instant;
  state: 'waiting' | 'running' | 'done' | 'failed';
  /** What changed, or what went wrong with its remedy: data of this tenant. */
  result?: string;
};
export type SyncRequestStore = {
  add(scope: TenantScope, id: TenantId, by: string): Promise<SyncRequest>;
  get(scope: TenantScope, tenant: TenantId, id: string): Promise<SyncRequest | null>;
  /** All waiting requests of a tenant become `running`, with the lease's fence; answers how many run now. */
  start(lease: Lease): Promise<number>;
  /** Those that run under this lease get their result. */
  finish(lease: Lease, state: 'done' | 'failed', result: string): Promise<void>;
};

export type Person = {
  tid: TenantId;
  oid: string;
  name: string;
  address?: string;
  teamsId?: string;
  /** As a token of the tab shows it: for showing only, nobody is found by it (R12). */
  mail?: string;
  disabled: boolean;
  seenAt?: Instant;
  grants: Grant[];
  denies?: Deny[];
  /** What the tags of this person mean now; `get` fills it in for who needs it. */
  reach?: Reach;
};
/** What decides about a person. */
export type Rights = { grants: Grant[]; denies: Deny[]; disabled: boolean };
export type PeopleStore = {
  /** Remembers who wrote to us, so that an address can be found later; never changes a grant. Throttled to one write an hour. */
  seen(person: {
    tid: TenantId;
    oid: string;
    name: string;
    address?: string;
    mail?: string;
    teamsId?: string;
  }): Promise<void>;
  /** From a cache of at most 30 s; what tags cover as of the list of tenants, at most 5 s old. */
  get(tid: TenantId, oid: string): Promise<Person | null>;
  byAddress(tid: TenantId, address: string): Promise<Person[]>;
  /** In whatever tenant; at most 50. Who may be told of whom is the caller's business. */
  byOid(oid: string): Promise<Person[]>;
  /** Who has a grant, a deny, or is switched off; by name. */
  withGrants(options: { limit: number; after?: string }): Promise<{ rows: Person[]; next: string | null }>;
  /**
   * Reads in the store and not in a cache, decides, writes if nobody wrote in between; null leaves all as it is.
   * Somebody who is not known yet has no rights, and is made under `name`; without a `name` nobody is made. Answers
   * the rights from before and after.
   */
  change(
    tid: TenantId,
    oid: string,
    name: string | undefined,
    decide: (held: Rights) => Partial<Rights> | null,
  ): Promise<{ before: Rights; after: Rights }>;
  addGrant(tid: TenantId, oid: string, name: string, grant: Grant): Promise<void>;
  /** All grants of a person except those `keep` says; answers how many went. */
  removeGrants(tid: TenantId, oid: string, source?: Grant['source']): Promise<number>;
  /** Takes all grants of a person if `mayTake` says so of those held at that moment, in the store and not in a cache. */
  revoke(
    tid: TenantId,
    oid: string,
    mayTake: (grants: Grant[]) => boolean,
  ): Promise<{ kind: 'taken'; grants: Grant[] } | { kind: 'none' } | { kind: 'refused' }>;
  /**
   * App roles of a tab token, and the roles its groups stand for: written at sign-in, lapse at `until` without another;
   * a role no longer there goes at once.
   * When the newest token was issued is kept with the person: one that is not newer changes nothing, on no instance
   * and after no restart. One write for each token at most, so about one an hour.
   */
  saveAppRoles(
    tid: TenantId,
    oid: string,
    name: string,
    roles: Role[],
    token: { issuedAt: Instant; until: Instant; groupRoles?: Role[] },
  ): Promise<void>;
  /** Is there an Admin who is neither switched off, lapsed, nor denied everything? */
  anyAdmin(now: Instant): Promise<boolean>;
};

/** What we remember of a conversation: never a serialised reference. */
export type PlaceRow = {
  conversationId: string;
  kind: Place['kind'];
  serviceUrl: string;
  hostTenantId: TenantId;
  teamId?: string;
  channelId?: string;
  /** Set by an Admin (from *Tenants* on) or by a test; wins over what the roster says, except against guests. */
  binding?: { kind: 'internal' } | { kind: 'customer'; tenant: TenantId };
  /** The customer it belongs to, or the last one it belonged to: to give it to another takes two Admins. */
  lastCustomer?: TenantId;
  bindRequest?: BindRequest;
  /** From the roster; counted as unknown after 10 minutes. */
  roster?: { outsiders: number; readAt: Instant };
  /** How often members or sharing changed, over all instances; absent: never. A list read before a change is void. */
  membersChanged?: number;
  removed?: boolean;
  welcomedAt?: Instant;
  seenAt: Instant;
};
/** What a turn tells of its conversation. */
export type PlaceSeen = Omit<
  PlaceRow,
  'binding' | 'lastCustomer' | 'bindRequest' | 'roster' | 'membersChanged' | 'welcomedAt'
>;
/** An Admin wants the conversation to belong to a customer, and has not yet confirmed it with the code shown there. */
export type BindRequest = {
  /** SHA-256 of the code. */
  hash: string;
  /** Absent: no single tenant was meant, and the code binds nothing. What is shown is the same (I-4). */
  tenant?: TenantId;
  /** Who asked, `tid/oid`. */
  by: string;
  until: Instant;
  /** The first of two has confirmed. */
  confirmed?: boolean;
};
export type PlaceStore = {
  get(conversationId: string): Promise<PlaceRow | null>;
  /**
   * Inserts, or sets the fields given and leaves the absent ones as they are. A conversation first known of its team
   * now may have missed what changed there: its members count as changed.
   */
  save(row: PlaceSeen): Promise<void>;
  /**
   * Keeps who is in a known conversation. False, and nothing is written, when `membersChanged` is no longer what it
   * was when the reading began: somebody, in this process or another, was told of a change meanwhile.
   */
  saveRoster(
    conversationId: string,
    roster: NonNullable<PlaceRow['roster']>,
    expectedChanges: number,
  ): Promise<boolean>;
  /** What an Admin asked before and did not confirm is void. */
  bind(conversationId: string, binding: PlaceRow['binding']): Promise<void>;
  /** Replaces an earlier request. False when the conversation is not known. */
  askToBind(conversationId: string, request: BindRequest): Promise<boolean>;
  /** The conversation in which this code is shown; also when its time is over. */
  byBindCode(hash: string): Promise<PlaceRow | null>;
  /** The first of two confirms; the second has until then. False when the request is gone. */
  confirmBind(conversationId: string, hash: string, until: Instant): Promise<boolean>;
  /** Binds as asked and uses the request up; false when it, or what was bound, is no longer as in `row`. */
  bindAsAsked(row: PlaceRow): Promise<boolean>;
  /**
   * Forgets who is in this conversation and, when it is a team's id, in every channel with that `teamId`, and counts
   * the change there, known roster or not. Of a conversation not known yet nobody can have begun a reading.
   */
  dropRoster(conversationId: string): Promise<void>;
  /** Counts as a change of members too; with a team's id in every channel with that `teamId`, as the next. */
  markRemoved(conversationId: string): Promise<void>;
  /** The bot was installed again. */
  markBack(conversationId: string): Promise<void>;
  /** True for the first caller only: a greeting is sent once. */
  welcomeOnce(conversationId: string): Promise<boolean>;
};

/** One-time code of the first Admin. */
export type ClaimStore = {
  put(hash: string): Promise<void>;
  /** `wrong` counts a try; after five in an hour `too-many`, whatever the code. `right` uses the code up, once. */
  redeem(hash: string, tid: TenantId, oid: string): Promise<'right' | 'wrong' | 'too-many' | 'none'>;
};

export type InboundStore = {
  /** True once per key for 24 h, over all instances: what changes something is done once (R8). */
  firstTime(key: string): Promise<boolean>;
};

/** One event for the audit log. `who` is `tid/oid`, `cli:<system user>` or `watchpost`; never a name. */
export type AuditEntryToWrite = {
  who: string;
  what: string;
  /** What it was done to, when that is no tenant. */
  target?: string;
  tenant?: TenantId;
  where?: string;
  result: AuditResult;
  detail?: string;
  /** Id of the request or activity, where known. */
  request?: string;
};
/** What is looked for; all that is given must fit. `to` itself is no longer in it. */
export type AuditFilter = {
  /** One of these actors; an empty list finds nothing. */
  who?: readonly string[];
  what?: string;
  tenant?: TenantId;
  result?: AuditResult;
  from?: Instant;
  to?: Instant;
};
export type AuditStore = {
  /** Appends to the chain over all and to the tenant's; on disk when the promise is kept. */
  write(entry: AuditEntryToWrite): Promise<void>;
  /**
   * The entry before a privileged effect, usually with `started` (R64): granting, revoking, connecting, credentials,
   * removing, binding, exporting. Throws `audit` with a sentence when it cannot be written: then nothing is done.
   */
  writeFirst(entry: AuditEntryToWrite): Promise<void>;
  /** A refusal. The same again of one person within a minute is counted, not written. Never throws. */
  denied(entry: AuditEntryToWrite): Promise<void>;
  /** Newest first. */
  list(options: { limit: number; after?: string }): Promise<{ rows: AuditRow[]; next: string | null }>;
  /**
   * Newest first; entries of tenants within `scope` and those of `own`. Entries of no tenant: with all tenants only. A
   * page ends after 2 s of looking: it may have fewer rows than asked for, even none, and still a `next`.
   */
  search(
    scope: TenantScope,
    own: Pick<Caller, 'tid' | 'oid'>,
    filter: AuditFilter,
    options: { limit: number; after?: string },
  ): Promise<{ rows: AuditRow[]; next: string | null }>;
  /** Recomputes all chains and compares them with the checkpoints. */
  verify(): Promise<AuditVerdict>;
  /** Appends signed checkpoints when 100 entries or 60 s have passed, or `atOnce`; answers how many lines. */
  checkpoint(how?: { atOnce: boolean }): Promise<number>;
};
export type AuditRow = {
  id: string;
  /** Absent: from before there was a chain. */
  seq?: number;
  at: Instant;
  who: string;
  what: string;
  target?: string;
  tenant?: TenantId;
  where?: string;
  result: string;
  detail?: string;
  request?: string;
  instance?: string;
  hash?: string;
};

export type PurgeStore = {
  /** Only the way into the tenant: its credential and key. A sync that is running writes nothing more. */
  credentials(scope: TenantScope, id: TenantId): Promise<{ rows: Record<string, number> }>;
  /**
   * Deletes all that is kept of a tenant: its credential and key first, then everything that is declared as a
   * tenant's, whatever collections there are, and the tenant last. A sync that runs meanwhile writes nothing back.
   * With `people` also what is known of persons of that tenant. Safe to repeat. Answers how many rows went, by
   * collection.
   */
  tenant(
    scope: TenantScope,
    id: TenantId,
    options: { people: boolean },
  ): Promise<{ rows: Record<string, number> }>;
};

// ---------------------------------------------------------------------------------------------- what channels hear

/**
 * Findings and what a tenant's next day is compared with. A finding's row carries a revision: whoever changes one
 * (the clock thread by a rule, a person by *Acknowledge*) changes the one he has read or nothing.
 */
export type FindingStore = {
  get(scope: TenantScope, tenant: TenantId, id: string): Promise<Kept<Finding> | null>;
  /** Newest transition first; at most 200 of a tenant. */
  ofTenant(scope: TenantScope, tenant: TenantId): Promise<Finding[]>;
  /** The falls that stand within `scope`, one a tenant, by id, at most 10,000: for lists, in one read up to 200 of them. */
  standing(scope: TenantScope): Promise<StandingMark[]>;
  /**
   * Writes the finding if the row is still the one read (`revision` of `get`, null for none), and then the outbox
   * rows that tell of it, each only when absent; after a crash in between the same again completes it. False, and
   * nothing was changed, when somebody else was first. With a lease only while its fence holds: throws `conflict`
   * when it was lost.
   */
  save(
    scope: TenantScope,
    finding: Finding,
    revision: number | null,
    tell: readonly OutboxEntry[],
    lease?: Lease,
  ): Promise<boolean>;
  baseline(scope: TenantScope, tenant: TenantId): Promise<Baseline | null>;
  /** Last of all, after the finding and its outbox rows (R34). Throws `conflict` when the lease was lost. */
  saveBaseline(scope: TenantScope, lease: Lease, baseline: Baseline): Promise<void>;
};
/** A fall that stands, as short as a list says it. `points` lost, > 0. */
export type StandingMark = { tenantId: TenantId; state: 'open' | 'acknowledged'; points: number };
export type Kept<T> = { value: T; revision: number };

/** What one conversation hears, and whether it can be reached. */
export type SubscriptionRow = Subscription & {
  serviceUrl: string;
  hostTenantId: TenantId;
  kind: 'groupChat' | 'channel';
  by: string;
  since: Instant;
  /** Teams said 403 or 404, or the gate said no: shown where people look, gone with an install, or with the next good
   * post when nothing is held or refused any more that may still be told. */
  broken?: { why: string; since: Instant };
  /** The bot was removed or the conversation deleted: nothing is sent until it is installed again, or asked again. */
  ended?: Instant;
  /** It was deleted: an installation does not bring it back. */
  deleted?: true;
};
export type SubscriptionStore = {
  get(conversationId: string): Promise<SubscriptionRow | null>;
  /** Those that are not ended; at most `mostSubscriptions`. */
  all(): Promise<SubscriptionRow[]>;
  /** How many are not ended. */
  count(): Promise<number>;
  /** Those in which this tenant stands by name, ended ones too. */
  naming(tenant: TenantId): Promise<SubscriptionRow[]>;
  /** Reads, decides, writes if nobody wrote in between; null leaves all as it is. Answers the row afterwards. */
  change(
    conversationId: string,
    decide: (row: SubscriptionRow | null) => SubscriptionRow | null,
  ): Promise<SubscriptionRow | null>;
  /** The bot was removed or the conversation deleted: this one and, with a team's id, all channels of the team. */
  end(conversationId: string, how?: 'removed' | 'deleted'): Promise<void>;
  /**
   * The bot was installed again: within 7 days what had ended goes on and what was broken is whole, here and, with a
   * team's id, in all its channels; what Teams refused meanwhile is told after all.
   */
  reinstalled(conversationId: string): Promise<void>;
  broken(conversationId: string, why: string): Promise<void>;
  /** Those that are not told what they watch, and are not ended, broken longest first; at most 100. */
  unreachable(): Promise<SubscriptionRow[]>;
  countUnreachable(): Promise<number>;
  /** A post arrived: what was broken is whole, unless something is held there. */
  heal(conversationId: string): Promise<void>;
};

/** What a post about findings carries in `channelData.watchpost.findings`: the ledger and read-back judge by it. */
export type FindingRef = { id: string; generation: number; transition: string };

/** One transition of one finding for one conversation. The id is R35's hash: a repeat finds the row there. */
export type OutboxEntry = {
  id: string;
  tenantId: TenantId;
  conversationId: string;
  finding: FindingRef;
  /** `refresh`: nothing to tell, only the card to be drawn anew (somebody acknowledged). */
  kind: TransitionKind | 'refresh';
  /** All that the card is drawn from. */
  transition: Transition;
};
/** `held`: the gate says no as long as guests are there or it is bound otherwise. `withheld` and `dead` are final,
 * except what is `revivable`. */
export type OutboxState = 'waiting' | 'sent' | 'held' | 'withheld' | 'dead';
export type OutboxRow = OutboxEntry & {
  state: OutboxState;
  createdAt: Instant;
  dueAt: Instant;
  attempts: number;
  /** An earlier attempt may have arrived: the next one says so. */
  maybeSent: boolean;
  /** Attempts of which nobody knows whether they arrived. */
  unclear: number;
  /** Of the card this conversation has of the finding's generation. */
  activityId?: string;
  why?: string;
};
/** The right to send what waits for one conversation, in order; writes are conditional on the fence. */
export type OutboxLease = { conversationId: string; owner: string; fence: number; until: Instant };
export type OutboxStore = {
  /** Conversations with something due that nobody is sending, each claimed with a new fence. */
  claimDue(limit: number, leaseMs: number): Promise<OutboxLease[]>;
  renew(lease: OutboxLease, leaseMs: number): Promise<boolean>;
  /** What waits for the conversation, oldest first, at most `limit`. */
  waiting(lease: OutboxLease, limit: number): Promise<OutboxRow[]>;
  /** The card this conversation has of a finding's generation, sent or possibly sent; null when there is none. */
  card(conversationId: string, finding: string, generation: number): Promise<{ activityId: string } | null>;
  /** Which conversations have a card of this finding's generation. */
  heard(scope: TenantScope, tenant: TenantId, finding: string, generation: number): Promise<string[]>;
  /** Before the POST: counts the attempt, so that a crash after it is known to be ambiguous. False: the lease is lost,
   * or a row no longer waits. */
  attempting(lease: OutboxLease, ids: readonly string[]): Promise<boolean>;
  settle(
    lease: OutboxLease,
    ids: readonly string[],
    result: /** `collapsed`: the card lists several and can never be drawn anew for one of them. */
      | { state: 'sent'; activityId: string; collapsed?: boolean }
      /** `revivable`: Teams did not take it because the bot is not there; `revive` tries again, as it does what is
       * `held`. `maybeSent` says of an earlier attempt that it may have arrived, for then. */
      | {
          state: 'held' | 'withheld' | 'dead';
          why: string;
          maybeSent: boolean;
          revivable?: boolean;
          surelyNot?: boolean;
        }
      /** `surelyNot`: the attempt did not arrive. */
      | { state: 'waiting'; dueAt: Instant; maybeSent: boolean; why: string; surelyNot?: boolean },
  ): Promise<boolean>;
  /** Gives the conversation back; due again when the first of what still waits can go, not before `notBefore`. */
  release(lease: OutboxLease, notBefore?: Instant): Promise<void>;
  /** At start: frees leases of this instance that an earlier process left behind, and wakes conversations where
   * something waits although nobody was told so. Answers how many leases. */
  voidOwn(): Promise<number>;
  /** What Teams refused within 7 days because the bot was not there, and what the gate held, waits again. Wakes the
   * conversation in any case. Answers how many rows. */
  revive(conversationId: string): Promise<number>;
  /** What the gate held anywhere within 7 days waits again, for an event that nobody told us of; wakes as `voidOwn`
   * does, for a store that failed in the wrong moment. Answers how many rows were held. */
  lookAgain(): Promise<number>;
  /** May one more message go to the conversation now? Counts it when yes (R39; over all instances). */
  pace(
    conversationId: string,
    hostTenantId: TenantId,
  ): Promise<{ kind: 'go' } | { kind: 'wait'; ms: number }>;
  /** For the metrics: rows waiting, and the age of the oldest that is due, in seconds. */
  backlog(): Promise<{ waiting: number; oldestSeconds: number }>;
};

// ---------------------------------------------------------------------------------------------- Microsoft

/** Why a read failed, in the words people get (`graph.md` §4, §6.5). */
export type Failure = {
  kind: 'authentication' | 'permission' | 'licence' | 'throttled' | 'service' | 'not-found' | 'bug';
  /** A sentence: what happened. */
  cause: string;
  /** A sentence: what to do; empty for licence gaps and transient faults. */
  remedy: string;
  /** Microsoft's code and request id, for support. */
  code?: string;
  requestId?: string;
  /** The permission that is missing. */
  permission?: string;
  /** Transient: the state does not flip at once. */
  transient: boolean;
  /** When to come back, for throttled. */
  retryAfterMs?: number;
};

/** `hash` is of the raw bodies; `unchanged` when it equals the `known` one that was passed in. */
export type Reading<T> =
  | { kind: 'ok'; value: T; hash: string }
  | { kind: 'unchanged'; hash: string }
  | { kind: 'failed'; failure: Failure };

export type Microsoft = {
  /** Token only: the first step of a test. */
  token(access: TenantAccess): Promise<Reading<{ roles: string[] }>>;
  organization(
    access: TenantAccess,
    known?: string,
  ): Promise<Reading<{ id: TenantId; name: string; domains: string[] }>>;
  domains(
    access: TenantAccess,
    known?: string,
  ): Promise<Reading<{ name: string; isDefault: boolean; isVerified: boolean }[]>>;
  subscribedSkus(access: TenantAccess, known?: string): Promise<Reading<Licences>>;
  /** `days` newest days, newest first, with controls. */
  secureScores(access: TenantAccess, days: number, known?: string): Promise<Reading<EvaluatedSnapshot[]>>;
  secureScoreControlProfiles(access: TenantAccess, known?: string): Promise<Reading<ControlProfile[]>>;
  users(access: TenantAccess, known?: string): Promise<Reading<UserFacts>>;
  /** Who has not signed in: never called unchanged, because accounts grow inactive by time alone. At most ten requests
   * a minute for an app over all its tenants: more are `throttled` without being asked. */
  signInActivity(access: TenantAccess): Promise<Reading<SignInFacts>>;
  mfaRegistration(access: TenantAccess, known?: string): Promise<Reading<MfaFacts>>;
  directoryRoles(access: TenantAccess, known?: string): Promise<Reading<RoleFacts>>;
  groups(access: TenantAccess, known?: string): Promise<Reading<GroupFacts>>;
  securityDefaults(access: TenantAccess, known?: string): Promise<Reading<{ isOn: boolean }>>;
  conditionalAccess(access: TenantAccess, known?: string): Promise<Reading<ConditionalAccessFacts>>;
  licenceUse(access: TenantAccess, known?: string): Promise<Reading<LicenceFacts>>;
  licenceTerms(access: TenantAccess, known?: string): Promise<Reading<LicenceTerms>>;
  /** A token for Exchange Online, for what it is allowed there; absent where the cloud's address is not known. */
  exchange?(access: TenantAccess): Promise<Reading<{ roles: string[] }>>;
  /** Resolves a domain to its tenant id by Entra's discovery document; null when there is none. */
  tenantOfDomain(domain: string): Promise<TenantId | null>;
  /** Forgets the cached token: after new credentials or a new consent. */
  forget(id: TenantId): void;
};

/** What a domain publishes. Each question takes at most 3 s, four run at once, answers are bounded; never throws. */
export type Dns = {
  /** TXT records, the chunks of each joined. */
  txt(name: string): Promise<DnsAnswer>;
  /** What the name is another name for. */
  cname(name: string): Promise<DnsAnswer>;
};
/** `none`: the name servers say that there is nothing. `unknown`: they said nothing we can use; `why` is half a sentence. */
export type DnsAnswer =
  | { kind: 'found'; records: string[] }
  | { kind: 'none' }
  | { kind: 'unknown'; why: string };

/** PKCE verifier and nonce of one sign-in. */
export type ConsentProof = { verifier: string; nonce: string };
/** What a sign-in at Microsoft told. `administrator` is null when the token does not name roles at all. */
export type SignedIn =
  | { kind: 'person'; tid: TenantId; oid: string; administrator: boolean | null }
  /** The token is not right; `why` is a word of ours for the audit. */
  | { kind: 'refused'; why: string }
  | { kind: 'failed'; failure: Failure };
/** The application of this installation that administrators of tenants consent to. */
export type ConsentApp = {
  appId: string;
  /** Origin of Microsoft's pages, for the policy of ours that lead there. */
  pages: string;
  consentUrl(tenant: TenantId, state: string): string;
  signInUrl(tenant: TenantId, state: string, proof: ConsentProof): string;
  /** Exchanges the code of a sign-in and checks the ID token. Throws only `stopped`. */
  signedIn(tenant: TenantId, code: string, proof: ConsentProof): Promise<SignedIn>;
};

/** A published key set (R7): single flight, 5 s time-out, kept up to 24 h, served from memory while Microsoft is down. */
export type SigningKeys = {
  /** Null when nobody publishes such a key; an unknown kid asks again at most once in 5 minutes. Throws while there are
   * no keys to look in. */
  find(kid: string): Promise<SigningKey | null>;
  prefetch(): Promise<void>;
};
/** `endorsements` is Bot Framework's list of channels the key may speak for; `issuer` is Entra's per key, when given. */
export type SigningKey = { key: KeyObject; endorsements: string[]; issuer?: string };

// ---------------------------------------------------------------------------------------------- metrics

export type Metrics = {
  turn(kind: string, outcome: string, ms: number): void;
  sync(kind: WorkKind, outcome: string, ms: number): void;
  graphCall(path: string, status: number | string, ms: number): void;
  storeCall(operation: string, ms: number): void;
  /** Text of `GET /metrics`, both threads. */
  text(): Promise<string>;
  /** What a worker sends to the main thread, and back in. */
  snapshot(): Promise<unknown>;
  merge(snapshot: unknown): void;
};

export type { AccessAction, GrantScope, PersonRef };
