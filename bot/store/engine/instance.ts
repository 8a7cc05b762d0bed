import { randomUUID } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { WatchpostError } from '../../errors.ts';

/** The right to be the one process that works in a folder. */
export type HeldFolder = { instanceId: string; release(): void };

// Kept here as well: a connection that is collected as garbage would let go of the folder.
const held = new Set<DatabaseSync>();

/**
 * Makes `folder` when it is not there and holds it until `release` or the end of the process, however it ends: the
 * lock is the operating system's, on a small file, held by an open exclusive transaction. Throws `start` with one
 * sentence when the folder cannot be written or another process holds it. Nobody else may open that file: on POSIX
 * systems closing any handle to it in this process would drop the lock.
 */
export function holdFolder(folder: string): HeldFolder {
  const path = resolve(folder);
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    // Tried with a file of our own, since permission bits say nothing to an administrator or on a read-only disk.
    writeFileSync(join(path, '.writable'), '', { mode: 0o600 });
  } catch (cause) {
    throw notWritable(path, cause);
  }
  const lock = takeLock(path);
  try {
    const instanceId = readOrMakeId(path);
    return {
      instanceId,
      release() {
        if (held.delete(lock)) lock.close();
      },
    };
  } catch (cause) {
    held.delete(lock);
    lock.close();
    throw notWritable(path, cause);
  }
}

function takeLock(path: string): DatabaseSync {
  let lock: DatabaseSync | undefined;
  try {
    const file = join(path, 'lock');
    lock = new DatabaseSync(file, { timeout: 0 });
    chmodSync(file, 0o600);
    lock.exec('BEGIN EXCLUSIVE');
    held.add(lock);
    return lock;
  } catch (cause) {
    lock?.close();
    const code = (cause as { errcode?: unknown }).errcode;
    if (code !== 5 && code !== 6) throw notWritable(path, cause);
    throw new WatchpostError('start', `Another Watchpost is already running in ${path}.`, {
      hint: 'Stop it first, or give this one its own folder with WATCHPOST_DATA.',
      cause,
    });
  }
}

/** Made once; a file that a crash cut short is made again (the lock is ours, nobody else writes it). */
function readOrMakeId(path: string): string {
  const file = join(path, 'instance-id');
  const known = readIfThere(file)?.trim() ?? '';
  if (/^[0-9a-f-]{36}$/.test(known)) return known;
  const made = randomUUID();
  writeFileSync(`${file}.new`, `${made}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
  return made;
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function notWritable(path: string, cause: unknown): WatchpostError {
  return new WatchpostError('start', `The data folder ${path} cannot be written.`, {
    hint: 'Give the user that runs Watchpost the right to write there, or name another folder in WATCHPOST_DATA.',
    cause,
  });
}
