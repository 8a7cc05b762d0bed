import { promisify } from 'node:util';
import { brotliDecompress, brotliDecompressSync, gunzip, gunzipSync } from 'node:zlib';

const gunzipLater = promisify(gunzip);
const brotliLater = promisify(brotliDecompress);
/** Packed bodies up to this size are unpacked on the spot, in one call: cheaper than a stream, and short. */
const onTheSpot = 1024 * 1024;

/**
 * A body without its `content-encoding`: gzip, br or none. Throws zlib's error for a broken one,
 * `ERR_BUFFER_TOO_LARGE` for one that grows beyond `maxOutputLength` bytes, and `ENCODING` for any other encoding.
 */
export async function unpack(
  body: Buffer,
  encoding: string | undefined,
  maxOutputLength: number,
): Promise<Buffer> {
  const limit = { maxOutputLength };
  const small = body.length <= onTheSpot;
  if (body.length === 0) return body;
  switch ((encoding ?? '').trim().toLowerCase()) {
    case '':
    case 'identity':
      return body;
    case 'gzip':
    case 'x-gzip':
      return small ? gunzipSync(body, limit) : gunzipLater(body, limit);
    case 'br':
      return small ? brotliDecompressSync(body, limit) : brotliLater(body, limit);
    default:
      throw Object.assign(new Error('an encoding that was not asked for'), { code: 'ENCODING' });
  }
}
