import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { dkimKeyOf } from '../../../shared/mail/dkim.ts';
import { dmarcOf } from '../../../shared/mail/dmarc.ts';
import { type MailDomain, mailMark } from '../../../shared/mail/mail-domain.ts';
import { spfOf } from '../../../shared/mail/spf.ts';
import { count, seed } from '../../support/counts.ts';

/** What domains publish about their mail, as people write it: with every mistake there is. */

test.each([
  { records: [], says: { kind: 'none' } },
  { records: ['MS=ms12345', 'google-site-verification=x'], says: { kind: 'none' } },
  { records: ['v=spf10 -all'], says: { kind: 'none' } },
  { records: ['v=spf1'], says: { kind: 'ok', all: 'none', sendsNothing: false } },
  { records: ['v=spf1 -all'], says: { kind: 'ok', all: 'fail', sendsNothing: true } },
  { records: ['V=SPF1  MX   ~ALL'], says: { kind: 'ok', all: 'softfail', sendsNothing: false } },
  { records: ['v=spf1 include:spf.protection.outlook.com -all'], says: { kind: 'ok', all: 'fail' } },
  { records: ['v=spf1 a mx ?all'], says: { kind: 'ok', all: 'neutral' } },
  { records: ['v=spf1 all'], says: { kind: 'ok', all: 'pass' } },
  { records: ['v=spf1 +all'], says: { kind: 'ok', all: 'pass' } },
  { records: ['v=spf1 redirect=_spf.example.com'], says: { kind: 'ok', all: 'redirect' } },
  { records: ['v=spf1 redirect=_spf.example.com -all'], says: { kind: 'ok', all: 'fail' } },
  {
    records: ['v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 exists:%{i}.x.example exp=why.x ra=y -all'],
    says: { kind: 'ok', all: 'fail' },
  },
  { records: ['v=spf1 a:mail.x.example/24//64 ptr -all'], says: { kind: 'ok', all: 'fail' } },
  {
    records: ['v=spf1 -all', 'v=spf1 ~all'],
    says: { kind: 'wrong', why: 'there are 2 SPF records, so none counts' },
  },
  {
    records: ['v=spf1 includes:x.example -all'],
    says: { kind: 'wrong', why: '“includes:x.example” is nothing SPF knows' },
  },
  { records: ['v=spf1 include: -all'], says: { kind: 'wrong', why: '“include:” names nothing' } },
  {
    records: ['v=spf1 ip4:mail.example -all'],
    says: { kind: 'wrong', why: '“ip4:mail.example” is no address' },
  },
  { records: ['v=spf1 ip6:nothing -all'], says: { kind: 'wrong', why: '“ip6:nothing” is no address' } },
  { records: ['v=spf1 — all'], says: { kind: 'wrong', why: '“—” is nothing SPF knows' } },
  { records: ['v=spf1 redirect=a redirect=b'], says: { kind: 'wrong', why: 'its redirect cannot be read' } },
  {
    records: [`v=spf1 ${Array.from({ length: 11 }, (_, n) => `include:s${n}.example`).join(' ')} -all`],
    says: { kind: 'wrong', why: 'it needs 11 look-ups, and ten are allowed' },
  },
  {
    records: [`v=spf1 ${Array.from({ length: 11 }, (_, n) => `ip4:192.0.2.${n}`).join(' ')} -all`],
    says: { kind: 'ok', all: 'fail' },
  },
])('SPF $records: $says', ({ records, says }) => {
  expect(spfOf(records)).toMatchObject(says);
});

test.each([
  { records: [], says: { kind: 'none' } },
  { records: ['v=spf1 -all', 'dmarc please'], says: { kind: 'none' } },
  { records: ['v=dmarc1; p=reject'], says: { kind: 'none' } },
  { records: ['p=reject; v=DMARC1'], says: { kind: 'none' } },
  {
    records: ['v=DMARC1; p=none'],
    says: { kind: 'ok', policy: 'none', subdomains: 'none', pct: 100, reports: false },
  },
  { records: ['v=DMARC1;p=reject;'], says: { kind: 'ok', policy: 'reject', subdomains: 'reject', pct: 100 } },
  {
    records: [' other', 'v=DMARC1; p=Quarantine; PCT=20'],
    says: { kind: 'ok', policy: 'quarantine', pct: 20 },
  },
  {
    records: ['v=DMARC1; p=reject; sp=none; rua=mailto:a@b.example!10m,mailto:c@d.example'],
    says: { kind: 'ok', policy: 'reject', subdomains: 'none', reports: true },
  },
  { records: ['v=DMARC1; p=reject; pct=0'], says: { kind: 'ok', pct: 0 } },
  { records: ['v=DMARC1; rua=mailto:a@b.example'], says: { kind: 'ok', policy: 'none', reports: true } },
  { records: ['v=DMARC1; p=rejected; rua=mailto:a@b.example'], says: { kind: 'ok', policy: 'none' } },
  { records: ['v=DMARC1'], says: { kind: 'wrong', why: 'it has no policy (p)' } },
  { records: ['v=DMARC1; p=rejected'], says: { kind: 'wrong', why: 'it has no policy (p)' } },
  {
    records: ['v=DMARC1; p=reject; pct=150'],
    says: { kind: 'wrong', why: 'its share (pct) is no percentage' },
  },
  {
    records: ['v=DMARC1; p=reject; pct=-1'],
    says: { kind: 'wrong', why: 'its share (pct) is no percentage' },
  },
  {
    records: ['v=DMARC1; p=reject; sp=maybe'],
    says: { kind: 'wrong', why: 'its policy for subdomains (sp) cannot be read' },
  },
  { records: ['v=DMARC1; p=reject; p=none'], says: { kind: 'wrong', why: 'the tag p comes twice' } },
  { records: ['v=DMARC1; reject'], says: { kind: 'wrong', why: 'it has a part that is no tag' } },
  {
    records: ['v=DMARC1; p=none', 'v=DMARC1; p=reject'],
    says: { kind: 'wrong', why: 'there are 2 DMARC records, so none counts' },
  },
])('DMARC $records: $says', ({ records, says }) => {
  expect(dmarcOf(records)).toMatchObject(says);
});

