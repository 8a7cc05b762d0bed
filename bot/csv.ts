import { stringify } from 'csv-stringify/sync';

/** What makes a spreadsheet take a cell for a formula, also behind blanks that it may drop. */
const formula = /^[\s\ufeff]*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/;

/**
 * A CSV file as spreadsheets read it: UTF-8 with a byte-order mark, commas, CRLF, every text quoted. Text that would be
 * run as a formula gets a `'` in front (R45); numbers stay numbers. The one writer of CSV: nobody joins cells by hand.
 * `continued`: a later piece of a file that is written piece by piece, without header and mark.
 */
export function csvText(
  header: readonly string[],
  rows: readonly (readonly (string | number | null)[])[],
  part: 'whole' | 'continued' = 'whole',
): string {
  const begins = part === 'whole';
  return stringify(
    [...(begins ? [header] : []), ...rows].map((row) => row.map(safe)),
    {
      bom: begins,
      quoted_string: true,
      record_delimiter: 'windows',
    },
  );
}

function safe(cell: string | number | null): string | number {
  if (cell === null) return '';
  if (typeof cell === 'number') return cell;
  const text = cell.toWellFormed();
  return formula.test(text) ? `'${text}` : text;
}
