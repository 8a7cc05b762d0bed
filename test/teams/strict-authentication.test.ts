import { expect, test } from '@jest/globals';
import type { TokenCheck } from '../../bot/teams/authenticator.ts';
import { StrictAuthentication } from '../../bot/teams/strict-authentication.ts';

/** R2: of the library's doors one is open, and nothing leaves through the library. */

const refusing = new StrictAuthentication(
  'bot',
  async (): Promise<TokenCheck> => ({ kind: 'refused', why: 'signature' }),
);
const trusting = new StrictAuthentication('bot', async (): Promise<TokenCheck> => ({ kind: 'ok' }));

test('streaming, skills and the emulator are not offered, whoever asks', async () => {
  await expect(trusting.authenticateStreamingRequest()).rejects.toMatchObject({ statusCode: 401 });
  await expect(trusting.authenticateChannelRequest()).rejects.toMatchObject({ statusCode: 401 });
  expect(() => trusting.createBotFrameworkClient()).toThrow(/not offered/);
});

test('the rule decides, and its reason stays inside', async () => {
  await expect(refusing.authenticateRequest({}, 'Bearer x')).rejects.toMatchObject({
    statusCode: 401,
    message: 'Unauthorized.',
  });
  expect((await trusting.authenticateRequest({}, 'Bearer x')).audience).toBe('bot');
});

test('the library has a connector and user tokens in name only', async () => {
  const { connectorFactory } = await trusting.authenticateRequest({}, 'Bearer x');
  const connector = await connectorFactory?.create('https://evil.example');
  expect(() => connector?.conversations).toThrow(/use the sender/);
  const tokens = await trusting.createUserTokenClient();
  await expect(tokens.getUserToken('u', 'c', 'msteams', '')).rejects.toThrow(/use the sender/);
  await expect(tokens.exchangeToken('u', 'c', 'msteams', {})).rejects.toThrow(/use the sender/);
});
