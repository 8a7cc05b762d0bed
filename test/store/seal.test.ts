import { createCipheriv, createHmac, randomBytes } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { hasCode } from '../../bot/errors.ts';
import { derivedKey, newKeyringText, parseKeyring } from '../../bot/secrets.ts';
import {
  type Bound,
  newTenantKey,
  open,
  seal,
  type TenantKey,
  withNext,
  withVersion,
} from '../../bot/store/seal.ts';
import { count } from '../support/counts.ts';

const keyring = parseKeyring(newKeyringText());

type Sealed = { key: TenantKey; bound: Bound; sealed: string; text: string };

function aSealed(n: number): Sealed {
  const tenantId = `11111111-1111-4111-8111-${String(n).padStart(12, '0')}`;
  const version = (n % 7) + 1;
  const key = withVersion(keyring, newTenantKey(keyring, tenantId), version);
  const bound = { tenantId, credentialId: `c${n}`, field: 'access', version };
  // In the deep set as long as a private key.
  const text = `secret number ${n}`.padEnd(count(16, 1_300));
  return { key, bound, sealed: seal(keyring, key, bound, text), text };
}

/** True when it opens; anything but the one generic error is a failure of the test. */
function opens({ key, bound, sealed }: Omit<Sealed, 'text'>): boolean {
  try {
    open(keyring, key, bound, sealed);
    return true;
  } catch (error) {
    if (
      hasCode(error, 'secret') &&
      error.message === 'The stored credential of this tenant cannot be opened.'
    )
      return false;
    throw error;
  }
}

