import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';
import { appendFileSync, createReadStream, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { type Checkpoint, checkpointText, parseCheckpoint } from '../../shared/audit/checkpoint.ts';
import { globalChain } from '../../shared/audit/entry.ts';
import type { BrokenChain } from '../../shared/audit/verify.ts';
import { WatchpostError } from '../errors.ts';
import { type AuditDocument, auditDeclaration, chained } from './audit-chain.ts';
import type { Kit } from './kit.ts';

/** A second place and a key that whoever writes to the database cannot read (R63). */
export type CheckpointFiles = { checkpointFile: string; keyFile: string };

/** Lines with a good signature; the first with a bad one is a fault by itself. */
export type ReadCheckpoints = { good: Checkpoint[]; broken: BrokenChain | null };

/** Entries or time after which a checkpoint is due, while there is something new. */
const dueEntries = 100;
const dueMs = 60_000;

/**
 * Signed checkpoints of the global chain and of the chains of tenants that have grown. Without files nothing is
 * written and nothing compared.
 */
export function openCheckpoints(
  { engine, now, monotonic }: Kit,
  files: CheckpointFiles | undefined,
): {
  write(how?: { atOnce: boolean }): Promise<number>;
  read(): Promise<ReadCheckpoints>;
} {
  const audit = engine.collection<AuditDocument>(auditDeclaration);
  /** The global entry that the newest line is about; read from the file once. */
  let last: { seq: number; at: number } | undefined;

  async function newest(): Promise<number> {
    if (files === undefined) return 0;
    let seq = 0;
    for await (const one of lines(files.checkpointFile)) {
      if (one?.chain === globalChain) seq = Math.max(seq, one.seq);
    }
    return seq;
  }

  /** The last entry of each chain among those after `seq`, and of the chain over all. */
  async function grown(seq: number): Promise<{ chain: string; seq: number; head: string }[]> {
    const heads = new Map<string, { chain: string; seq: number; head: string }>();
    let after: string | undefined;
    do {
      const page = await audit.find(
        { $and: [chained, { seq: { $gt: seq } }] },
        { sort: { _id: 1 }, limit: 200, ...(after === undefined ? {} : { after }) },
      );
      for (const row of page.rows) {
        if (row.seq !== undefined && row.hash !== undefined) {
          heads.set(globalChain, { chain: globalChain, seq: row.seq, head: row.hash });
        }
        if (row.tenant !== undefined && row.tenantSeq !== undefined && row.tenantHash !== undefined) {
          heads.set(row.tenant, { chain: row.tenant, seq: row.tenantSeq, head: row.tenantHash });
        }
      }
      after = page.next ?? undefined;
    } while (after !== undefined);
    return [...heads.values()];
  }

  return {
    async write(how = { atOnce: false }) {
      if (files === undefined) return 0;
      last ??= { seq: await newest(), at: monotonic() };
      const { rows } = await audit.find(chained, { sort: { _id: -1 }, limit: 1 });
      const fresh = (rows[0]?.seq ?? 0) - last.seq;
      if (fresh <= 0) return 0;
      const due = how.atOnce || fresh >= dueEntries || monotonic() - last.at >= dueMs;
      if (!due) return 0;
      const heads = await grown(last.seq);
      const key = readKey(files.keyFile);
      const name = keyName(key);
      const time = now();
      const made = heads.map((head) => signed({ ...head, count: head.seq, time, key: name }, key));
      // A line that a crash cut short must not swallow the next one.
      const torn = existsSync(files.checkpointFile) && !endsWithBreak(files.checkpointFile);
      const text = made.map((one) => `${JSON.stringify(one)}\n`).join('');
      appendFileSync(files.checkpointFile, `${torn ? '\n' : ''}${text}`, { mode: 0o600, flush: true });
      last = { seq: heads.find(({ chain }) => chain === globalChain)?.seq ?? last.seq, at: monotonic() };
      return made.length;
    },
    async read() {
      if (files === undefined || !existsSync(files.checkpointFile)) return { good: [], broken: null };
      const key = readKey(files.keyFile);
      const name = keyName(key);
      const good: Checkpoint[] = [];
      for await (const one of lines(files.checkpointFile)) {
        // Half a line is what a crash leaves; whoever could spoil one could as well delete it.
        if (one === null) continue;
        const { signature, ...rest } = one;
        const right =
          one.key === name &&
          verify(
            null,
            Buffer.from(checkpointText(rest)),
            createPublicKey(key),
            Buffer.from(signature, 'base64'),
          );
        if (!right) {
          const why = `the checkpoint of ${one.time} is not signed with the key of this installation`;
          return { good, broken: { kind: 'broken', chain: one.chain, seq: one.seq, at: null, why } };
        }
        good.push(one);
      }
      return { good, broken: null };
    },
  };
}

function signed(point: Omit<Checkpoint, 'signature'>, key: KeyObject): Checkpoint {
  return { ...point, signature: sign(null, Buffer.from(checkpointText(point)), key).toString('base64') };
}

/** The private key, made once when the file is not there. Throws `config` when it cannot be used. */
function readKey(file: string): KeyObject {
  if (!existsSync(file)) {
    const { privateKey } = generateKeyPairSync('ed25519');
    try {
      writeFileSync(file, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600, flag: 'wx' });
    } catch (error) {
      // Another process was quicker: its key is the one.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
  try {
    const key = createPrivateKey(readFileSync(file, 'utf8'));
    if (key.asymmetricKeyType === 'ed25519') return key;
  } catch (cause) {
    throw new WatchpostError('config', 'The key of the audit checkpoints cannot be read.', { cause });
  }
  throw new WatchpostError('config', 'The key of the audit checkpoints is not an Ed25519 key.');
}

/** The first half of the public key's digest: tells keys apart, says nothing of them. */
function keyName(key: KeyObject): string {
  const spki = createPublicKey(key).export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(spki).digest('hex').slice(0, 32);
}

async function* lines(file: string): AsyncGenerator<Checkpoint | null> {
  if (!existsSync(file)) return;
  for await (const line of createInterface({ input: createReadStream(file, 'utf8') })) {
    if (line !== '') yield parseCheckpoint(line);
  }
}

function endsWithBreak(file: string): boolean {
  const text = readFileSync(file);
  return text.length === 0 || text.at(-1) === 10;
}
