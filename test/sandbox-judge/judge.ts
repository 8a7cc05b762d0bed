import { readFileSync } from 'node:fs';
import { Ajv, type ValidateFunction } from 'ajv';
import ajvFormats from 'ajv-formats';
import { parse } from 'yaml';

type Schema = Record<string, unknown>;
type Parameter = { name: string; in: string; required?: boolean; schema: Schema };
/** Undeclared members that ride along in life with the points and averages. */
const extras = [
  'scoreInPercentage',
  'implementationStatus',
  'lastSynced',
  'on',
  'count',
  'total',
  'seatSizeRangeLowerValue',
  'seatSizeRangeUpperValue',
  'industryTypes',
  // A relation: comes with $expand, and the description is cut to members.
  'owners',
];

type Operation = { parameters?: Schema[]; responses: Record<string, Schema> };

/** Holds requests and answers against Microsoft's own description of Graph. */
export type Judge = {
  /** What is wrong with a request, as sentences; empty when nothing is. `path` is relative to `/v1.0`. */
  request(method: string, path: string): string[];
  /** What is wrong with the body of an answer. */
  answer(method: string, path: string, status: number, body: unknown): string[];
};

/** The judge over an OpenAPI 3.0 file. A schema that cannot be compiled throws: a judge must not fall asleep. */
export function openJudge(file: string): Judge {
  const document = parse(readFileSync(file, 'utf8'), { maxAliasCount: -1 }) as {
    paths: Record<string, Record<string, Operation>>;
    components: { schemas: Record<string, Schema> };
  };
  const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: true });
  ajvFormats.default(ajv, ['date-time', 'date', 'uuid', 'time', 'duration']);
  for (const format of ['int32', 'int64', 'double', 'float', 'decimal', 'base64url', 'binary', 'uint8'])
    ajv.addFormat(format, true);
  // One document with all schemas, so that references inside resolve by themselves.
  ajv.addSchema(nullable(document) as Schema, 'graph');
  const compiled = new Map<string, ValidateFunction>();

  function resolve(schema: Schema): Schema {
    const ref = schema.$ref;
    if (typeof ref !== 'string') return schema;
    const found = ref
      .slice(2)
      .split('/')
      .reduce<unknown>(
        (at, part) => (at as Schema)[part.replaceAll('~1', '/').replaceAll('~0', '~')],
        document,
      );
    return resolve(found as Schema);
  }

  function operationOf(method: string, path: string): { template: string; operation: Operation } | undefined {
    const parts = (path.split('?')[0] ?? '').split('/');
    for (const [template, operations] of Object.entries(document.paths)) {
      const wanted = template.split('/');
      const fits =
        wanted.length === parts.length &&
        wanted.every((part, at) => part.startsWith('{') || part === parts[at]);
      const operation = operations[method.toLowerCase()];
      if (fits && operation !== undefined) return { template, operation };
    }
    return undefined;
  }

  function valid(pointer: string, value: unknown): string[] {
    let validate = compiled.get(pointer);
    if (validate === undefined) {
      validate = ajv.compile({ $ref: `graph#${pointer}` });
      compiled.set(pointer, validate);
    }
    if (validate(value)) return [];
    return (validate.errors ?? []).map((error) => `${error.instancePath || '/'} ${error.message ?? ''}`);
  }

  return {
    request(method, path) {
      const found = operationOf(method, path);
      if (found === undefined) return [`${method} ${path.split('?')[0]} does not exist`];
      const known = (found.operation.parameters ?? []).map((one) => resolve(one) as unknown as Parameter);
      const query = new URLSearchParams(path.split('?')[1] ?? '');
      return [...query].flatMap(([name, text]) => {
        const parameter = known.find((one) => one.in === 'query' && one.name === name);
        if (parameter === undefined) return [`${name} is not a parameter of ${found.template}`];
        const check = ajv.compile(nullable(parameter.schema) as Schema);
        return check(fromText(text, parameter.schema))
          ? []
          : [`${name}=${text}: ${ajv.errorsText(check.errors)}`];
      });
    },
    answer(method, path, status, body) {
      const found = operationOf(method, path);
      if (found === undefined) return [`${method} ${path} does not exist`];
      const name = String(status) in found.operation.responses ? String(status) : 'default';
      const response = found.operation.responses[name];
      if (response === undefined) return [`no answer ${status} is described`];
      const schema = (resolve(response).content as { 'application/json'?: { schema: Schema } } | undefined)?.[
        'application/json'
      ]?.schema;
      if (schema === undefined) return [`no body is described for ${status}`];
      const ref = schema.$ref;
      if (typeof ref !== 'string') return [`the body of ${status} has no schema by name`];
      return [...valid(ref.slice(1), body), ...undeclared(schema, body, '', resolve)];
    },
  };
}

/** OpenAPI's `nullable` in JSON Schema's words; `null` joins an enum too, as ajv wants it. */
function nullable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(nullable);
  if (typeof value !== 'object' || value === null) return value;
  const { nullable: isNullable, ...rest } = Object.fromEntries(
    Object.entries(value).map(([name, one]) => [name, nullable(one)]),
  );
  // `example` and `default` are data, not schemas; nothing in them is read by ajv.
  if (isNullable !== true) return isNullable === undefined ? rest : { ...rest };
  if (Array.isArray(rest.enum) && !rest.enum.includes(null)) rest.enum = [...rest.enum, null];
  return { anyOf: [rest, { type: 'null' }] };
}

/**
 * Members of a body that no schema declares and nobody has seen in life. Most types are open, so ajv would let a
 * misspelt name pass.
 */
function undeclared(
  schema: Schema,
  value: unknown,
  at: string,
  resolve: (schema: Schema) => Schema,
): string[] {
  const parts = flat(schema, resolve);
  if (Array.isArray(value)) {
    const items = parts.map((part) => part.items).find((one) => one !== undefined) as Schema | undefined;
    return items === undefined
      ? []
      : value.flatMap((one, index) => undeclared(items, one, `${at}/${index}`, resolve));
  }
  if (typeof value !== 'object' || value === null) return [];
  const declared: Record<string, Schema> = Object.assign({}, ...parts.map((part) => part.properties ?? {}));
  return Object.entries(value).flatMap(([name, one]) => {
    const known = declared[name];
    if (known !== undefined) return undeclared(known, one, `${at}/${name}`, resolve);
    return name.startsWith('@odata.') || extras.includes(name) ? [] : [`${at}/${name} is not declared`];
  });
}

function flat(schema: Schema, resolve: (schema: Schema) => Schema): Schema[] {
  const whole = resolve(schema);
  const all = [
    ...((whole.allOf as Schema[] | undefined) ?? []),
    ...((whole.anyOf as Schema[] | undefined) ?? []),
  ];
  return [
    ...(whole.properties !== undefined || all.length === 0 ? [whole] : []),
    ...all.flatMap((one) => flat(one, resolve)),
  ];
}

function fromText(text: string, schema: Schema): unknown {
  if (schema.type === 'integer' || schema.type === 'number') return text.trim() === '' ? text : Number(text);
  if (schema.type === 'boolean') return text === 'true' ? true : text === 'false' ? false : text;
  if (schema.type === 'array') return text.split(',');
  return text;
}
