import { randomUUID } from 'node:crypto';
import type { CardAction, CardData } from '../services.ts';

/** A card as JSON that is cut where the data of its buttons goes: one action between each two pieces. */
type Cut = { pieces: string[]; actions: CardAction[] };

/** Cards that are sent again and again (to several people, to several places) are written once. */
const cuts = new WeakMap<CardData, Cut>();
/** Stands for data while the card is written; nobody who names a tenant can guess it. */
const hole = `hole ${randomUUID()}`;
const holeText = JSON.stringify(hole);

/**
 * The card as JSON with `write(action)` as the data of every Action.Execute, wherever in the card it stands; `read`
 * says what an action is and throws when it is none. The same card object always means the same card.
 */
export function textOf(
  card: CardData,
  read: (data: unknown) => CardAction,
  write: (action: CardAction) => string,
): string {
  const { pieces, actions } = cuts.get(card) ?? cut(card, read);
  let text = pieces[0] ?? '';
  for (let at = 0; at < actions.length; at += 1) {
    text += write(actions[at] as CardAction) + (pieces[at + 1] ?? '');
  }
  return text;
}

function cut(card: CardData, read: (data: unknown) => CardAction): Cut {
  const actions: CardAction[] = [];
  const pieces = JSON.stringify(withHoles(card, (data) => actions.push(read(data)))).split(holeText);
  const made = { pieces, actions };
  cuts.set(card, made);
  return made;
}

/** What holds no Action.Execute is the same object as before: most of a card has none. */
function withHoles(value: unknown, found: (data: unknown) => void): unknown {
  if (Array.isArray(value)) {
    let made: unknown[] | undefined;
    for (let at = 0; at < value.length; at += 1) {
      const one = withHoles(value[at], found);
      if (one === value[at]) continue;
      made ??= [...value];
      made[at] = one;
    }
    return made ?? value;
  }
  if (typeof value !== 'object' || value === null) return value;
  const members = value as Record<string, unknown>;
  const isExecute = members.type === 'Action.Execute';
  if (isExecute && !Object.hasOwn(members, 'data')) {
    throw new Error('an Action.Execute needs a CardAction as its data');
  }
  let made: Record<string, unknown> | undefined;
  for (const name of Object.keys(members)) {
    const member = members[name];
    // Most members are text: they hold nothing.
    if (typeof member !== 'object' && !isExecute) continue;
    let one: unknown;
    if (isExecute && name === 'data') {
      found(member);
      one = hole;
    } else one = withHoles(member, found);
    if (one === member) continue;
    made ??= { ...members };
    made[name] = one;
  }
  return made ?? value;
}
