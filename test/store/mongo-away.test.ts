import { createServer, type Socket } from 'node:net';
import { expect, test } from '@jest/globals';
import { openMongo } from '../../bot/store/engine/mongo.ts';

test('a MongoDB that is not there is told in a sentence, within seconds and without the password', async () => {
  const started = performance.now();
  const error = await openMongo('mongodb://who:hunter2@127.0.0.1:1/watchpost', []).catch((e: unknown) => e);
  expect(error).toMatchObject({
    code: 'store',
    message: 'The MongoDB did not answer, or answered with an error.',
  });
  expect(String(error)).not.toContain('hunter2');
  expect(performance.now() - started).toBeLessThan(10_000);
}, 20_000);

test('a MongoDB that takes the connection and says nothing is given up as well', async () => {
  const sockets: Socket[] = [];
  const silent = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => socket.destroy());
  });
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const address = silent.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const started = performance.now();
  await expect(openMongo(`mongodb://127.0.0.1:${address.port}/watchpost`, [])).rejects.toMatchObject({
    code: 'store',
  });
  expect(performance.now() - started).toBeLessThan(15_000);
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => silent.close(resolve));
}, 30_000);

test.each(['', 'localhost:27017', 'http://localhost', 'mongodb://'])(
  'the address "%s" is told to be none',
  async (uri) => {
    await expect(openMongo(uri, [])).rejects.toMatchObject({
      code: 'config',
      message: 'MONGODB_URI is not an address of a MongoDB.',
    });
  },
);
