import type { Call } from './http.ts';

const options = ['$top', '$skip', '$count', '$select', '$filter', '$orderby', '$skiptoken', '$expand'];
/** Related things: only for who expands them. */
const related = ['owners'];
/** Given only to who names it. */
const shy = ['signInActivity'];

/** A sentence when the query asks for what the sandbox (or Graph) does not know; undefined when it is fine. */
export function queryProblem(query: URLSearchParams): string | undefined {
  for (const name of query.keys())
    if (name.startsWith('$') && !options.includes(name))
      return `The query option '${name}' is not supported.`;
  for (const name of ['$top', '$skip']) {
    const value = query.get(name);
    if (value !== null && !/^\d{1,4}$/.test(value))
      return `Invalid value '${value}' for ${name} query option found.`;
  }
  if (query.get('$top') === '0') return "Invalid value '0' for $top query option found.";
  const filter = query.get('$filter');
  if (filter !== null && parseFilter(filter) === undefined) return `Invalid filter clause: '${filter}'.`;
  const expand = query.get('$expand');
  if (expand !== null && !/^owners(\(\$select=id\))?$/.test(expand))
    return `Could not find a property named '${expand}'.`;
  const order = query.get('$orderby');
  if (order !== null && !/^[A-Za-z]+( (asc|desc))?$/.test(order))
    return `Invalid orderby clause: '${order}'.`;
  return undefined;
}

/** `defaults`: members that come without `$select`. `tokens`: the next page goes by `$skiptoken`, and nothing by `$skip`. */
export type Paging = { pageSize: number; most?: number; defaults?: string[]; tokens?: boolean };

/**
 * One page of a collection, or one item by its key; undefined when there is no such item. As in life `$top=1` comes
 * with an `@odata.nextLink` while there is more, so whoever follows links blindly reads everything.
 */
export function page(
  call: Call,
  items: readonly object[],
  path: string,
  { pageSize, most = 999, defaults, tokens = false }: Paging,
): Record<string, unknown> | undefined {
  const context = `https://${call.host}/v1.0/$metadata#${path.slice(1).replace(/^s/, (letter) => (path.includes('/security/') ? 'S' : letter))}`;
  const select = call.query
    .get('$select')
    ?.split(',')
    .map((name) => name.trim());
  const expand = call.query.get('$expand')?.split('(') ?? [];
  const wanted: Wanted = { names: select ?? defaults, expanded: expand };
  const key = call.path.slice('/v1.0'.length + path.length + 1);
  if (key !== '') {
    const found = items.find((item) => member(item, 'id') === decodeURIComponent(key));
    if (found === undefined) return undefined;
    return { '@odata.context': `${context}/$entity`, ...(chosen(found, wanted) as Record<string, unknown>) };
  }
  const tests = parseFilter(call.query.get('$filter') ?? '') ?? [];
  const matching = items.filter((item) => tests.every((test) => test(item)));
  const ordered = inOrder(matching, call.query.get('$orderby'));
  const top = Number(call.query.get('$top') ?? pageSize);
  const by = tokens ? '$skiptoken' : '$skip';
  const skip = Number(call.query.get(by) ?? 0);
  const rows = ordered.slice(skip, skip + Math.min(top, most));
  const end = skip + rows.length;
  return {
    '@odata.context': context,
    ...(call.query.get('$count') === 'true' ? { '@odata.count': matching.length } : {}),
    ...(end < ordered.length ? { '@odata.nextLink': nextLink(call, by, end) } : {}),
    value: rows.map((row) => chosen(row, wanted)),
  };
}

function nextLink(call: Call, by: string, skip: number): string {
  const query = [...call.query.entries()].filter(([name]) => name !== by);
  query.push([by, String(skip)]);
  const text = query.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&');
  return `https://${call.host}${call.path}?${text}`;
}

/** A row that is made only when it is on the page holds itself in `whole`. */
function whole(item: object): object {
  return 'whole' in item ? (item.whole as object) : item;
}

function member(item: object, name: string): unknown {
  return (item as Record<string, unknown>)[name] ?? (whole(item) as Record<string, unknown>)[name];
}

type Wanted = { names: string[] | undefined; expanded: string[] };

function chosen(item: object, { names, expanded }: Wanted): object {
  const all = whole(item);
  const left = (name: string): boolean =>
    expanded.includes(name) ||
    (!related.includes(name) &&
      (names === undefined ? !shy.includes(name) : name === 'id' || names.includes(name)));
  const members = Object.entries(all);
  return members.every(([name]) => left(name))
    ? all
    : Object.fromEntries(members.filter(([name]) => left(name)));
}

function inOrder(items: object[], order: string | null): object[] {
  if (order === null) return items;
  const [name = '', direction] = order.split(' ');
  const sign = direction === 'desc' ? -1 : 1;
  return items.toSorted((a, b) => {
    const [one, other] = [member(a, name), member(b, name)];
    if (typeof one === 'number' && typeof other === 'number') return (one - other) * sign;
    return String(one).localeCompare(String(other)) * sign;
  });
}

type Test = (item: object) => boolean;

/** `name op literal` joined by `and`: eq, ne, gt, ge, lt, le. */
function parseFilter(text: string): Test[] | undefined {
  if (text.trim() === '') return [];
  const tests = text.split(/ and /i).map((part): Test | undefined => {
    const found = /^\s*\(?([A-Za-z]+) (eq|ne|gt|ge|lt|le) ('(?:[^']|'')*'|[\w.:+-]+)\)?\s*$/.exec(part);
    if (found === null) return undefined;
    const [, name = '', operator = '', literal = ''] = found;
    const wanted = literal.startsWith("'") ? literal.slice(1, -1).replaceAll("''", "'") : literal;
    return (item) => compare(member(item, name), operator, wanted);
  });
  return tests.every((test) => test !== undefined) ? tests : undefined;
}

function compare(value: unknown, operator: string, wanted: string): boolean {
  const order =
    typeof value === 'number'
      ? value - Number(wanted)
      : String(value) < wanted
        ? -1
        : String(value) > wanted
          ? 1
          : 0;
  if (operator === 'eq') return order === 0;
  if (operator === 'ne') return order !== 0;
  if (operator === 'gt') return order > 0;
  if (operator === 'ge') return order >= 0;
  return operator === 'lt' ? order < 0 : order <= 0;
}
