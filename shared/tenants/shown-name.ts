/**
 * Bidi controls, zero-width characters, tags, fillers: what Unicode draws as nothing, or what turns round the words
 * beside it.
 */
export const invisible: RegExp = /[\p{Cf}\p{Default_Ignorable_Code_Point}\u2800]+/gu;

/** A name as it is kept: what cannot be seen is not part of it, and cannot be typed again. One line, no spaces around. */
export function shownNameOf(text: string): string {
  return text.toWellFormed().replace(invisible, '').replace(/\s+/gu, ' ').trim();
}

/** Is it the name that somebody typed? As people compare: what is not seen, case and spaces do not matter. */
export function isTyped(name: string, typed: string): boolean {
  const folded = (text: string): string => shownNameOf(text.normalize('NFKC')).toLowerCase();
  return folded(name) === folded(typed);
}
