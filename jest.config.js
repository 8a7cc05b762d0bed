/** Tests run the TypeScript as it stands: the transform only strips types, as Node itself does. */
export default {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '\\.ts$': '<rootDir>/test/support/strip-types.js' },
  moduleFileExtensions: ['ts', 'js', 'json', 'mjs', 'cjs'],
  testTimeout: 30_000,
  watchman: false,
  maxWorkers: 2,
};