test.each([
  { records: [], says: { kind: 'none' } },
  { records: ['v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3+/=='], says: { kind: 'ok' } },
  { records: ['p=MIGf MA0G CSqG'], says: { kind: 'ok' } },
  { records: ['v=DKIM1; n=a note; p=AAAA; t=s'], says: { kind: 'ok' } },
  { records: ['v=DKIM1; p='], says: { kind: 'revoked' } },
  { records: ['v=DKIM2; p=AAAA'], says: { kind: 'wrong', why: 'its version is not DKIM1' } },
  { records: ['v=DKIM1; p=MIGf“MA0'], says: { kind: 'wrong', why: 'the key is cut or damaged' } },
  { records: ['v=spf1 -all'], says: { kind: 'wrong', why: 'what stands there is no key' } },
  {
    records: ['v=DKIM1; p=AAAA', 'v=DKIM1; p=BBBB'],
    says: { kind: 'wrong', why: 'there are 2 keys under one name' },
  },
])('DKIM $records: $says', ({ records, says }) => {
  expect(dkimKeyOf(records)).toEqual(says);
});

const signed = [{ selector: 'selector1', key: { kind: 'ok' } as const }];
const unsigned = [{ selector: 'selector1', key: { kind: 'none' } as const }];
const silent = { kind: 'unknown', why: 'nobody answered' } as const;
const hard = spfOf(['v=spf1 mx -all']);
const reject = dmarcOf(['v=DMARC1; p=reject']);
type Row = Partial<MailDomain> & { mark: string; why: RegExp };
test.each<Row>([
  { spf: hard, dkim: signed, dmarc: reject, mark: 'good', why: /signed/ },
  {
    spf: spfOf(['v=spf1 ~all']),
    dkim: signed,
    dmarc: dmarcOf(['v=DMARC1; p=quarantine']),
    mark: 'good',
    why: /quarantine/,
  },
  { spf: hard, dkim: unsigned, dmarc: reject, mark: 'fair', why: /no DKIM key/ },
  { spf: spfOf(['v=spf1 -all']), dkim: unsigned, dmarc: reject, mark: 'good', why: /sends no mail/ },
  { spf: hard, dkim: signed, dmarc: dmarcOf(['v=DMARC1; p=none']), mark: 'fair', why: /only watches/ },
  { spf: hard, dkim: signed, dmarc: dmarcOf(['v=DMARC1; p=reject; pct=50']), mark: 'fair', why: /50 %/ },
  {
    spf: hard,
    dkim: signed,
    dmarc: dmarcOf(['v=DMARC1; p=reject; sp=none']),
    mark: 'fair',
    why: /subdomains/,
  },
  {
    spf: hard,
    dkim: signed,
    dmarc: { ...dmarcOf(['v=DMARC1; p=reject; sp=none']), from: 'x.example' },
    mark: 'fair',
    why: /p=none/,
  },
  { spf: hard, dkim: signed, dmarc: { ...reject, from: 'x.example' }, mark: 'good', why: /reject/ },
  { spf: spfOf([]), dkim: signed, dmarc: reject, mark: 'weak', why: /no SPF/ },
  { spf: spfOf(['v=spf1 +all']), dkim: signed, dmarc: reject, mark: 'weak', why: /everybody/ },
  { spf: spfOf(['v=spf1 mx']), dkim: signed, dmarc: reject, mark: 'weak', why: /everybody/ },
  {
    spf: spfOf(['v=spf1 x', 'v=spf1']),
    dkim: signed,
    dmarc: reject,
    mark: 'weak',
    why: /counts for nothing/,
  },
  { spf: hard, dkim: signed, dmarc: dmarcOf([]), mark: 'weak', why: /no DMARC/ },
  { spf: silent, dkim: signed, dmarc: reject, mark: 'unknown', why: /SPF was not looked up/ },
  { spf: silent, dkim: signed, dmarc: dmarcOf([]), mark: 'weak', why: /no DMARC/ },
  { spf: hard, dkim: signed, dmarc: silent, mark: 'unknown', why: /DMARC was not looked up/ },
  { spf: hard, dkim: [{ selector: 'selector1', key: silent }], dmarc: reject, mark: 'unknown', why: /DKIM/ },
])('a domain with SPF $spf, DKIM $dkim and DMARC $dmarc is $mark', ({ mark, why, ...domain }) => {
  const marked = mailMark({
    name: 'a.example',
    isDefault: true,
    spf: hard,
    dkim: [],
    dmarc: reject,
    ...domain,
  });
  expect(marked).toEqual({ mark, why: expect.stringMatching(why) });
});

test('whatever text stands there, it is judged and nothing is thrown', () => {
  const piece = fc.oneof(
    fc.string(),
    fc.constantFrom('v=spf1 ', 'v=DMARC1;', 'p=', 'include:', '=;', ' -all', '\u0000', 'v=DKIM1; p='),
  );
  const text = fc.array(piece, { maxLength: 12 }).map((parts) => parts.join(''));
  fc.assert(
    fc.property(fc.array(text, { maxLength: 3 }), (records) => {
      for (const found of [spfOf(records), dmarcOf(records), dkimKeyOf(records)]) {
        expect(typeof found.kind).toBe('string');
      }
    }),
    { numRuns: count(300, 20_000), seed },
  );
});
