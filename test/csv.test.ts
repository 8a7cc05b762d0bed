import { expect, test } from '@jest/globals';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { csvText } from '../bot/csv.ts';
import { jsonLines } from '../bot/json-lines.ts';
import { count, seed } from './support/counts.ts';

/** Files that people open in a spreadsheet: what comes back is what went in, and nothing of it runs (R45). */

const dangerous = fc
  .tuple(
    fc.constantFrom('=', '+', '-', '@', '\t', '\r', ' =', '\n=', '\u00a0@', '\ufeff=', '\uff1d'),
    fc.string(),
  )
  .map((parts) => parts.join(''));
const text = fc.oneof(fc.string({ unit: 'binary' }), dangerous, fc.constantFrom('"', '","', '\r\n', "'", ''));
const cell = fc.oneof(text, fc.integer(), fc.constant(null));
const runs = count(300, 20_000);

test('every cell comes back, with nothing but a mark before what would run', () => {
  fc.assert(
    fc.property(fc.array(fc.array(cell, { minLength: 2, maxLength: 2 }), { maxLength: 8 }), (rows) => {
      const [header, ...read] = parse(csvText(['a', 'b'], rows), { bom: true }) as string[][];
      expect(header).toEqual(['a', 'b']);
      expect(read).toHaveLength(rows.length);
      for (const [at, row] of rows.entries()) {
        for (const [column, given] of row.entries()) {
          const got = read[at]?.[column] ?? '';
          const meant = given === null ? '' : String(given).toWellFormed();
          expect([meant, `'${meant}`]).toContain(got);
          if (typeof given === 'string') expect(got).not.toMatch(/^\s*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]/);
          if (typeof given === 'number') expect(got).toBe(meant);
        }
      }
    }),
    { seed, numRuns: runs },
  );
});

test('a cell written by hand would run: the check above can see it', () => {
  expect('=1+1').toMatch(/^\s*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]/);
  expect(csvText(['a'], [['=1+1']])).toContain(`"'=1+1"`);
});

test('a file in pieces is the file: one mark, one header', () => {
  const rows = [['1'], ['2'], ['3']];
  const pieces = csvText(['a'], rows.slice(0, 1)) + csvText(['a'], rows.slice(1), 'continued');
  expect(pieces).toBe(csvText(['a'], rows));
});

test('JSON lines: each row is one line for whoever reads lines, and comes back as it was', () => {
  const row = fc.dictionary(
    fc.constantFrom('a', 'b'),
    fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('\u2028', 'x\u2029')),
  );
  fc.assert(
    fc.property(fc.array(row, { maxLength: 5 }), (rows) => {
      const lines = jsonLines(rows).split(/\r\n|[\n\r\u2028\u2029\u0085]/);
      const whole = jsonLines(rows).split('\n');
      expect(whole.slice(0, -1).map((line) => JSON.parse(line) as unknown)).toEqual(
        rows.map((one) => ({ ...one })),
      );
      expect(lines.length).toBeGreaterThanOrEqual(rows.length);
      expect(jsonLines(rows)).not.toMatch(/[\u2028\u2029]/);
    }),
    { seed, numRuns: runs },
  );
});
