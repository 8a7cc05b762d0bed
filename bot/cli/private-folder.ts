import { lstatSync, mkdirSync } from 'node:fs';
import { userInfo } from 'node:os';
import { WatchpostError } from '../errors.ts';

/**
 * Makes `path` as a folder of this user alone, or takes the one that is there when it is just that. In a place where
 * everybody may write, somebody else may have made it first, to put a socket of his own there that secrets are sent to.
 * Throws `start`.
 */
export function privateFolder(path: string): string {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const there = lstatSync(path);
  if (!there.isDirectory() || there.uid !== userInfo().uid || (there.mode & 0o077) !== 0) {
    throw new WatchpostError('start', `The folder ${path} is not this user's alone.`, {
      hint: 'Find out who made it and remove it, or name a shorter folder in WATCHPOST_DATA.',
    });
  }
  return path;
}
