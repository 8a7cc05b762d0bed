/**
 * Objects as JSON lines: one a line, UTF-8. U+2028 and U+2029, which some readers take for the end of a line, are
 * escaped (R45).
 */
export function jsonLines(rows: readonly object[]): string {
  return rows
    .map(
      (row) =>
        `${JSON.stringify(row).replace(/[\u2028\u2029]/g, (sign) => (sign === '\u2028' ? '\\u2028' : '\\u2029'))}\n`,
    )
    .join('');
}
