import { createSocket, type Socket } from 'node:dgram';
import type { AddressInfo } from 'node:net';

/** What a name has: the chunks of each text, or what it is another name for; a code; or no answer at all. */
export type DnsEntry =
  | { txt: string[][] }
  | { cname: string; txt?: string[][] }
  | { code: 'servfail' | 'refused' | 'nxdomain' }
  | { raw: 'garbage' | 'cut' }
  | { silent: true };

export type DnsServer = { address: string; asked: string[]; mostAtOnce(): number; close(): Promise<void> };

const types = { 5: 'CNAME', 16: 'TXT' } as const;
const codes = { servfail: 2, nxdomain: 3, refused: 5 } as const;

/**
 * A name server over real UDP on loopback. `find` is asked with the name in lower case; undefined: there is no such
 * name. `delayMs`: how long each answer takes.
 */
export async function openDnsServer(options: {
  find(name: string): DnsEntry | undefined;
  host?: string;
  port?: number;
  delayMs?: number;
}): Promise<DnsServer> {
  const { host = '127.0.0.1', port = 0, delayMs = 0 } = options;
  const asked: string[] = [];
  let open = 0;
  let most = 0;
  const socket: Socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  socket.on('message', (query, from) => {
    const question = read(query);
    if (question === undefined) return;
    asked.push(`${question.type} ${question.name}`);
    const answer = answerTo(query, question, options.find(question.name));
    if (answer === undefined) return;
    open += 1;
    most = Math.max(most, open);
    const send = (): void => {
      open -= 1;
      if (!closed) socket.send(answer, from.port, from.address);
    };
    if (delayMs === 0) send();
    else setTimeout(send, delayMs).unref();
  });
  let closed = false;
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(port, host, () => {
      socket.off('error', reject);
      // A caller that is gone by now is none of our business.
      socket.on('error', () => undefined);
      resolve();
    });
  });
  const bound = socket.address() as AddressInfo;
  return {
    address: host.includes(':') ? `[${host}]:${bound.port}` : `${host}:${bound.port}`,
    asked,
    mostAtOnce: () => most,
    close: () =>
      new Promise((resolve) => {
        closed = true;
        socket.close(() => resolve());
      }),
  };
}

type Question = { name: string; type: string; code: number; end: number };

function read(query: Buffer): Question | undefined {
  const labels: string[] = [];
  let at = 12;
  while (at < query.length) {
    const length = query[at] ?? 0;
    at += 1;
    if (length === 0) break;
    labels.push(query.toString('latin1', at, at + length));
    at += length;
  }
  if (at + 4 > query.length) return undefined;
  const code = query.readUInt16BE(at);
  return {
    name: labels.join('.').toLowerCase(),
    type: types[code as 5 | 16] ?? String(code),
    code,
    end: at + 4,
  };
}

function answerTo(query: Buffer, question: Question, entry: DnsEntry | undefined): Buffer | undefined {
  if (entry !== undefined && 'silent' in entry) return undefined;
  if (entry !== undefined && 'raw' in entry && entry.raw === 'garbage') {
    return Buffer.concat([query.subarray(0, 2), Buffer.from('no answer of any name server', 'latin1')]);
  }
  const records = entry === undefined ? [] : recordsOf(question, entry);
  const code = entry === undefined ? codes.nxdomain : 'code' in entry ? codes[entry.code] : 0;
  const head = Buffer.alloc(12);
  query.copy(head, 0, 0, 2);
  head.writeUInt16BE(0x8580 | code, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(records.length, 6);
  const whole = Buffer.concat([head, query.subarray(12, question.end), ...records]);
  return entry !== undefined && 'raw' in entry ? whole.subarray(0, whole.length - 9) : whole;
}

function recordsOf(question: Question, entry: DnsEntry): Buffer[] {
  // A record to be cut in the middle.
  if ('raw' in entry) return [record(question.name, 16, texts(['v=spf1 -all']))];
  if ('code' in entry || 'silent' in entry) return [];
  const records: Buffer[] = [];
  let owner = question.name;
  if ('cname' in entry) {
    records.push(record(owner, 5, nameOf(entry.cname)));
    owner = entry.cname;
  }
  if (question.type === 'TXT') {
    for (const chunks of entry.txt ?? []) records.push(record(owner, 16, texts(chunks)));
  }
  return records;
}

function record(owner: string, type: number, data: Buffer): Buffer {
  const head = Buffer.alloc(10);
  head.writeUInt16BE(type, 0);
  head.writeUInt16BE(1, 2);
  head.writeUInt32BE(60, 4);
  head.writeUInt16BE(data.length, 8);
  return Buffer.concat([nameOf(owner), head, data]);
}

function nameOf(name: string): Buffer {
  const labels = name.split('.').filter(Boolean);
  return Buffer.concat([...labels.map((label) => sized(label)), Buffer.from([0])]);
}

function texts(chunks: string[]): Buffer {
  return Buffer.concat(chunks.map(sized));
}

function sized(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8');
  return Buffer.concat([Buffer.from([bytes.length]), bytes]);
}
