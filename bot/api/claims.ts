import { liveDenies, liveGrants, roleOf, scopeFor } from '../../shared/access.ts';
import type { MyClaims } from '../../shared/api.ts';
import { clean } from '../../shared/foreign-text.ts';
import { dayOf } from '../../shared/time.ts';
import { counted, dayText } from '../../shared/words.ts';
import { problem } from './problem.ts';
import { coveredLine, coveredWords, sourceWords } from './rights-in-words.ts';
import type { ApiRoute } from './route.ts';
import { tabOf } from './tenants.ts';
import { factsOf, type TokenFacts } from './token-claims.ts';

/** `GET /api/tab/me/claims`: what the token says, what follows from it and why. Shows a person the own token only. */
export const claimsRoute: ApiRoute = {
  method: 'GET',
  path: '/api/tab/me/claims',
  auth: 'tab',
  handle: async (request, who, services) => {
    const facts = factsOf(who);
    if (facts === undefined) return problem(404, 'Nothing is known of this sign-in.', request.id);
    const now = services.now();
    const seen = await services.store.tenants.list(scopeFor(who, tabOf(who), 'view', now));
    const named = new Map(seen.map((tenant) => [tenant.id, tenant]));
    const words = (covered: Parameters<typeof coveredLine>[0]): string => {
      const line = coveredLine(covered, named);
      return line === null ? 'tenants that are not there or not shown to you' : coveredWords(line);
    };
    const answer: MyClaims = {
      now,
      name: who.name,
      mail: facts.mail,
      home: who.home,
      role: roleOf(who, now),
      claims: [
        { claim: 'tid', value: who.tid, use: 'Decides: your organisation.' },
        { claim: 'oid', value: who.oid, use: 'Decides: you, within it.' },
        ...shownIn(facts),
        {
          claim: 'roles',
          value: facts.appRoles.map((role) => clean(role, 100)).join(', '),
          use: rolesUse(facts, who.home),
        },
        { claim: 'groups', value: groupsIn(facts), use: groupsUse(facts, who.home) },
        { claim: 'azp', value: facts.client, use: 'Checked: the app this page was opened in.' },
        { claim: 'iat', value: facts.issuedAt, use: 'When Entra made this token.' },
        { claim: 'exp', value: facts.expiresAt, use: 'When it ends; Teams gets the next one by itself.' },
      ],
      rights: liveGrants(who, now).map((grant) => ({
        says: `${grant.role} of ${words(grant)}`,
        why: `${sourceWords(grant)} on ${dayText(dayOf(grant.at), now)}`,
        until: grant.until ?? null,
      })),
      denied: liveDenies(who, now).map(
        (deny) => `${words(deny)}, by ${deny.by} on ${dayText(dayOf(deny.at), now)}`,
      ),
      notes: notesOn(facts, who.home),
    };
    return { status: 200, body: answer };
  },
};

const shows = 'Shown only; decides nothing.';

function shownIn({ shown }: TokenFacts): MyClaims['claims'] {
  return Object.entries(shown).map(([claim, value]) => ({ claim, value: clean(value, 256), use: shows }));
}

function rolesUse({ guest }: TokenFacts, home: boolean): string {
  return home && !guest
    ? 'Decides: Watchpost.Admin, Watchpost.Operator and Watchpost.Reader give that role of all tenants for 14 days.'
    : 'Does not count for you.';
}

function groupsIn({ groups }: TokenFacts): string {
  return groups === null ? 'too many: left out by Entra' : counted(groups.length, 'group');
}

function groupsUse({ groupRoles }: TokenFacts, home: boolean): string {
  if (!home) return 'Does not count for you.';
  return groupRoles.length === 0
    ? 'None of them is mapped to a role.'
    : `Decides: ${groupRoles.map(({ group, role }) => `${group} gives ${role}`).join(', ')}.`;
}

/** What somebody who looks for a role would stumble over. */
function notesOn({ groups, guest }: TokenFacts, home: boolean): string[] {
  return [
    ...(home
      ? []
      : ['You are of another organisation: only roles given in Watchpost count, not those of a token.']),
    ...(guest
      ? ['You are a guest here: app roles and groups do not count; a role given in Watchpost does.']
      : []),
    ...(groups === null
      ? [
          'You are in so many groups that Entra leaves them out of the token (overage), so no role follows from a group. Ask for an app role, or let Entra send only the groups assigned to the application.',
        ]
      : []),
  ];
}
