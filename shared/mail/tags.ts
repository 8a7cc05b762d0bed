/** Tag lists as DKIM keys and DMARC policies are written: `v=DMARC1; p=reject; pct=50`. */
export type Tags = { tags: Map<string, string>; wrong: string | null };

/** Names in lower case, values trimmed. `wrong`: the first thing that is no `name=value`, or a name that comes twice. */
export function parseTags(text: string): Tags {
  const tags = new Map<string, string>();
  let wrong: string | null = null;
  for (const part of text.slice(0, 8_000).split(';')) {
    if (part.trim() === '') continue;
    const found = /^\s*([A-Za-z][A-Za-z0-9_]*)\s*=\s*([\s\S]*?)\s*$/.exec(part);
    const name = found?.[1]?.toLowerCase();
    if (found === null || name === undefined) wrong ??= 'it has a part that is no tag';
    else if (tags.has(name)) wrong ??= `the tag ${name} comes twice`;
    else tags.set(name, found[2] ?? '');
  }
  return { tags, wrong };
}
