import { isDeepStrictEqual } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type AuditContent, type AuditEntry, decode, encode } from '../../../shared/audit/entry.ts';
import { type Comparisons, entryId, type StoredEntry } from '../../../shared/audit/verify.ts';
import { tenantId } from '../../../shared/tenants/tenant.ts';
import { count, seed, seeded } from '../../support/counts.ts';
import { checkpointAt, contents, linked, stored, tenantIds, verdictOn } from './chain.ts';

const length = count(300, 10_000);
const whole = linked(contents(length));
const elsewhere = tenantId('99999999-0000-4000-8000-000000000000');
const middle = Math.floor(length / 2);

describe('the encoding', () => {
  const field = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.integer(),
    fc.constant(null),
    fc.constantFrom('', '[', '","'),
  );
  const fields = fc.array(field, { maxLength: 8 });

  test('what was encoded is read again as it was', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fields, (name, list) => {
        expect(decode(encode(name, list))).toEqual({ name, fields: list });
      }),
      { seed, numRuns: count(300, 10_000) },
    );
  });

  test('different fields never give the same text', () => {
    fc.assert(
      fc.property(fields, fields, (one, other) => {
        const same = isDeepStrictEqual(one, other);
        expect(encode('a', one) === encode('a', other)).toBe(same);
      }),
      { seed, numRuns: count(300, 10_000) },
    );
  });

  test.each([
    { what: 'a part of a whole', number: 1.5 },
    { what: 'not a number', number: Number.NaN },
    { what: 'too large to be exact', number: 2 ** 53 },
  ])('$what is refused', ({ number }) => {
    expect(() => encode('a', [number])).toThrow(RangeError);
  });

  test.each(['["a", 1]', '["a",1e0]', '["\\u0061"]', '{"0":"a"}', '[1]', '["a",true]', '["a",1.5]'])(
    'another way to write it is refused: %s',
    (text) => {
      expect(() => decode(text)).toThrow();
    },
  );
});

test('a chain that nobody touched is whole', () => {
  const seen = [1, 100, length].map((seq) => checkpointAt(whole, seq));
  expect(verdictOn(stored(whole), seen)).toMatchObject({
    kind: 'whole',
    entries: length,
    tenants: tenantIds.length,
    checkpoints: 3,
    covered: length,
  });
  expect(verdictOn([])).toMatchObject({ kind: 'whole', entries: 0 });
});

type Change = (entries: AuditEntry[], at: number) => StoredEntry[];
/** What somebody with the database in hand can do to one entry; `off`: the fault shows that many entries later. */
const tamperings: { does: string; change: Change; off?: number }[] = [
  ...(['at', 'who', 'what', 'result', 'instance', 'prev', 'hash', 'salt'] as const).map((field) => ({
    does: `edits ${field}`,
    change: editing((entry) => ({ ...entry, [field]: `${entry[field]}x` })),
  })),
  ...(['target', 'where', 'detail', 'request'] as const).map((field) => ({
    does: `adds ${field}`,
    change: editing((entry) => ({ ...entry, [field]: `${entry[field] ?? ''}x` })),
  })),
  { does: 'moves it to another tenant', change: editing((entry) => ({ ...entry, tenant: elsewhere })) },
  { does: 'edits it and makes its hash anew', change: edited, off: 1 },
  { does: 'deletes it', change: (all, at) => stored(all.toSpliced(at, 1)) },
  { does: 'deletes ten', change: (all, at) => stored(all.toSpliced(at, 10)) },
  {
    does: 'swaps two, keys and all',
    change: (all, at) => {
      const [one, two] = [all[at], all[at + 1]];
      if (one === undefined || two === undefined) throw new Error('too short');
      return stored(all.toSpliced(at, 2, { ...two, seq: one.seq }, { ...one, seq: two.seq }));
    },
  },
  {
    does: 'swaps what two say, each in its place',
    change: (all, at) => {
      const [one, two] = [all[at], all[at + 1]];
      if (one === undefined || two === undefined) throw new Error('too short');
      return stored(all.toSpliced(at, 2, { ...one, who: two.who, what: two.what, at: two.at }, two));
    },
  },
  {
    does: 'puts a copy after it',
    change: (all, at) => stored(all.toSpliced(at, 0, all[at] as AuditEntry)),
  },
  {
    does: 'puts a new one in under another key',
    change: (all, at) => {
      const rows = stored(all);
      const row = rows[at] as StoredEntry;
      return rows.toSpliced(at + 1, 0, { ...row, id: `${row.id}x` });
    },
    off: 1,
  },
  {
    does: 'puts something in its place',
    change: (all, at) => stored(all).with(at, { id: entryId(at + 1), entry: null }),
  },
];

