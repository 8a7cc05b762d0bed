import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { jsonLimits, shapeOf } from './json-shape.ts';
import { Refused } from './problem.ts';

const bodyMs = 15_000;

/**
 * The JSON body of a POST within its limits (R6): type, length and encoding are judged by the headers, the bytes are
 * counted as they come, their shape is looked at before anybody parses them.
 * @throws Refused 400, 408, 413, 415
 */
export async function readBody(request: IncomingMessage, withinMs = bodyMs): Promise<Buffer> {
  const { headers } = request;
  if (!isJson(headers['content-type']))
    throw new Refused(415, 'Only application/json in UTF-8 is read here.');
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding.trim().toLowerCase() !== 'identity') {
    throw new Refused(415, 'Packed bodies are not read here.');
  }
  if (Number(headers['content-length'] ?? 0) > jsonLimits.bytes) throw tooLarge();
  const bytes = await received(request, withinMs);
  if (bytes.length === 0) throw new Refused(400, 'The body is empty.');
  const shape = shapeOf(bytes);
  if (shape === 'too-deep')
    throw new Refused(400, `The body is nested deeper than ${jsonLimits.depth} levels.`);
  if (shape === 'too-many-keys') throw new Refused(400, `The body has more than ${jsonLimits.keys} members.`);
  return bytes;
}

/** The bytes as JSON. @throws Refused 400 */
export function parseJson(bytes: Buffer): unknown {
  if (!isUtf8(bytes)) throw new Refused(400, 'The body is not JSON.');
  try {
    return JSON.parse(bytes.toString('utf8', beginsWithBom(bytes) ? 3 : 0));
  } catch {
    throw new Refused(400, 'The body is not JSON.'); // the parser's message would quote the body
  }
}

/** Takes a form's body off the line; nothing of it is looked at. @throws Refused 400, 408, 413, 415 */
export async function skipForm(request: IncomingMessage, withinMs = bodyMs): Promise<void> {
  const type = (request.headers['content-type'] ?? '').toLowerCase().split(';')[0]?.trim();
  if (type !== undefined && type !== '' && type !== 'application/x-www-form-urlencoded')
    throw new Refused(415, 'Only a form is read here.');
  if (Number(request.headers['content-length'] ?? 0) > jsonLimits.bytes) throw tooLarge();
  await received(request, withinMs);
}

function beginsWithBom(bytes: Buffer): boolean {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
}

function isJson(contentType: string | undefined): boolean {
  const [type = '', ...parameters] = (contentType ?? '').toLowerCase().split(';');
  return (
    type.trim() === 'application/json' &&
    parameters.every((one) => ['', 'charset=utf-8', 'charset="utf-8"'].includes(one.trim()))
  );
}

function received(request: IncomingMessage, withinMs: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const timer = setTimeout(
      () => end(() => reject(new Refused(408, 'The body came too slowly.'))),
      withinMs,
    );

    function end(settle: () => void): void {
      clearTimeout(timer);
      request.off('data', take).off('end', whole).off('error', broken).off('close', broken);
      settle();
    }
    function take(chunk: Buffer): void {
      length += chunk.length;
      if (length > jsonLimits.bytes) end(() => reject(tooLarge()));
      else chunks.push(chunk);
    }
    function whole(): void {
      end(() => resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)));
    }
    function broken(): void {
      end(() => reject(new Refused(400, 'The body broke off.')));
    }
    request.on('data', take).on('end', whole).on('error', broken).on('close', broken);
  });
}

function tooLarge(): Refused {
  return new Refused(413, `A body may have ${jsonLimits.bytes / 1024} KiB.`);
}
