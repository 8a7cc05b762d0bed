import type { AccessAction } from './access.ts';
import type { Command, CommandName } from './command.ts';

/** Classes of conversation a command may be used in; `unbound` places get help, and may be bound. */
export type CommandPlace = 'personal' | 'internal' | 'customer' | 'unbound';

/** One command as data: help, the manifest's menu and the checks are made from it. */
export type CommandRow = {
  name: CommandName;
  /** How it is typed, as shown in help. */
  usage: string;
  /** What it does, a short sentence without full stop. */
  summary: string;
  /** The right it needs; null = everybody, also without a role. */
  needs: AccessAction | null;
  places: readonly CommandPlace[];
  /** In the menu of Teams' compose box. */
  menu: boolean;
  /** Changes something: done once, however often Teams delivers it (R8). */
  changes: boolean;
};

const everywhere: readonly CommandPlace[] = ['personal', 'internal', 'customer'];
/** Where several people read: news has no single reader. */
const together: readonly CommandPlace[] = ['internal', 'customer'];
/** Wherever several people talk, also where nothing of a tenant may be said yet. */
const anyRoom: readonly CommandPlace[] = ['internal', 'customer', 'unbound'];
const amongUs: readonly CommandPlace[] = ['personal', 'internal'];

export const commandTable: readonly CommandRow[] = [
  {
    name: 'score',
    usage: 'score contoso',
    summary: 'Secure Score of a tenant; without a name all tenants, worst change first',
    needs: 'view',
    places: everywhere,
    menu: true,
    changes: false,
  },
  {
    name: 'tenants',
    usage: 'tenants',
    summary: 'Connected tenants and how well they can be read',
    needs: 'view',
    places: everywhere,
    menu: true,
    changes: false,
  },
  {
    name: 'health',
    usage: 'health contoso',
    summary:
      'What of a tenant can be read and what not, with the remedy; without a name all, what needs somebody first',
    needs: 'view',
    places: everywhere,
    menu: false,
    changes: false,
  },
  {
    name: 'connect',
    usage: 'connect contoso',
    summary: 'A link with which an administrator of that tenant connects it; told to you alone',
    needs: 'connect',
    places: everywhere,
    menu: false,
    changes: true,
  },
  {
    name: 'sync',
    usage: 'sync contoso',
    summary: 'Reads a tenant now and says what changed',
    needs: 'sync',
    places: everywhere,
    menu: true,
    changes: true,
  },
  {
    name: 'watch',
    usage: 'watch contoso',
    summary:
      'From now on this place hears when a score falls or a connection breaks; watch all for every tenant',
    needs: 'watch',
    places: together,
    menu: true,
    changes: true,
  },
  {
    name: 'watching',
    usage: 'watching',
    summary: 'Which tenants are watched here, and from which loss on',
    needs: 'view',
    places: together,
    menu: true,
    changes: false,
  },
  {
    name: 'unwatch',
    usage: 'unwatch contoso',
    summary: 'Ends the news of a tenant in this place; without a name the news of all that it watches',
    needs: 'watch',
    places: together,
    menu: true,
    changes: true,
  },
  {
    name: 'threshold',
    usage: 'threshold contoso 3% or 5 points',
    summary: 'How far the score must fall before this place is told; 2 % or 5 points until you say otherwise',
    needs: 'watch',
    places: together,
    menu: true,
    changes: true,
  },
  {
    name: 'who am i',
    usage: 'who am i',
    summary: 'Your roles, what they cover, and why you have them',
    needs: null,
    places: everywhere,
    menu: true,
    changes: false,
  },
  {
    name: 'people',
    usage: 'people',
    summary: 'Who has which role',
    needs: 'grant',
    places: amongUs,
    menu: true,
    changes: false,
  },
  {
    name: 'grant',
    usage: 'grant @Ana operator [contoso, "Northwind Traders", tag:retail] [until 2027-03-31]',
    summary:
      'Gives a person a role for all tenants, named ones, or those with a tag; an address or object id works too. With deny instead of a role it takes them away, whatever else the person has',
    needs: 'grant',
    places: amongUs,
    menu: false,
    changes: true,
  },
  {
    name: 'revoke',
    usage: 'revoke @Ana',
    summary: 'Takes all roles from a person; revoke @Ana deny lifts what was denied',
    needs: 'grant',
    places: amongUs,
    menu: false,
    changes: true,
  },
  {
    name: 'bind',
    usage: 'bind contoso',
    summary: 'Says to which customer this place belongs, and bind internal that it is for us alone',
    needs: 'bind',
    places: anyRoom,
    menu: false,
    changes: true,
  },
  {
    name: 'unbind',
    usage: 'unbind',
    summary: 'Takes that back: who is here decides again',
    needs: 'bind',
    places: anyRoom,
    menu: false,
    changes: true,
  },
  {
    name: 'claim',
    usage: 'claim ABCD-EFGH',
    summary: 'Makes you the first Admin, with the code printed when Watchpost started',
    needs: null,
    places: ['personal'],
    menu: false,
    changes: true,
  },
  {
    name: 'help',
    usage: 'help',
    summary: 'What you can ask here',
    needs: null,
    places: everywhere,
    menu: true,
    changes: false,
  },
];

const byName = new Map(commandTable.map((row) => [row.name, row]));

/** The row of a command by its name. */
export function rowOf(name: CommandName): CommandRow {
  const row = byName.get(name);
  if (row === undefined) throw new Error(`No such command: ${name}`);
  return row;
}

const names: Record<Exclude<Command['kind'], 'misused'>, CommandName> = {
  score: 'score',
  ranking: 'score',
  tenants: 'tenants',
  sync: 'sync',
  health: 'health',
  connect: 'connect',
  watch: 'watch',
  watching: 'watching',
  unwatch: 'unwatch',
  threshold: 'threshold',
  help: 'help',
  'who-am-i': 'who am i',
  people: 'people',
  grant: 'grant',
  deny: 'grant',
  revoke: 'revoke',
  bind: 'bind',
  unbind: 'unbind',
  claim: 'claim',
};

/** The row of a parsed command; a misused one changes nothing and is answered like help. */
export function rowOfCommand(command: Command): CommandRow {
  return command.kind === 'misused' ? rowOf('help') : rowOf(names[command.kind]);
}
