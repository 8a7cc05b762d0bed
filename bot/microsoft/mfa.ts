import * as v from 'valibot';
import { type MfaCount, type MfaFacts, mostNamed } from '../../shared/directory/directory.ts';
import type { Ask } from './gateway.ts';
import { mapItems } from './items.ts';
import { looseFlag, looseText, plainText } from './tolerant.ts';
import { isGuest } from './users.ts';

/** `GET /reports/authenticationMethods/userRegistrationDetails` (`graph.md` §1.8): needs P1, a day behind. */
export const askMfaRegistration: Ask = {
  path: '/reports/authenticationMethods/userRegistrationDetails',
  query: (request) =>
    request
      .top(999)
      .select([
        ...['id', 'userPrincipalName', 'userDisplayName', 'userType', 'isAdmin'],
        ...['isMfaRegistered', 'isMfaCapable', 'lastUpdatedDateTime'],
      ]),
};

const rowSchema = v.object({
  id: v.string(),
  userPrincipalName: v.optional(looseText, ''),
  userDisplayName: v.optional(looseText, ''),
  userType: v.optional(looseText, ''),
  isAdmin: v.optional(looseFlag, false),
  isMfaRegistered: v.optional(looseFlag, false),
  isMfaCapable: v.optional(looseFlag, false),
  lastUpdatedDateTime: v.optional(looseText, ''),
});

/** Counts, and the administrators who could not pass MFA; guests are counted by themselves. */
export function mfaFactsOf(items: unknown[]): MfaFacts {
  const facts: MfaFacts = {
    ...{ users: none(), guests: none(), admins: none() },
    ...{ adminsWithout: [], adminsWithoutCount: 0, asOf: null },
  };
  mapItems(items, rowSchema, (row) => {
    count(isGuest(row.userType) ? facts.guests : facts.users, row);
    const day = /^\d{4}-\d{2}-\d{2}(?=T)/.exec(row.lastUpdatedDateTime)?.[0];
    if (day !== undefined && (facts.asOf === null || day > facts.asOf)) facts.asOf = day;
    if (!row.isAdmin) return true;
    count(facts.admins, row);
    if (row.isMfaCapable) return true;
    facts.adminsWithoutCount += 1;
    const upn = plainText(row.userPrincipalName, 256);
    facts.adminsWithout.push({ name: plainText(row.userDisplayName, 256) || upn, upn });
    return true;
  });
  facts.adminsWithout = byUpn(facts.adminsWithout);
  return facts;
}

/** The same ones whichever order they came in. */
export function byUpn<T extends { upn: string }>(people: T[]): T[] {
  return people.sort((a, b) => (a.upn < b.upn ? -1 : 1)).slice(0, mostNamed);
}

function none(): MfaCount {
  return { total: 0, registered: 0, capable: 0 };
}

function count(to: MfaCount, { isMfaRegistered, isMfaCapable }: v.InferOutput<typeof rowSchema>): void {
  to.total += 1;
  if (isMfaRegistered) to.registered += 1;
  if (isMfaCapable) to.capable += 1;
}
