import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { createServer } from 'node:http';
import { Agent } from 'undici';
import * as v from 'valibot';

/**
 * The ceiling: the least that can be called a bot. node:http, a token verified once and remembered until it is used up,
 * one fixed card posted by undici. No look-up, no pipeline, no rule.
 *
 * Whoever starts it hands over settings as JSON in the first argument and reads `{"url"}` from standard output.
 */
const settings = v.parse(
  v.object({ jwk: v.record(v.string(), v.unknown()), microsoft: v.string(), activity: v.looseObject({}) }),
  JSON.parse(process.argv[2] ?? '{}'),
);
const key: KeyObject = createPublicKey({ key: settings.jwk, format: 'jwk' });
const inbound = v.object({ id: v.string(), conversation: v.object({ id: v.string() }) });
const reply = JSON.stringify(settings.activity);
const agent = new Agent({ connections: null });
const verified = new Set<string>();

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    turn(request.headers.authorization ?? '', Buffer.concat(chunks).toString('utf8')).then(
      (status) => response.writeHead(status).end(),
      (error: unknown) => {
        console.error(error);
        response.writeHead(500).end();
      },
    );
  });
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  console.log(JSON.stringify({ url: `http://127.0.0.1:${port}` }));
});
process.on('disconnect', () => process.exit(0));
process.on('SIGTERM', () => process.exit(0));

async function turn(authorization: string, body: string): Promise<number> {
  if (!verified.has(authorization)) {
    if (!isGood(authorization)) return 401;
    if (verified.size > 1_000) verified.clear();
    verified.add(authorization);
  }
  const { id, conversation } = v.parse(inbound, JSON.parse(body));
  const path = `/emea/v3/conversations/${encodeURIComponent(conversation.id)}/activities/${id}`;
  const answer = await agent.request({
    origin: settings.microsoft,
    path,
    method: 'POST',
    headers: { authorization: 'Bearer fixed', 'content-type': 'application/json' },
    body: reply,
  });
  await answer.body.dump();
  return answer.statusCode === 200 ? 200 : 502;
}

function isGood(authorization: string): boolean {
  const [head, claims, signature] = authorization.slice('Bearer '.length).split('.');
  if (head === undefined || claims === undefined || signature === undefined) return false;
  return verify('sha256', Buffer.from(`${head}.${claims}`), key, Buffer.from(signature, 'base64url'));
}