function editing(edit: (entry: AuditEntry) => AuditEntry): Change {
  return (all, at) => stored(all.with(at, edit(all[at] as AuditEntry)));
}

/** One entry with other words and the hashes that go with them. */
function edited(all: AuditEntry[], at: number): StoredEntry[] {
  const changed = (all as AuditContent[]).slice(0, at + 1).map(bare);
  const last = changed.at(-1) as AuditContent;
  const again = linked(changed.with(-1, { ...last, who: 'somebody else' })).at(-1) as AuditEntry;
  return stored(all.with(at, again));
}

function bare(entry: AuditContent): AuditContent {
  const { at, who, what, result, instance, tenant, detail } = entry;
  return { at, who, what, result, instance, tenant, detail };
}

/** Faults that were not found, or not where they are. */
function missed(comparisons?: Comparisons, of = tamperings): string[] {
  const random = seeded();
  const spots = [
    0,
    1,
    middle,
    length - 12,
    ...Array.from({ length: 3 }, () => Math.floor(random() * (length - 12))),
  ];
  return of.flatMap(({ does, change, off = 0 }) =>
    spots.flatMap((at) => {
      const verdict = verdictOn(change(whole, at), [], comparisons);
      const found = verdict.kind === 'broken' && verdict.seq === at + 1 + off;
      return found ? [] : [`${does} at ${at + 1}: ${JSON.stringify(verdict)}`];
    }),
  );
}

test('whatever is done to one entry is found, and named', () => {
  expect(missed()).toEqual([]);
}, 300_000);

test('a verifier that does not look at `prev` misses some: the check above can see it', () => {
  const hardest = tamperings.filter(({ does }) => does === 'edits it and makes its hash anew');
  expect(missed(undefined, hardest)).toEqual([]);
  expect(missed({ follows: () => true }, hardest).length).toBeGreaterThan(0);
}, 300_000);

test.each([{ field: 'tenantSeq' }, { field: 'tenantPrev' }, { field: 'tenantHash' }] as const)(
  'an edit of $field names the tenant’s chain',
  ({ field }) => {
    const at = whole.findIndex(({ seq, tenant }) => seq > middle && tenant !== undefined);
    const entry = whole[at] as AuditEntry;
    const value = field === 'tenantSeq' ? 1 : 'x';
    expect(verdictOn(stored(whole.with(at, { ...entry, [field]: value })))).toMatchObject({
      kind: 'broken',
      chain: entry.tenant,
      seq: entry.tenantSeq,
      at: entry.at,
    });
    expect(verdictOn(stored(whole.with(at, { ...entry, [field]: undefined }))).kind).toBe('broken');
  },
);

describe('what only checkpoints find', () => {
  const anew = linked(contents(length).with(2, { ...(contents(3)[2] as AuditContent), who: 'nobody' }));
  const shorter = whole.slice(0, length - 5);
  const other = linked([...contents(length - 5), ...contents(length + 5).slice(length)]);
  const seen = [middle, length].map((seq) => checkpointAt(whole, seq));

  test.each([
    { does: 'the end is cut off', entries: shorter, seq: length - 4, says: /cut off/ },
    { does: 'the whole chain is made anew', entries: anew, seq: middle, says: /made anew/ },
    { does: 'the end is cut off and others appended', entries: other, seq: length, says: /made anew/ },
    { does: 'everything is deleted', entries: [], seq: 1, says: /cut off/ },
  ])('$does', ({ entries, seq, says }) => {
    expect(verdictOn(stored(entries)).kind).toBe('whole');
    const verdict = verdictOn(stored(entries), seen);
    expect(verdict).toMatchObject({ kind: 'broken', chain: 'global', seq });
    expect(verdict.kind === 'broken' && verdict.why).toMatch(says);
  });

  test('entries after the last checkpoint are told apart from those it covers', () => {
    expect(verdictOn(stored(whole), [checkpointAt(whole, middle)])).toMatchObject({
      kind: 'whole',
      entries: length,
      covered: middle,
    });
  });
});
