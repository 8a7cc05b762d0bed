export const longestTag = 40;
/** How many one tenant may have. */
export const mostTags = 20;

/** A tag as it is kept: lower case, single spaces, at most 40 characters; undefined when nothing or too much is left. */
export function tagOf(text: string): string | undefined {
  const tag = text
    .normalize('NFKC')
    .replace(/[\s\u200b-\u200d\ufeff]+/g, ' ')
    .trim()
    .toLowerCase()
    .toWellFormed();
  return tag === '' || [...tag].length > longestTag ? undefined : tag;
}
