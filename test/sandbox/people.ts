import { randomUUID } from 'node:crypto';
import { type CastMember, demoHome, demoPeople } from '../../bot/cast.ts';
import { tokenSeconds } from './entra.ts';
import type { State } from './state.ts';
import type { SandboxTenant } from './tenants.ts';

/** One of the demo's people by id, Teams id, address or name. */
export function findPerson(text: string): CastMember | undefined {
  const wanted = text.toLowerCase();
  return demoPeople.find((person) =>
    [
      person.oid,
      person.teamsId,
      person.address,
      person.name.toLowerCase(),
      person.name.split(' ')[0]?.toLowerCase(),
    ].includes(wanted),
  );
}

/** Claims of a token for the tab's API (v2.0): what `getAuthToken`, or the sandbox's own sign-in, gives. */
export function tabClaims(
  state: State,
  person: CastMember,
  tenant: SandboxTenant | undefined,
  at: Date,
): Record<string, unknown> {
  const now = Math.floor(at.getTime() / 1000);
  const tid = tenant?.id ?? demoHome.id;
  const roles = state.appRoles[person.oid] ?? [];
  return {
    aud: state.tab.appId,
    iss: `https://login.microsoftonline.com/${tid}/v2.0`,
    iat: now,
    nbf: now,
    exp: now + tokenSeconds,
    azp: state.tab.appId,
    azpacr: '0',
    name: person.name,
    oid: person.oid,
    preferred_username: person.address,
    ...(roles.length === 0 ? {} : { roles }),
    scp: 'access_as_user',
    sub: Buffer.from(`${person.oid} ${state.tab.appId}`).toString('base64url').slice(0, 43),
    tid,
    uti: randomUUID(),
    ver: '2.0',
  };
}