describe('the envelope', () => {
  test('has the form wp1.kek.dek.iv.ct.tag and opens to the same text', () => {
    for (const text of ['', 'x', 'ünï\u0000\n\u{1F512}', 'y'.repeat(10_000)]) {
      const { key, bound } = aSealed(1);
      const sealed = seal(keyring, key, bound, text);
      const [format, kek, dek, iv, ct, tag, ...rest] = sealed.split('.');
      expect([format, kek, dek, rest.length]).toEqual(['wp1', keyring.primary, key.dekId, 0]);
      expect(Buffer.from(iv ?? '', 'base64url')).toHaveLength(12);
      expect(Buffer.from(tag ?? '', 'base64url')).toHaveLength(16);
      expect(Buffer.from(ct ?? '', 'base64url')).toHaveLength(Buffer.byteLength(text));
      expect(open(keyring, key, bound, sealed)).toBe(text);
    }
  });

  test('the same text is never sealed to the same bytes, and every tenant has a key of its own', () => {
    const { key, bound } = aSealed(1);
    const sealed = new Set(Array.from({ length: 200 }, () => seal(keyring, key, bound, 'same')));
    expect(sealed.size).toBe(200);
    expect(new Set(Array.from({ length: 50 }, (_, n) => aSealed(n).key.dekId)).size).toBe(50);
  });

  test('any bit flipped, none opens', () => {
    // Three million refusals in the deep set: where each was thrown is not asked.
    Error.stackTraceLimit = 0;
    let flips = 0;
    let opened = 0;
    for (let n = 0; n < count(12, 200); n += 1) {
      const one = aSealed(n);
      const bytes = Buffer.from(one.sealed, 'utf8');
      for (let at = 0; at < bytes.length; at += 1) {
        for (let bit = 0; bit < 8; bit += 1) {
          const flipped = Buffer.from(bytes);
          flipped[at] = (flipped[at] ?? 0) ^ (1 << bit);
          flips += 1;
          if (opens({ ...one, sealed: flipped.toString('latin1') })) opened += 1;
        }
      }
    }
    Error.stackTraceLimit = 10;
    expect(flips).toBeGreaterThan(count(8_000, 2_800_000));
    expect(opened).toBe(0);
  }, 600_000);

  test('an opener that does not look at the spare bits of base64 is caught by the same check', () => {
    // Decoding and encoding again forgives what the strict reader must not.
    const forgiving = (sealed: string): string =>
      sealed
        .split('.')
        .map((part, at) => (at < 3 ? part : Buffer.from(part, 'base64url').toString('base64url')))
        .join('.');
    const one = aSealed(3);
    const bytes = Buffer.from(one.sealed, 'utf8');
    let opened = 0;
    for (let at = 0; at < bytes.length; at += 1) {
      for (let bit = 0; bit < 8; bit += 1) {
        const flipped = Buffer.from(bytes);
        flipped[at] = (flipped[at] ?? 0) ^ (1 << bit);
        if (opens({ ...one, sealed: forgiving(flipped.toString('latin1')) })) opened += 1;
      }
    }
    expect(opened).toBeGreaterThan(0);
  });

  test('no record opens in the place of another', () => {
    const all = Array.from({ length: count(30, 100) }, (_, n) => aSealed(n));
    let opened = 0;
    for (const mine of all) {
      for (const other of all) {
        if (mine === other) continue;
        if (opens({ key: mine.key, bound: mine.bound, sealed: other.sealed })) opened += 1;
        // Even with the other's key record beside it.
        if (opens({ key: other.key, bound: mine.bound, sealed: other.sealed })) opened += 1;
        if (
          opens({
            key: { ...other.key, tenantId: mine.key.tenantId },
            bound: mine.bound,
            sealed: other.sealed,
          })
        )
          opened += 1;
      }
    }
    expect(opened).toBe(0);
    expect(all.every(opens)).toBe(true);
  });

  test.each<{ what: string; change: (bound: Bound) => Bound }>([
    { what: 'tenant', change: (bound) => ({ ...bound, tenantId: '11111111-1111-4111-8111-999999999999' }) },
    { what: 'credential', change: (bound) => ({ ...bound, credentialId: 'another' }) },
    { what: 'field', change: (bound) => ({ ...bound, field: 'other' }) },
    { what: 'version', change: (bound) => ({ ...bound, version: bound.version + 1 }) },
    {
      what: 'boundary between two parts',
      change: (bound) => ({ ...bound, credentialId: `${bound.credentialId}a`, field: 'ccess' }),
    },
  ])('bound to its $what', ({ change }) => {
    const one = aSealed(5);
    expect(opens(one)).toBe(true);
    expect(opens({ ...one, bound: change(one.bound) })).toBe(false);
  });

  test.each([4, 5, 8, 12, 13, 14, 15, 17, 32])('a tag of %i bytes does not open', (bytes) => {
    const one = aSealed(2);
    const parts = one.sealed.split('.');
    const tag = Buffer.concat([Buffer.from(parts[5] ?? '', 'base64url'), Buffer.alloc(16)]).subarray(
      0,
      bytes,
    );
    expect(opens({ ...one, sealed: [...parts.slice(0, 5), tag.toString('base64url')].join('.') })).toBe(
      false,
    );
  });

  test.each<{ what: string; change: (parts: string[]) => string[] }>([
    { what: 'another format', change: (parts) => ['wp2', ...parts.slice(1)] },
    { what: 'a part missing', change: (parts) => parts.slice(0, 5) },
    { what: 'a part more', change: (parts) => [...parts, 'AAAA'] },
    { what: 'an unknown key id', change: (parts) => ['wp1', 'nobody', ...parts.slice(2)] },
    { what: 'a longer iv', change: (parts) => [...parts.slice(0, 3), `${parts[3]}AAAA`, ...parts.slice(4)] },
    { what: 'an empty iv', change: (parts) => [...parts.slice(0, 3), '', ...parts.slice(4)] },
    { what: 'ordinary base64', change: (parts) => [...parts.slice(0, 5), `${parts[5]}==`] },
    { what: 'a space', change: (parts) => [...parts.slice(0, 4), `${parts[4]} `, ...parts.slice(5)] },
    { what: 'nothing', change: () => [''] },
  ])('with $what it does not open', ({ change }) => {
    const one = aSealed(4);
    expect(opens({ ...one, sealed: change(one.sealed.split('.')).join('.') })).toBe(false);
  });
});

