import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** jest's own program: its package does not export the file, so it is found beside its package.json. */
export const jestBin = join(
  dirname(createRequire(import.meta.url).resolve('jest/package.json')),
  'bin/jest.js',
);
