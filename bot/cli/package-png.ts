import { inflateSync } from 'node:zlib';

/** A picture as far as the store's rules for icons ask: size and every pixel as red, green, blue, opacity (0–255). */
export type Picture = { width: number; height: number; pixels: Uint8Array };

const signature = '89504e470d0a1a0a';
/** Bytes a pixel has, by PNG's number for its kind: RGB, RGBA. What our icons are drawn as; others are refused. */
const channelsOf: Readonly<Record<number, number>> = { 2: 3, 6: 4 };
const mostBytes = 1024 * 1024;

/** The picture in a PNG file (W3C PNG: 8 bits a channel, RGB or RGBA, not interlaced), or the sentence why not. */
export function readPng(bytes: Uint8Array): Picture | string {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (file.length < 33 || file.subarray(0, 8).toString('hex') !== signature) return 'is not a PNG file';
  const width = file.readUInt32BE(16);
  const height = file.readUInt32BE(20);
  const channels = channelsOf[file[25] ?? -1];
  if (file[24] !== 8 || channels === undefined || file[28] !== 0)
    return 'must be a PNG with 8 bits a channel, RGB or RGBA, not interlaced';
  const lineBytes = width * channels;
  if (width === 0 || height === 0 || lineBytes * height > mostBytes) return 'has an impossible size';
  const data = dataOf(file);
  let packed: Buffer;
  try {
    packed = inflateSync(data, { maxOutputLength: mostBytes + height });
  } catch {
    return 'is damaged';
  }
  if (packed.length !== (lineBytes + 1) * height) return 'is damaged';
  return { width, height, pixels: withOpacity(unfiltered(packed, height, lineBytes, channels), channels) };
}

function dataOf(file: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 8; at + 12 <= file.length; ) {
    const length = file.readUInt32BE(at);
    if (file.toString('latin1', at + 4, at + 8) === 'IDAT')
      parts.push(file.subarray(at + 8, at + 8 + length));
    at += 12 + length;
  }
  return Buffer.concat(parts);
}

/** Each line is stored as a difference to its neighbours; its first byte says to which. */
function unfiltered(packed: Buffer, height: number, lineBytes: number, channels: number): Uint8Array {
  const lines = new Uint8Array(lineBytes * height);
  for (let y = 0; y < height; y += 1) {
    const kind = packed[y * (lineBytes + 1)] ?? 0;
    for (let x = 0; x < lineBytes; x += 1) {
      const here = y * lineBytes + x;
      const left = x < channels ? 0 : (lines[here - channels] ?? 0);
      const above = y === 0 ? 0 : (lines[here - lineBytes] ?? 0);
      const corner = x < channels || y === 0 ? 0 : (lines[here - lineBytes - channels] ?? 0);
      lines[here] = (packed[y * (lineBytes + 1) + 1 + x] ?? 0) + expected(kind, left, above, corner);
    }
  }
  return lines;
}

function expected(kind: number, left: number, above: number, corner: number): number {
  if (kind === 1) return left;
  if (kind === 2) return above;
  if (kind === 3) return (left + above) >> 1;
  return kind === 4 ? nearest(left, above, corner) : 0;
}

/** Whichever of the three is nearest to left + above - corner; on a tie the first. */
function nearest(left: number, above: number, corner: number): number {
  const toLeft = Math.abs(above - corner);
  const toAbove = Math.abs(left - corner);
  const toCorner = Math.abs(left + above - 2 * corner);
  if (toLeft <= toAbove && toLeft <= toCorner) return left;
  return toAbove <= toCorner ? above : corner;
}

function withOpacity(lines: Uint8Array, channels: number): Uint8Array {
  if (channels === 4) return lines;
  const pixels = new Uint8Array((lines.length / 3) * 4);
  for (let from = 0, to = 0; from < lines.length; from += 3, to += 4) {
    pixels.set(lines.subarray(from, from + 3), to);
    pixels[to + 3] = 255;
  }
  return pixels;
}