describe('the key of a tenant', () => {
  test('any bit of its record flipped, nothing opens', () => {
    const one = aSealed(6);
    const [wrap] = one.key.wraps;
    if (wrap === undefined) throw new Error('no wrap');
    const fields: { value: string; put(value: string): TenantKey }[] = [
      { value: one.key.dekId, put: (dekId) => ({ ...one.key, dekId }) },
      { value: wrap.kekId, put: (kekId) => ({ ...one.key, wraps: [{ ...wrap, kekId }] }) },
      { value: wrap.sealed, put: (sealed) => ({ ...one.key, wraps: [{ ...wrap, sealed }] }) },
      { value: one.key.commitment, put: (commitment) => ({ ...one.key, commitment }) },
      { value: one.key.versionMac, put: (versionMac) => ({ ...one.key, versionMac }) },
    ];
    let opened = 0;
    for (const { value, put } of fields) {
      const bytes = Buffer.from(value, 'utf8');
      for (let at = 0; at < bytes.length; at += 1) {
        for (let bit = 0; bit < 8; bit += 1) {
          const flipped = Buffer.from(bytes);
          flipped[at] = (flipped[at] ?? 0) ^ (1 << bit);
          if (opens({ ...one, key: put(flipped.toString('latin1')) })) opened += 1;
        }
      }
    }
    expect(opened).toBe(0);
  });

  test('its newest version cannot be counted down by hand', () => {
    const one = aSealed(6);
    for (let version = 0; version < one.key.version; version += 1) {
      expect(opens({ ...one, key: { ...one.key, version } })).toBe(false);
    }
  });

  test('an older version of the row is refused, the newest and a newer one open', () => {
    const { key, bound } = aSealed(1);
    const sealedAt = (version: number) => seal(keyring, key, { ...bound, version }, 'text');
    const openAt = (version: number, newest: number) =>
      opens({
        key: withVersion(keyring, key, newest),
        bound: { ...bound, version },
        sealed: sealedAt(version),
      });
    expect(openAt(4, 5)).toBe(false);
    expect(openAt(5, 5)).toBe(true);
    expect(openAt(6, 5)).toBe(true); // a crash between row and counter
  });

  test('what waits is counted apart: neither opens as the other, and its counter cannot be counted down by hand', () => {
    const { key, bound } = aSealed(1);
    const next = { ...bound, field: 'next' };
    const counted = withNext(keyring, key, 4);
    const at = (version: number) => seal(keyring, key, { ...next, version }, 'text');
    const openAt = (one: TenantKey, version: number, as = next) =>
      opens({ key: one, bound: { ...as, version }, sealed: at(version) });
    expect([3, 4, 5].map((version) => openAt(counted, version))).toEqual([false, true, true]);
    expect(openAt(counted, 9, { ...bound, field: 'access' })).toBe(false);
    for (const forged of [0, 1, 2, 3, 5, undefined]) {
      expect(openAt({ ...counted, next: forged } as TenantKey, 5)).toBe(false);
    }
    expect(openAt({ ...counted, nextMac: counted.versionMac }, 5)).toBe(false);
    expect(opens({ key: { ...counted, next: 3 }, bound, sealed: seal(keyring, key, bound, 'text') })).toBe(
      false,
    );
  });

  test('opens with an old key of the keyring, not without it, and not with another of the same name', () => {
    const old = newKeyringText();
    const both = parseKeyring(`${newKeyringText()},${old}`);
    const one = parseKeyring(old);
    const key = newTenantKey(one, 't');
    const bound = { tenantId: 't', credentialId: 't', field: 'f', version: 1 };
    const sealed = seal(one, key, bound, 'text');
    expect(open(both, key, bound, sealed)).toBe('text');
    expect(() => open(parseKeyring(newKeyringText()), key, bound, sealed)).toThrow(/cannot be opened/);
    const impostor = parseKeyring(`${old.split(':')[0]}:${randomBytes(32).toString('base64')}`);
    expect(() => open(impostor, key, bound, sealed)).toThrow(/cannot be opened/);
  });

  test('a data key that does not keep the commitment is refused even when it is wrapped rightly', () => {
    const key = newTenantKey(keyring, 't');
    // Wrapped with the real key and the real tuple, by somebody who holds the keyring; only the commitment is old.
    const dek = randomBytes(32);
    const iv = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', derivedKey(keyring, 'wrap-v1'), iv, { authTagLength: 16 });
    cipher.setAAD(tuple('wp-dek-v1', 't', key.dekId, keyring.primary));
    const ct = Buffer.concat([cipher.update(dek), cipher.final()]);
    const sealed = [iv, ct, cipher.getAuthTag()].map((part) => part.toString('base64url')).join('.');
    const versionMac = createHmac('sha256', dek)
      .update(tuple('wp-version-v1', 't', key.dekId, '0'))
      .digest('base64url');
    const swapped = { ...key, wraps: [{ kekId: keyring.primary, sealed }], versionMac };
    const bound = { tenantId: 't', credentialId: 't', field: 'f', version: 1 };
    expect(() => seal(keyring, swapped, bound, 'text')).toThrow(/cannot be opened/);
    const commitment = createHmac('sha256', dek).update('commit').update(key.dekId).digest('base64url');
    expect(() => seal(keyring, { ...swapped, commitment }, bound, 'text')).not.toThrow();
  });
});

function tuple(...parts: string[]): Buffer {
  return Buffer.concat(
    parts.flatMap((part) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(Buffer.byteLength(part));
      return [length, Buffer.from(part, 'utf8')];
    }),
  );
}
