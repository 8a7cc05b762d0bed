import type { CardData } from '../../bot/services.ts';

/** Every object of a card that has a type: elements, columns, actions. */
export function nodesOf(part: unknown): Record<string, unknown>[] {
  if (Array.isArray(part)) return part.flatMap(nodesOf);
  if (typeof part !== 'object' || part === null) return [];
  const below = Object.entries(part).flatMap(([name, value]) => (name === 'data' ? [] : nodesOf(value)));
  return 'type' in part ? [{ ...part }, ...below] : below;
}

/** What a reader sees of a card: texts in order, the titles of the buttons below, addresses that are left for. */
export function shownBy(card: CardData): { texts: string[]; buttons: string[]; urls: string[] } {
  const nodes = nodesOf(card);
  const strings = (name: string) =>
    nodes.flatMap((node) => (typeof node[name] === 'string' ? [node[name].replaceAll('\u2060', '')] : []));
  const buttons = nodesOf(card.actions).map(({ title }) => String(title));
  return { texts: strings('text'), buttons, urls: strings('url') };
}
