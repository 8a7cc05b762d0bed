import { type Caller, liveGrants } from '../../shared/access.ts';
import type { Services } from '../services.ts';

/** Names of the first Admins whom this person may ask, as they came: only people of the home tenant are told any. */
export async function adminsToAsk(who: Caller, services: Services): Promise<string[]> {
  if (!who.home || who.disabled) return [];
  const now = services.now();
  const { rows } = await services.store.people.withGrants({ limit: 100 });
  return rows
    .filter(
      (person) =>
        person.tid === who.tid &&
        person.name !== '' &&
        liveGrants({ ...person, home: true }, now).some((grant) => grant.role === 'Admin'),
    )
    .slice(0, mostAsked)
    .map(({ name }) => name);
}

const mostAsked = 3;
