/** Fills a compiled part of a template from the data at its place; `left` means: this part is not there. */
type Filler = (data: unknown) => unknown;

const left: unique symbol = Symbol('left out');
const path = '[A-Za-z]\\w*(?:\\.[A-Za-z]\\w*)*';
const aPath = new RegExp(`^\\$\\{(${path})\\}$`);
const aCondition = new RegExp(`^\\$\\{(${path})(?: (==|!=) '')?\\}$`);
/** Names that mean something to the templating library; those not handled here are left to it. */
const reserved = new Set(['$data', '$when', '$root', '$index', '$host', '$_acTemplateVersion']);

/**
 * A card template as a function, a tenth of what the library's own reading of it costs at each card. Knows what our
 * templates say: a member as a whole (`${name}`), `$when` with a member, `== ''` or `!= ''`, `$data` with a list for
 * an element of a list. Undefined for a template that says more: that one is for the library. Fills each time anew.
 */
export function compileTemplate(json: object): ((data: object) => unknown) | undefined {
  const filler = compile(json, false);
  return filler === undefined ? undefined : (data) => filler(data);
}

function compile(node: unknown, inList: boolean): Filler | undefined {
  if (typeof node === 'string') return compileText(node);
  if (Array.isArray(node)) return compileList(node);
  if (typeof node === 'object' && node !== null) return compileObject(node, inList);
  return () => node;
}

function compileText(text: string): Filler | undefined {
  if (!text.includes('${')) return () => text;
  const name = aPath.exec(text)?.[1];
  if (name === undefined) return undefined;
  const read = reader(name);
  // As the library does it: what is missing shows itself instead of vanishing.
  return (data) => read(data) ?? text;
}

function compileList(items: readonly unknown[]): Filler | undefined {
  const fillers = all(items.map((item) => compile(item, true)));
  if (fillers === undefined) return undefined;
  return (data) => {
    const made: unknown[] = [];
    for (const fill of fillers) {
      const item = fill(data);
      if (Array.isArray(item)) made.push(...item);
      else if (item !== left) made.push(item);
    }
    return made;
  };
}

function compileObject(node: object, inList: boolean): Filler | undefined {
  const { $when: when, $data: data } = node as { $when?: unknown; $data?: unknown };
  const names = Object.keys(node).filter((name) => name !== '$when' && name !== '$data');
  if (names.some((name) => reserved.has(name))) return undefined;
  const fillers = all(names.map((name) => compile(Reflect.get(node, name), false)));
  const isThere = when === undefined ? always : condition(when);
  if (fillers === undefined || isThere === undefined) return undefined;

  const fillOne: Filler = (from) => {
    if (!isThere(from)) return left;
    const made: Record<string, unknown> = {};
    for (let at = 0; at < names.length; at += 1) {
      const value = fillers[at]?.(from);
      if (value !== left) made[names[at] ?? ''] = value;
    }
    return made;
  };
  if (data === undefined) return fillOne;
  const list = typeof data === 'string' ? aPath.exec(data)?.[1] : undefined;
  if (list === undefined || !inList) return undefined;
  const read = reader(list);
  return (from) => {
    const items = read(from);
    if (!Array.isArray(items)) throw new TypeError(`a card template repeats over ${list}, which is no list`);
    return items.map(fillOne).filter((one) => one !== left);
  };
}

function condition(when: unknown): ((data: unknown) => boolean) | undefined {
  const found = typeof when === 'string' ? aCondition.exec(when) : null;
  if (found === null) return undefined;
  const read = reader(found[1] ?? '');
  if (found[2] === '!=') return (data) => read(data) !== '';
  if (found[2] === '==') return (data) => read(data) === '';
  return (data) => read(data) === true;
}

function reader(name: string): (data: unknown) => unknown {
  const steps = name.split('.');
  return (data) => {
    let value = data;
    for (const step of steps) {
      if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
      value = Reflect.get(value, step);
    }
    return value;
  };
}

function always(): boolean {
  return true;
}

function all(fillers: readonly (Filler | undefined)[]): Filler[] | undefined {
  const known = fillers.filter((one) => one !== undefined);
  return known.length === fillers.length ? known : undefined;
}
