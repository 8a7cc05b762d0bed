export const jsonLimits = { bytes: 256 * 1024, depth: 32, keys: 5000 } as const;

/**
 * Looks at JSON text before it is parsed: how deep, how many members (R6). One pass over the bytes without building
 * anything; says nothing about whether it is JSON at all, which is the parser's word.
 */
export function shapeOf(
  bytes: Uint8Array,
  limits: { depth: number; keys: number } = jsonLimits,
): 'fine' | 'too-deep' | 'too-many-keys' {
  let depth = 0;
  let keys = 0;
  let inText = false;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (inText) {
      if (byte === backslash) at += 1;
      else if (byte === quote) inText = false;
    } else if (byte === quote) inText = true;
    else if (byte === openArray || byte === openObject) {
      depth += 1;
      if (depth > limits.depth) return 'too-deep';
    } else if (byte === closeArray || byte === closeObject) depth -= 1;
    else if (byte === colon) {
      keys += 1;
      if (keys > limits.keys) return 'too-many-keys';
    }
  }
  return 'fine';
}

const quote = 0x22;
const colon = 0x3a;
const openArray = 0x5b;
const backslash = 0x5c;
const closeArray = 0x5d;
const openObject = 0x7b;
const closeObject = 0x7d;
