import { expect, test } from '@jest/globals';
import { openDns } from '../bot/dns.ts';
import { readMailDomains } from '../bot/jobs/mail-domains.ts';
import { mailMark } from '../shared/mail/mail-domain.ts';
import { type DnsEntry, type DnsServer, openDnsServer } from './sandbox/dns-wire.ts';

/** Questions to a real name server over UDP on loopback: what it has, what it has not, and when it says nothing. */

async function withServer<T>(
  names: Record<string, DnsEntry>,
  work: (server: DnsServer) => Promise<T>,
  delayMs = 0,
): Promise<T> {
  const server = await openDnsServer({
    find: (name) => (Object.hasOwn(names, name) ? names[name] : undefined),
    delayMs,
  });
  try {
    return await work(server);
  } finally {
    await server.close();
  }
}

const long = Array.from({ length: 12 }, () => 'x'.repeat(255));
const rows: { name: string; entry?: DnsEntry; says: object }[] = [
  {
    name: 'one.example',
    entry: { txt: [['v=spf1 -all']] },
    says: { kind: 'found', records: ['v=spf1 -all'] },
  },
  {
    name: 'chunks.example',
    entry: { txt: [['v=spf1 ', 'mx', ' -all']] },
    says: { kind: 'found', records: ['v=spf1 mx -all'] },
  },
  { name: 'empty-text.example', entry: { txt: [['']] }, says: { kind: 'found', records: [''] } },
  { name: 'long.example', entry: { txt: [long] }, says: { kind: 'found', records: [long.join('')] } },
  {
    name: 'alias.example',
    entry: { cname: 'target.example', txt: [['p=AAAA']] },
    says: { kind: 'found', records: ['p=AAAA'] },
  },
  { name: 'dangling.example', entry: { cname: 'target.example' }, says: { kind: 'none' } },
  { name: 'no-text.example', entry: { txt: [] }, says: { kind: 'none' } },
  { name: 'nowhere.example', says: { kind: 'none' } },
  { name: 'nx.example', entry: { code: 'nxdomain' }, says: { kind: 'none' } },
  {
    name: 'broken.example',
    entry: { code: 'servfail' },
    says: { kind: 'unknown', why: 'the name servers could not tell' },
  },
  {
    name: 'refused.example',
    entry: { code: 'refused' },
    says: { kind: 'unknown', why: 'the name servers could not tell' },
  },
  {
    name: 'silent.example',
    entry: { silent: true },
    says: { kind: 'unknown', why: 'the name servers did not answer' },
  },
  { name: 'garbage.example', entry: { raw: 'garbage' }, says: { kind: 'unknown' } },
  { name: 'cut.example', entry: { raw: 'cut' }, says: { kind: 'unknown' } },
  {
    name: 'huge.example',
    entry: { txt: Array.from({ length: 7 }, () => [...long].slice(0, 10)) },
    says: { kind: 'unknown', why: 'the answer is too large' },
  },
  { name: 'not a name', says: { kind: 'unknown', why: 'it is no name of the DNS' } },
  { name: `${'a'.repeat(64)}.example`, says: { kind: 'unknown', why: 'it is no name of the DNS' } },
];

test.each(rows)('TXT of $name: $says', async ({ name, entry, says }) => {
  await withServer(entry === undefined ? {} : { [name]: entry }, async (server) => {
    const dns = openDns({ servers: [server.address], timeoutMs: 400 });
    const began = performance.now();
    expect(await dns.txt(name)).toMatchObject(says);
    expect(performance.now() - began).toBeLessThan(2_000);
    if (/ |a{64}/.test(name)) expect(server.asked).toEqual([]);
  });
});

test('nobody listens there: said so; and the end of the program ends a question', async () => {
  const gone = await openDnsServer({ find: () => undefined });
  await gone.close();
  expect(await openDns({ servers: [gone.address], timeoutMs: 400 }).txt('a.example')).toMatchObject({
    kind: 'unknown',
  });
  await withServer({ 'a.example': { silent: true } }, async (server) => {
    const ending = new AbortController();
    const dns = openDns({ servers: [server.address], timeoutMs: 60_000, signal: ending.signal });
    const asked = dns.txt('a.example');
    ending.abort();
    expect(await asked).toMatchObject({ kind: 'unknown' });
    expect(await dns.txt('a.example')).toEqual({ kind: 'unknown', why: 'Watchpost is stopping' });
  });
});

