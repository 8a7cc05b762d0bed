import { auditDeclaration } from './audit-chain.ts';
import { claimsDeclaration, claimTriesDeclaration } from './claims.ts';
import { connectLinksDeclaration } from './connect-links.ts';
import { connectPassesDeclaration } from './connect-passes.ts';
import { credentialsDeclaration, tenantKeysDeclaration } from './credentials.ts';
import { directoriesDeclaration } from './directories.ts';
import type { CollectionDeclaration } from './engine/collection.ts';
import { baselinesDeclaration, findingsDeclaration } from './findings.ts';
import { inboundDeclaration } from './inbound.ts';
import { nextCredentialsDeclaration } from './next-credentials.ts';
import { outboxDeclaration, outboxQueuesDeclaration } from './outbox-rows.ts';
import { paceDeclaration } from './pace.ts';
import { peopleDeclaration } from './people.ts';
import { placesDeclaration } from './places.ts';
import {
  changesDeclaration,
  evaluatedDeclaration,
  posturesDeclaration,
  profilesDeclaration,
  snapshotsDeclaration,
} from './scores.ts';
import { subscriptionsDeclaration } from './subscriptions.ts';
import { syncRequestsDeclaration } from './sync-requests.ts';
import { tenantsDeclaration } from './tenants.ts';
import { workDeclaration } from './work.ts';

/** Every collection there is. One that is not here cannot be opened. */
export const collections: readonly CollectionDeclaration[] = [
  tenantsDeclaration,
  snapshotsDeclaration,
  changesDeclaration,
  profilesDeclaration,
  posturesDeclaration,
  evaluatedDeclaration,
  directoriesDeclaration,
  credentialsDeclaration,
  tenantKeysDeclaration,
  nextCredentialsDeclaration,
  connectLinksDeclaration,
  connectPassesDeclaration,
  workDeclaration,
  syncRequestsDeclaration,
  peopleDeclaration,
  placesDeclaration,
  claimsDeclaration,
  claimTriesDeclaration,
  inboundDeclaration,
  auditDeclaration,
  // Before the outbox: a removed tenant's are taken away in this order.
  findingsDeclaration,
  baselinesDeclaration,
  subscriptionsDeclaration,
  outboxDeclaration,
  outboxQueuesDeclaration,
  paceDeclaration,
];
