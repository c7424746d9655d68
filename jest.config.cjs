const { availableParallelism } = require('node:os');

module.exports = {
  projects: [
    '<rootDir>/libs/*',
    '<rootDir>/services/*',
    '<rootDir>/e2e',
    '<rootDir>/chaos',
    '<rootDir>/bench',
    '<rootDir>/conformance',
  ],
  reporters: ['<rootDir>/scripts/lib/progress-reporter.mjs'],
  testSequencer: '<rootDir>/scripts/lib/longest-first.mjs',
  // Only ends a test that hangs: no verdict may depend on how fast the machine is.
  testTimeout: 240_000,
  // Tests wait for stores and processes more than they compute.
  maxWorkers: availableParallelism() + 1,
};
