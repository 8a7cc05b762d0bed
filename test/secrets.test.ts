import { inspect } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { derivedKey, derivedKeys, newKeyringText, parseKeyring, Secret } from '../bot/secrets.ts';

const a = Buffer.alloc(32, 1).toString('base64');
const b = Buffer.alloc(32, 2).toString('base64');

describe('a secret', () => {
  const canary = 'canary-8c1f';
  const secret = new Secret(canary);

  test.each<{ how: string; shown: unknown }>([
    { how: 'String', shown: String(secret) },
    { how: 'a template', shown: `${secret}` },
    { how: 'adding it to text', shown: ['a', secret].join('') },
    { how: 'JSON', shown: JSON.stringify({ secret, list: [secret] }) },
    { how: 'inspect', shown: inspect(secret) },
    {
      how: 'inspect of all that is hidden',
      shown: inspect({ secret }, { depth: Infinity, showHidden: true, getters: true }),
    },
    {
      how: 'inspect without our own hook',
      shown: inspect(secret, { customInspect: false, showHidden: true, depth: Infinity }),
    },
    { how: 'its keys', shown: JSON.stringify([Object.entries(secret), Reflect.ownKeys(secret)]) },
    { how: 'an error', shown: inspect(new Error('x', { cause: secret })) },
    { how: 'spreading it', shown: inspect({ ...secret }) },
    { how: 'its value', shown: secret.valueOf() },
  ])('is not shown by $how', ({ shown }) => {
    expect(String(shown)).not.toContain(canary);
  });

  test('is not copied by structuredClone', () => {
    expect(inspect(structuredClone(secret), { showHidden: true, depth: Infinity })).not.toContain(canary);
  });

  test('is there for who uses it', () => {
    expect(secret.use((value) => value)).toBe(canary);
  });
});

describe('ENCRYPTION_KEYS', () => {
  test('the first key seals, all of them open', () => {
    const keyring = parseKeyring(` new:${a} , old:${b} `);
    expect(keyring.primary).toBe('new');
    expect(keyring.kids).toEqual(['new', 'old']);
    expect(derivedKeys(keyring, 'x').map((one) => one.kid)).toEqual(['new', 'old']);
  });

  test.each([
    { what: 'nothing', text: '', says: /key 1 has no id/ },
    { what: 'no id', text: a, says: /key 1 has no id/ },
    { what: 'an empty id', text: `:${a}`, says: /key 1 has no id/ },
    { what: 'a strange id', text: `a.b:${a}`, says: /key 1 has no id/ },
    {
      what: 'a short key',
      text: `k:${Buffer.alloc(31, 1).toString('base64')}`,
      says: /key 1 is not the base64 of 32 bytes/,
    },
    { what: 'a long key', text: `k:${Buffer.alloc(33, 1).toString('base64')}`, says: /key 1 is not/ },
    { what: 'no base64', text: `k:${a},l:****************************************`, says: /key 2 is not/ },
    { what: 'a key cut off and patched', text: `k:${a.slice(0, 20)}!${a.slice(20)}`, says: /key 1 is not/ },
    { what: 'a comma too many', text: `k:${a},`, says: /key 2 has no id/ },
    { what: 'an id twice', text: `k:${a},k:${b}`, says: /two keys have the id of key 2/ },
    { what: 'a key twice', text: `k:${a},l:${a}`, says: /key 2 stands there twice/ },
    {
      what: 'too many',
      text: Array.from({ length: 17 }, (_, i) => `k${i}:${Buffer.alloc(32, i).toString('base64')}`).join(','),
      says: /more than 16/,
    },
  ])('$what is refused in a sentence that shows no key', ({ text, says }) => {
    let said = '';
    try {
      parseKeyring(text);
    } catch (error) {
      said = inspect(error);
      expect(error).toMatchObject({ code: 'config', message: expect.stringMatching(says) });
    }
    expect(said).not.toBe('');
    for (const key of text.split(/[,:]/)) if (key.length > 10) expect(said).not.toContain(key.slice(0, 10));
  });

  test('a keyring shows no key, however one looks', () => {
    const keyring = parseKeyring(`k:${a}`);
    const shown = inspect(keyring, { depth: Infinity, showHidden: true }) + JSON.stringify(keyring);
    expect(shown).not.toContain(a.slice(0, 8));
    expect(shown).not.toMatch(/Buffer|01 01 01/);
    expect(() => derivedKey(structuredClone(keyring), 'x')).toThrow(/no key/);
  });

  test('a new one is good and never the same', () => {
    const texts = Array.from({ length: 50 }, () => newKeyringText());
    expect(new Set(texts).size).toBe(50);
    for (const text of texts) expect(parseKeyring(text).kids).toHaveLength(1);
  });

  test('each purpose has a key of its own, the same in every process', () => {
    const keyring = parseKeyring(`k:${a},l:${b}`);
    const keys = ['card-data-v1', 'wrap-v1', 'fingerprint-v1'].map((purpose) => derivedKey(keyring, purpose));
    expect(new Set([...keys, Buffer.alloc(32, 1)].map((key) => key.toString('hex'))).size).toBe(4);
    expect(derivedKey(parseKeyring(`k:${a}`), 'wrap-v1')).toEqual(keys[1]);
    // A known answer: RFC 5869 with SHA-256, no salt, info "watchpost/card-data-v1", over 32 bytes 0x01.
    expect(keys[0]?.toString('hex')).toBe(knownAnswer);
  });
});

const knownAnswer = '03794675815ab7d491363f6ba36e6e9325894ff84b1f9134abf929f741276939';
