import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { strToU8, zipSync } from 'fflate';
import * as v from 'valibot';
import { WatchpostError } from '../errors.ts';

/** The files of an app package by their names in the zip. */
export type PackageFiles = Record<string, Uint8Array>;
/** `standard` is for everyone; `read-back` also asks to read the channels it posts to (R38). */
export const variants = ['standard', 'read-back'] as const;
export type Variant = (typeof variants)[number];

/** The earliest time a zip can tell. The same for every file, so that equal content gives equal bytes. */
const fixedTime = new Date(1980, 0, 1);
const placeholder = /\$\{\{\s*(\w+)\s*\}\}/g;
const named = v.object({ icons: v.object({ color: v.string(), outline: v.string() }) });

/** The files of the package: the template in `folder` with `values` filled in, and the icons it names. */
export function packageFiles(
  folder: string,
  values: Readonly<Record<string, string>>,
  variant: Variant,
): PackageFiles {
  const template = json(folder, 'manifest.json');
  const whole = variant === 'standard' ? template : { ...template, ...json(folder, 'read-back.json') };
  const manifest = filled(whole, values);
  const icons = v.safeParse(named, manifest);
  if (!icons.success) throw new WatchpostError('bad-input', 'The manifest names no icons.');
  const files: PackageFiles = { 'manifest.json': strToU8(`${JSON.stringify(manifest, null, 2)}\n`) };
  for (const name of Object.values(icons.output.icons)) files[name] = read(folder, name);
  return files;
}

/** The zip of these files: sorted, without times, packed by JavaScript alone, so the same bytes on every machine. */
export function zipOf(files: PackageFiles): Uint8Array {
  const sorted = Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1));
  return zipSync(Object.fromEntries(sorted), { level: 9, mtime: fixedTime, os: 0 });
}

/** Filled in the parsed values, not in the text: no value can break out of its string. */
function filled(part: unknown, values: Readonly<Record<string, string>>): unknown {
  if (typeof part === 'string')
    return part.replace(placeholder, (whole, name: string) =>
      Object.hasOwn(values, name) ? (values[name] ?? whole) : whole,
    );
  if (Array.isArray(part)) return part.map((one) => filled(one, values));
  if (part === null || typeof part !== 'object') return part;
  return Object.fromEntries(Object.entries(part).map(([name, value]) => [name, filled(value, values)]));
}

function json(folder: string, name: string): Record<string, unknown> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder().decode(read(folder, name)));
  } catch (cause) {
    if (cause instanceof WatchpostError) throw cause;
    throw new WatchpostError('bad-input', `${join(folder, name)} is not JSON.`, { cause });
  }
  const record = v.safeParse(v.record(v.string(), v.unknown()), parsed);
  if (!record.success) throw new WatchpostError('bad-input', `${join(folder, name)} is not a JSON object.`);
  return record.output;
}

function read(folder: string, name: string): Uint8Array {
  try {
    return new Uint8Array(readFileSync(join(folder, name)));
  } catch (cause) {
    throw new WatchpostError('bad-input', `The file ${join(folder, name)} cannot be read.`, { cause });
  }
}
