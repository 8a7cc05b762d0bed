import { createRequire } from 'node:module';
import type { CardData } from '../services.ts';
import { compileTemplate } from './compile.ts';

type Fill = (data: object) => unknown;

const require = createRequire(import.meta.url);

/** Templates by their content: reading one costs a millisecond, filling it a fraction of that. */
const templates = new Map<string, Fill>();

/**
 * The filler of a card template. Data is put in as it stands and never read as a template again, so `${…}` in a
 * tenant's name stays text. Every member the template names must be in the data, as text where text is shown.
 */
export function cardTemplate<T extends object>(json: object): (data: T) => CardData {
  const content = JSON.stringify(json);
  const fill = templates.get(content) ?? compileTemplate(json) ?? byLibrary(json);
  templates.set(content, fill);
  return (data) => {
    const card = fill(data);
    if (!isCard(card)) throw new TypeError('a card template must give an AdaptiveCard 1.5');
    return card;
  };
}

/** Microsoft's own reading of a template: knows the whole language, and is what `compileTemplate` is held against. */
export function byLibrary(json: object): Fill {
  // Read when a template needs it: its 400 files are a fifth of a second of the start, in each of the two threads.
  const { Template }: typeof import('adaptivecards-templating') = require('adaptivecards-templating');
  const template = new Template(json);
  const leavesNulls = hasOptionalMember(json);
  return (data) => {
    const card: unknown = template.expand({ $root: data });
    if (leavesNulls) dropNulls(card);
    return card;
  };
}

/** Is there a `$when` on a member's value (not on an element of a list)? The library leaves null in its place. */
function hasOptionalMember(node: object): boolean {
  return Object.values(node).some((value: unknown) => {
    if (typeof value !== 'object' || value === null) return false;
    return (!Array.isArray(node) && '$when' in value) || hasOptionalMember(value);
  });
}

function dropNulls(node: unknown): void {
  if (typeof node !== 'object' || node === null) return;
  for (const [name, value] of Object.entries(node)) {
    if (value === null) Reflect.deleteProperty(node, name);
    else dropNulls(value);
  }
}

function isCard(value: unknown): value is CardData {
  return (
    typeof value === 'object' &&
    value !== null &&
    'type' in value &&
    value.type === 'AdaptiveCard' &&
    'version' in value &&
    value.version === '1.5'
  );
}
