import { domainToASCII } from 'node:url';
import { CsvError, parse } from 'csv-parse/sync';
import { companyLimits } from '../../shared/api.ts';
import { longestTag, mostTags, tagOf } from '../../shared/tenants/tag.ts';
import { tenantId } from '../../shared/tenants/tenant.ts';
import { WatchpostError } from '../errors.ts';

/** One company as a line of a list says it, cleaned; `fault`: why it cannot be added, a sentence. */
export type ReadCompany = { line: number; name: string; domain: string; tags: string[]; fault: string };

/** What people call the columns; the names of Microsoft's own export of customers are among them. */
const headers = {
  name: ['name', 'company', 'company name', 'customer', 'customer name', 'tenant name'],
  domain: ['domain', 'primary domain name', 'domain name', 'tenant', 'tenant id', 'microsoft id'],
  tags: ['tags', 'tag', 'groups'],
} as const;
type Columns = { name: number | undefined; domain: number; tags: number | undefined };

const domainName = /^(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
const control = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/;

/**
 * The companies of a list that somebody pasted or uploaded: name, domain, tags; with a line of headings or without;
 * comma, semicolon or tab between; quotes, line ends and blank lines as spreadsheets write them. A line that holds one
 * thing is a domain. What is wrong with a line stands in it. Throws `bad-input` for what is no such list at all.
 */
export function readCompanies(text: string): ReadCompany[] {
  const records = recordsOf(text);
  const first = records[0];
  const columns = first === undefined ? undefined : columnsOf(first.record);
  const rows = columns === undefined ? records : records.slice(1);
  if (rows.length === 0) {
    throw new WatchpostError('bad-input', 'There is no company in this list.', {
      hint: 'Give one a line: name, domain, tags.',
    });
  }
  if (rows.length > companyLimits.lines) {
    const most = companyLimits.lines.toLocaleString('en-GB');
    throw new WatchpostError('bad-input', `This list has more than ${most} lines.`, {
      hint: 'Add them in parts.',
    });
  }
  const seen = new Map<string, number>();
  return rows.map(({ record, line }) => {
    const company = companyOf(record, columns, line);
    const before = seen.get(company.domain);
    if (company.fault === '' && before !== undefined) company.fault = `The same as line ${before}.`;
    if (company.domain !== '' && before === undefined) seen.set(company.domain, line);
    return company;
  });
}

/** The same checks for one company that came by a form. */
export function cleanCompany(given: { name: string; domain: string; tags: readonly string[] }): ReadCompany {
  const name = squeezed(given.name);
  const domain = asciiDomain(
    squeezed(given.domain)
      .toLowerCase()
      .replace(/^https?:\/\//, '')
      .replace(/\/.*$/, '')
      .replace(/^@/, ''),
  );
  const tags: string[] = [];
  let fault = '';
  for (const text of given.tags) {
    if (text.trim() === '') continue;
    const tag = control.test(text.trim()) ? undefined : tagOf(text);
    if (tag === undefined) fault = `A tag has at most ${longestTag} characters.`;
    else if (!tags.includes(tag)) tags.push(tag);
  }
  if (tags.length > mostTags) fault = `A company may have ${mostTags} tags.`;
  if (name.length > companyLimits.name) fault = `A name has at most ${companyLimits.name} characters.`;
  else if (control.test(name)) fault = 'The name holds characters that cannot be shown.';
  if (domain === '') fault = 'The domain is missing.';
  else if (!domainName.test(domain) && tenantId(domain) === undefined) {
    fault = 'This is no domain, such as contoso.com, and no tenant id.';
  }
  return { line: 1, name: name.slice(0, companyLimits.name), domain: domain.slice(0, 253), tags, fault };
}

type Row = { record: string[]; line: number };

function recordsOf(text: string): Row[] {
  if (text.includes('\u0000')) throw unreadable('It holds characters that no text file has.');
  const rows: Row[] = [];
  try {
    parse(text, {
      bom: true,
      delimiter: delimiterOf(text),
      // Names such as `The "Best" Ltd` come unquoted from people's own lists.
      relax_quotes: true,
      relax_column_count: true,
      skip_empty_lines: true,
      trim: true,
      max_record_size: 4_096,
      // The line a record ends on is told here only.
      on_record: (record: string[], { lines }) => {
        if (record.some((cell) => cell !== '')) rows.push({ record, line: lines });
        return null;
      },
    });
    return rows;
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const line = typeof error.lines === 'number' ? ` near line ${error.lines}` : '';
    const says =
      error.code === 'CSV_MAX_RECORD_SIZE'
        ? `A line${line} is far too long; a quotation mark may be missing its other one.`
        : `A quotation mark${line} is missing its other one.`;
    throw unreadable(says);
  }
}

function unreadable(says: string): WatchpostError {
  return new WatchpostError('bad-input', `This list cannot be read. ${says}`, {
    hint: 'Save it as CSV (UTF-8) and try again.',
  });
}

/** What the first line that says anything has most of, outside of quotes; a comma when it has none. */
function delimiterOf(text: string): string {
  const line = text.split(/\r\n|\n|\r/, 50).find((one) => one.replace('\ufeff', '').trim() !== '') ?? '';
  const bare = line.replace(/"[^"]*"/g, '');
  const times = (mark: string): number => bare.split(mark).length - 1;
  const marks = [',', ';', '\t'];
  return marks.reduce((best, mark) => (times(mark) > times(best) ? mark : best), ',');
}

/** Undefined when the first line is no line of headings. */
function columnsOf(record: readonly string[]): Columns | undefined {
  const cells = record.map((cell) => squeezed(cell).toLowerCase());
  const at = (names: readonly string[]): number | undefined => {
    for (const name of names) if (cells.includes(name)) return cells.indexOf(name);
    return undefined;
  };
  const domain = at(headers.domain);
  return domain === undefined ? undefined : { name: at(headers.name), domain, tags: at(headers.tags) };
}

function companyOf(record: readonly string[], columns: Columns | undefined, line: number): ReadCompany {
  const cell = (at: number | undefined): string => (at === undefined ? '' : (record[at] ?? ''));
  // Without headings whatever follows the third cell is a tag too: nobody quotes a list of tags by hand.
  const parts =
    columns !== undefined
      ? { name: cell(columns.name), domain: cell(columns.domain), tags: [cell(columns.tags)] }
      : record.length === 1
        ? { name: '', domain: cell(0), tags: [] }
        : { name: cell(0), domain: cell(1), tags: record.slice(2) };
  return {
    ...cleanCompany({ ...parts, tags: parts.tags.flatMap((text) => text.split(/[,;|]/)) }),
    line,
  };
}

/** `bücher.example` as the DNS and Microsoft know it. */
function asciiDomain(domain: string): string {
  return /\P{ASCII}/u.test(domain) ? domainToASCII(domain) || domain : domain;
}

function squeezed(text: string): string {
  return text
    .normalize('NFC')
    .toWellFormed()
    .replace(/[\s\u200b\ufeff]+/g, ' ')
    .trim();
}