test('never more than four questions at once, however many domains there are', async () => {
  const domains = Array.from({ length: 12 }, (_, n) => `d${n}.example`);
  const entries = Object.fromEntries(domains.map((name) => [name, { txt: [['v=spf1 -all']] }]));
  const most = async (atOnce: number): Promise<number> =>
    withServer(
      entries,
      async (server) => {
        const dns = openDns({ servers: [server.address], atOnce });
        await Promise.all(domains.map((name) => dns.txt(name)));
        return server.mostAtOnce();
      },
      20,
    );
  expect(await most(4)).toBeLessThanOrEqual(4);
  // The judge is awake.
  expect(await most(12)).toBeGreaterThan(4);
});

const key = { txt: [['v=DKIM1; p=AAAA']] };
const tenant = {
  domain: 'a.example',
  domains: [
    'a.example',
    'mail.a.example',
    'b.example',
    'contoso.onmicrosoft.com',
    'contoso.mail.onmicrosoft.com',
  ],
};
const zone: Record<string, DnsEntry> = {
  'a.example': { txt: [['v=spf1 mx ', '-all'], ['other']] },
  '_dmarc.a.example': { txt: [['v=DMARC1; p=reject; sp=quarantine']] },
  'selector1._domainkey.a.example': { cname: 'selector1-a-example._domainkey.a.onmicrosoft.com', ...key },
  'selector2._domainkey.a.example': { cname: 'selector2-a-example._domainkey.a.onmicrosoft.com' },
  'mail.a.example': { txt: [['v=spf1 mx -all']] },
  'selector1._domainkey.mail.a.example': key,
  'b.example': { txt: [['v=spf1 mx -all'], ['v=spf1 a -all']] },
  '_dmarc.b.example': { silent: true },
};

test('a tenant’s domains: policies of the domain above count below, dangling aliases are told, silence is no answer', async () => {
  await withServer(zone, async (server) => {
    const dns = openDns({ servers: [server.address], timeoutMs: 400 });
    const read = await readMailDomains(tenant, dns, undefined);
    if (read.kind !== 'ok') throw new Error(read.kind);
    const [a, mail, b, ...others] = read.value;
    expect(others).toEqual([]);
    expect(a).toMatchObject({ name: 'a.example', isDefault: true, dmarc: { policy: 'reject' } });
    expect(a?.dkim.map((one) => one.key)).toEqual([
      { kind: 'ok' },
      { kind: 'none', pointsTo: 'selector2-a-example._domainkey.a.onmicrosoft.com' },
    ]);
    expect(mail?.dmarc).toMatchObject({ from: 'a.example', subdomains: 'quarantine' });
    expect(b).toMatchObject({ spf: { kind: 'wrong' }, dmarc: { kind: 'unknown' } });
    expect(read.value.map((one) => mailMark(one).mark)).toEqual(['good', 'good', 'weak']);
    // Microsoft's own names are nobody's to publish under.
    expect(server.asked.filter((one) => / contoso/.test(one))).toEqual([]);
    expect(await readMailDomains(tenant, dns, read.hash)).toEqual({ kind: 'unchanged', hash: read.hash });
  });
});

test('when nothing is answered at all, nothing is known, and it is tried again', async () => {
  const silent = { silent: true } as const;
  const names = [
    'a.example',
    '_dmarc.a.example',
    'selector1._domainkey.a.example',
    'selector2._domainkey.a.example',
  ];
  await withServer(Object.fromEntries(names.map((name) => [name, silent])), async (server) => {
    const dns = openDns({ servers: [server.address], timeoutMs: 200 });
    expect(
      await readMailDomains({ domain: 'a.example', domains: ['a.example'] }, dns, 'known'),
    ).toMatchObject({
      kind: 'failed',
      failure: {
        kind: 'service',
        transient: true,
        cause: 'The domains were not looked up: the name servers did not answer.',
      },
    });
    // Time has an end for all of them together.
    let at = 0;
    const late = await readMailDomains(
      { domain: 'a.example', domains: ['a.example'] },
      dns,
      undefined,
      () => {
        at += 30_000;
        return at;
      },
    );
    expect(late).toMatchObject({
      kind: 'failed',
      failure: { cause: expect.stringMatching(/did not answer|no time left/) },
    });
    expect(await readMailDomains({ domain: 'x', domains: [] }, dns, undefined)).toMatchObject({
      kind: 'ok',
      value: [],
    });
  });
});
