import { describe, expect, test } from '@jest/globals';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { readCompanies } from '../../bot/connect/read-companies.ts';
import { csvText } from '../../bot/csv.ts';
import { count, seed } from '../support/counts.ts';

/** Lists of companies as people have them, and the one file Watchpost writes. */

const runs = { numRuns: count(150, 5_000), seed };

describe('reading a list of companies', () => {
  test.each([
    { what: 'with headings', text: 'Name,Domain,Tags\nContoso,contoso.com,a', lines: [2] },
    { what: 'without headings', text: 'Contoso,contoso.com,a', lines: [1] },
    {
      what: 'a byte-order mark and CRLF',
      text: '\ufeffName,Domain,Tags\r\nContoso,contoso.com,a\r\n',
      lines: [2],
    },
    { what: 'semicolons', text: 'Name;Domain;Tags\nContoso;contoso.com;a', lines: [2] },
    { what: 'tabs', text: 'Name\tDomain\tTags\nContoso\tcontoso.com\ta', lines: [2] },
    { what: 'blank lines', text: '\n\nContoso,contoso.com,a\n\n ,,\n', lines: [3] },
    {
      what: 'other headings in another order',
      text: 'Tags,Tenant,Customer\na,contoso.com,Contoso',
      lines: [2],
    },
    { what: 'an address instead of a domain', text: 'Contoso,https://Contoso.com/about,A', lines: [1] },
  ])('$what', ({ text, lines }) => {
    expect(readCompanies(text)).toEqual(
      lines.map((line) => ({ line, name: 'Contoso', domain: 'contoso.com', tags: ['a'], fault: '' })),
    );
  });

  test.each([
    { text: 'contoso.com', company: { name: '', domain: 'contoso.com' } },
    { text: '"Contoso, ""Best"" Ltd",contoso.com', company: { name: 'Contoso, "Best" Ltd' } },
    { text: 'The "Best" Ltd,contoso.com', company: { name: 'The "Best" Ltd' } },
    { text: 'Bücher,bücher.example', company: { domain: 'xn--bcher-kva.example' } },
    { text: 'A,a.com,x;y|z,w', company: { tags: ['x', 'y', 'z', 'w'] } },
    { text: 'A,11111111-1111-4111-8111-111111111111', company: { fault: '' } },
    { text: 'A,contoso', company: { fault: 'This is no domain, such as contoso.com, and no tenant id.' } },
    { text: 'A,', company: { fault: 'The domain is missing.' } },
    { text: `${'n'.repeat(121)},a.com`, company: { fault: 'A name has at most 120 characters.' } },
    { text: 'A\u202eB,a.com', company: { fault: 'The name holds characters that cannot be shown.' } },
    { text: `A,a.com,${'t'.repeat(41)}`, company: { fault: 'A tag has at most 40 characters.' } },
    {
      text: `A,a.com,${Array.from({ length: 21 }, (_, n) => `t${n}`).join('|')}`,
      company: { fault: 'A company may have 20 tags.' },
    },
  ])('$text → $company', ({ text, company }) => {
    expect(readCompanies(text)[0]).toMatchObject(company);
  });

  test('2,000 lines are read, one more is refused', () => {
    const lines = (many: number) => Array.from({ length: many }, (_, n) => `c${n}.example`).join('\n');
    expect(readCompanies(lines(2_000))).toHaveLength(2_000);
    expect(() => readCompanies(lines(2_001))).toThrow(/more than 2,000 lines/);
  });

  test('whatever is given, each line has a place, a bounded name, and a reason when it cannot be added', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (text) => {
        let read: ReturnType<typeof readCompanies>;
        try {
          read = readCompanies(text);
        } catch (error) {
          expect(error).toMatchObject({ code: 'bad-input' });
          return;
        }
        for (const { line, name, domain, tags, fault } of read) {
          expect(line).toBeGreaterThan(0);
          expect(name.length).toBeLessThanOrEqual(120);
          if (fault === '') expect(domain).toMatch(/^[a-z0-9.-]{4,253}$/);
          for (const tag of tags) expect([...tag].length).toBeLessThanOrEqual(40);
        }
      }),
      runs,
    );
  });

  test('what a spreadsheet writes of names is read as they were, whatever marks are in them', () => {
    const name = fc
      .stringMatching(/^[A-Za-z0-9,;"' äöü&.-]{1,60}$/)
      .map((text) => text.replace(/\s+/g, ' ').trim());
    fc.assert(
      fc.property(
        fc.array(name, { minLength: 1, maxLength: 20 }),
        fc.constantFrom(',', ';', '\t'),
        (names, mark) => {
          const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
          const rows = names.map((one, n) => [quoted(one), `c${n}.example`, ''].join(mark));
          const text = [['Name', 'Domain', 'Tags'].join(mark), ...rows].join('\r\n');
          expect(readCompanies(text).map((one) => one.name)).toEqual(names);
        },
      ),
      runs,
    );
  });
});

describe('the file Watchpost writes', () => {
  const risky = /^[\s\ufeff]*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/;
  const cell = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc
      .tuple(fc.constantFrom('=', '+', '-', '@', '\t', '\r', ' =', '\n@'), fc.string())
      .map((two) => two.join('')),
  );

  test('comes back as it was, but no cell begins like a formula', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(cell, { minLength: 2, maxLength: 4 }), { minLength: 1, maxLength: 8 }),
        (rows) => {
          const text = csvText(['One', 'Two'], rows);
          expect(text.startsWith('\ufeff')).toBe(true);
          const read = parse(text, { bom: true, relax_column_count: true, record_delimiter: '\r\n' });
          expect(read.slice(1)).toEqual(
            rows.map((row) =>
              row.map((one) =>
                risky.test(one.toWellFormed()) ? `'${one.toWellFormed()}` : one.toWellFormed(),
              ),
            ),
          );
          for (const row of read) for (const one of row) expect(one).not.toMatch(risky);
        },
      ),
      runs,
    );
  });

  test('a writer that only joins cells lets a formula through: the check above can see it', () => {
    expect(['=HYPERLINK("https://evil.example")'].join(',')).toMatch(risky);
    expect(csvText(['A'], [['=HYPERLINK("https://evil.example")'], [-5], [null]])).toBe(
      '\ufeff"A"\r\n"\'=HYPERLINK(""https://evil.example"")"\r\n-5\r\n""\r\n',
    );
  });
});
