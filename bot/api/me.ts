import { type Caller, type Grant, liveGrants, may, roleOf, scopeFor } from '../../shared/access.ts';
import type { Me } from '../../shared/api.ts';
import { clean } from '../../shared/foreign-text.ts';
import { dayOf, type Instant } from '../../shared/time.ts';
import { counted, dayText, listed } from '../../shared/words.ts';
import { adminsToAsk } from '../people/admins.ts';
import type { Services } from '../services.ts';
import { sourceWords } from './rights-in-words.ts';
import type { ApiRoute } from './route.ts';
import { tabOf } from './tenants.ts';

/** `GET /api/tab/me`: who the page speaks for, and why. */
export const meRoute: ApiRoute = {
  method: 'GET',
  path: '/api/tab/me',
  auth: 'tab',
  handle: async (_request, who: Caller, services: Services) => {
    const now = services.now();
    const role = roleOf(who, now);
    const me: Me = {
      name: who.name,
      role,
      ...(role === null ? { admins: (await adminsToAsk(who, services)).map((name) => clean(name, 60)) } : {}),
      reasons: liveGrants(who, now).map((grant) => reasonOf(grant, now)),
      home: who.home,
      consent: services.consent !== undefined,
      entraPortal: services.settings.entraPortal,
      now,
      may: {
        connect: scopeFor(who, tabOf(who), 'connect', now).all,
        sync: may(who, 'sync', undefined, now),
        manage: may(who, 'connect', undefined, now),
        people: may(who, 'grant', undefined, now),
        audit: may(who, 'export', undefined, now),
      },
    };
    return { status: 200, body: me };
  },
};

/** "Admin of all tenants, given by Ana Reyes on 20 Nov." Named tenants are counted, not named. */
function reasonOf(grant: Grant, now: Instant): string {
  const until = grant.until === undefined ? '' : ` until ${dayText(dayOf(grant.until), now)}`;
  return `${grant.role} of ${scopeOf(grant)}${until}, ${sourceWords(grant)} on ${dayText(dayOf(grant.at), now)}.`;
}

function scopeOf({ scope, tags = [] }: Grant): string {
  if (scope === 'all') return 'all tenants';
  const named = scope.length === 0 ? [] : [counted(scope.length, 'tenant')];
  return listed([...named, ...tags.map((tag) => `all tagged ${tag}`)]);
}
