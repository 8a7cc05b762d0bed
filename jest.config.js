/** Tests run the TypeScript as it stands: the transform only strips types, as Node itself does. */
export default {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '\\.ts$': '<rootDir>/test/support/strip-types.js' },
  moduleFileExtensions: ['ts', 'js', 'json', 'mjs', 'cjs'],
  // A wire server on a busy machine is several times slower than the file: its time is no finding.
  testTimeout: process.env.MONGODB_URI ? 120_000 : 30_000,
  watchman: false,
  maxWorkers: 2,
};
