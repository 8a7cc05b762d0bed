import { type CommandPlace, type CommandRow, commandTable } from '../../shared/command-table.ts';
import type { Manifest, Scope } from './package-manifest.ts';

/** Teams shows about ten commands of a scope. */
const most = 10;
/** The store wants a person who opens the chat to find this many. */
const leastPersonal = 3;
/** Where a command of the table may stand, in the words of the manifest. */
const placesIn: Readonly<Record<Scope, readonly CommandPlace[]>> = {
  personal: ['personal'],
  team: ['internal', 'customer'],
  groupChat: ['internal', 'customer'],
};
const scopes = ['personal', 'team', 'groupChat'] as const;

/** What is wrong with the menu of the compose box; `table` decides what stands in it, in which scope and how it reads. */
export function menuProblems(
  { bots: [bot] }: Pick<Manifest, 'bots'>,
  table: readonly CommandRow[] = commandTable,
): string[] {
  const problems: string[] = [];
  for (const scope of scopes) {
    if (!bot.scopes.includes(scope)) problems.push(`The bot must be there in the scope ${scope}.`);
    const lists = bot.commandLists.filter((list) => list.scopes.includes(scope));
    problems.push(
      ...titleProblems(
        lists.flatMap((list) => list.commands),
        scope,
      ),
    );
    problems.push(
      ...tableProblems(
        lists.flatMap((list) => list.commands),
        scope,
        table,
      ),
    );
    const slash = lists.length > 0 && lists.every((list) => list.triggers.includes('slash'));
    const mention = lists.every((list) => list.triggers.includes('mention'));
    if (!mention) problems.push(`The commands for ${scope} lack the trigger "mention".`);
    // A chat with the bot alone is private anyway: Teams offers no slash menu there.
    if (scope !== 'personal' && !slash) problems.push(`The commands for ${scope} lack the trigger "slash".`);
  }
  if (!bot.supportsTargetedMessages)
    problems.push('Slash commands need supportsTargetedMessages: their answers are for one person.');
  return problems;
}

type Entry = { title: string; description: string };

function titleProblems(commands: readonly Entry[], scope: Scope): string[] {
  const problems: string[] = [];
  const seen = new Set<string>();
  for (const { title, description } of commands) {
    const same = title.trim().toLowerCase();
    if (title.startsWith('/'))
      problems.push(
        `The title "${title}" for ${scope} begins with "/": Teams adds it, and the store refuses it.`,
      );
    if (title.trim() !== title || title === '')
      problems.push(`The title "${title}" for ${scope} has blanks around it.`);
    if (title.length > 128 || description.length > 4000)
      problems.push(`The command "${title}" for ${scope} is too long in UTF-16.`);
    if (seen.has(same)) problems.push(`The title "${title}" for ${scope} is there twice.`);
    seen.add(same);
    if (description.trim() === '') problems.push(`The command "${title}" for ${scope} has no description.`);
  }
  if (commands.length > most)
    problems.push(`The menu for ${scope} has ${commands.length} commands; Teams shows ${most}.`);
  if (scope === 'personal' && commands.length < leastPersonal)
    problems.push(`The menu for personal has ${commands.length} commands; the store wants ${leastPersonal}.`);
  return problems;
}

function tableProblems(commands: readonly Entry[], scope: Scope, table: readonly CommandRow[]): string[] {
  const rows = table.filter((row) => row.menu && row.places.some((place) => placesIn[scope].includes(place)));
  const said = new Map(commands.map((one) => [one.title, one.description]));
  const problems = commands
    .filter(({ title }) => !rows.some((row) => row.name === title))
    .map(
      ({ title }) => `The menu for ${scope} holds "${title}", which the command table does not put there.`,
    );
  for (const { name, summary } of rows) {
    const description = said.get(name);
    if (description === undefined)
      problems.push(
        `The menu for ${scope} lacks "${name}", which the command table puts there: "${summary}".`,
      );
    else if (description !== summary)
      problems.push(
        `The menu for ${scope} says of "${name}" "${description}"; the command table says "${summary}".`,
      );
  }
  return problems;
}
