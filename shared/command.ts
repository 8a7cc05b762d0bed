import type { Role } from './access.ts';

/** What a person asked for, parsed from chat text or from a card's action. Names are as typed, not looked up. */
export type Command =
  | { kind: 'score'; tenant: string }
  | { kind: 'ranking'; page: number }
  | { kind: 'tenants'; page: number }
  | { kind: 'sync'; tenant: string }
  | { kind: 'help'; unknown?: string }
  | { kind: 'who-am-i' }
  | { kind: 'people'; page: number }
  | { kind: 'grant'; person: PersonRef; role: Role; tenants: string[]; until?: string }
  | { kind: 'revoke'; person: PersonRef }
  | { kind: 'claim'; code: string }
  /** Understood, but something is missing or wrong: `say` is the sentence, `usage` the form. */
  | { kind: 'misused'; command: string; say: string; usage: string };

/** A person as named in a command: by mention (Teams' user id), address, or Entra object id. */
export type PersonRef =
  | { by: 'mention'; teamsId: string; text: string }
  | { by: 'address'; address: string }
  | { by: 'oid'; oid: string };

/** A mention in a message, as in `activity.entities`. */
export type Mention = { teamsId: string; text: string; isBot: boolean };

/** The name of a command, the same noun in `bot/commands/`, help and the manifest. */
export type CommandName =
  | 'score'
  | 'tenants'
  | 'sync'
  | 'help'
  | 'who am i'
  | 'people'
  | 'grant'
  | 'revoke'
  | 'claim';
