import { type KeyObject, sign } from 'node:crypto';
import type { TenantId } from '../../shared/tenants/tenant.ts';
import { guidOf } from '../sandbox/seeded.ts';
import type { Asker } from './seed-store.ts';

/** One inbound request of Teams: a token's header line and an activity as JSON. */
export type Inbound = { authorization: string; body: string };

export type Script = {
  key: KeyObject;
  kid: string;
  botId: string;
  homeTenantId: TenantId;
  /** As the token claims it and the activity says it. */
  serviceUrl: string;
  askers: readonly Asker[];
  /** What they ask about, one after the other. */
  tenantNames: readonly string[];
};

/** Activities that Bot Framework sends under one token before it takes a new one. */
const perToken = 25;

export type Activities = {
  /** Signs what the next `turns` need, so that the run itself signs nothing. */
  prepare(turns: number): void;
  next(): Inbound;
};

/**
 * `/score <tenant>` in personal chats, without end: every activity has an id of its own (a repeated one would be
 * dropped), people and tenants go round, and a token is never used again after its 25 activities, so that whoever
 * remembers verified tokens still verifies its share. `now` in milliseconds.
 */
export function activities(script: Script, now: number): Activities {
  const tokens: string[] = [];
  let signed = 0;
  let turn = 0;
  const recipient = { id: `28:${script.botId}`, name: 'Watchpost' };
  const chats = script.askers.map((asker) => ({
    from: { id: asker.teamsId, name: asker.name, aadObjectId: asker.oid },
    conversation: {
      conversationType: 'personal',
      tenantId: script.homeTenantId,
      id: `a:1${guidOf(`chat ${asker.oid}`)}`,
    },
  }));

  function token(number: number): string {
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const seconds = Math.floor(now / 1000);
    // RS256 says the same about the same claims: another end makes another token.
    const claims = {
      serviceurl: script.serviceUrl,
      nbf: seconds - 300,
      exp: seconds + 7_200 + number,
      iss: 'https://api.botframework.com',
      aud: script.botId,
    };
    const text = `${part({ alg: 'RS256', kid: script.kid, typ: 'JWT' })}.${part(claims)}`;
    return `Bearer ${text}.${sign('sha256', Buffer.from(text), script.key).toString('base64url')}`;
  }

  return {
    prepare(turns) {
      const wanted = Math.ceil((turn + turns) / perToken);
      for (; signed < wanted; signed += 1) tokens.push(token(signed));
    },
    next() {
      const number = turn;
      turn += 1;
      const authorization = tokens[Math.floor(number / perToken)];
      if (authorization === undefined) throw new Error('no token was prepared for this turn');
      const chat = chats[number % chats.length];
      // One further in each lap, so that everybody asks about every tenant.
      const tenant = (number + Math.floor(number / chats.length)) % script.tenantNames.length;
      const at = new Date().toISOString();
      return {
        authorization,
        body: JSON.stringify({
          text: `/score ${script.tenantNames[tenant]}`,
          textFormat: 'plain',
          type: 'message',
          timestamp: at,
          localTimestamp: at,
          id: String(1_700_000_000_000 + number),
          channelId: 'msteams',
          serviceUrl: script.serviceUrl,
          ...chat,
          recipient,
          entities: [
            {
              locale: 'en-GB',
              country: 'GB',
              platform: 'Windows',
              timezone: 'Europe/London',
              type: 'clientInfo',
            },
          ],
          channelData: { tenant: { id: script.homeTenantId } },
          locale: 'en-GB',
          localTimezone: 'Europe/London',
        }),
      };
    },
  };
}
