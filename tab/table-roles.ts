/**
 * Roles in so many words: on a narrow screen rows are laid out as a grid, and a table that is not displayed as one
 * loses what it is for screen readers.
 */
export const asTable = { role: 'table' };
export const asGroup = { role: 'rowgroup' };
export const asRow = { role: 'row' };
export const asHead = { role: 'columnheader' };
export const asCell = { role: 'cell' };
