import * as v from 'valibot';
import { encode } from './entry.ts';

/**
 * One line of the checkpoint file: at `time` the chain ended with entry `seq`, whose hash is `head`, and had `count`
 * entries. `key` names the public key; `signature` is Ed25519 over `checkpointText`, base64.
 */
const schema = v.object({
  chain: v.string(),
  seq: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  head: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
  count: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  time: v.string(),
  key: v.string(),
  signature: v.string(),
});
export type Checkpoint = v.InferOutput<typeof schema>;

/** What is signed. */
export function checkpointText({
  chain,
  seq,
  head,
  count,
  time,
  key,
}: Omit<Checkpoint, 'signature'>): string {
  return encode('watchpost-audit-checkpoint-1', [chain, seq, head, count, time, key]);
}

/** The line without its line break; null for one that is no checkpoint. */
export function parseCheckpoint(line: string): Checkpoint | null {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return null;
  }
  const parsed = v.safeParse(schema, value);
  return parsed.success ? parsed.output : null;
}
