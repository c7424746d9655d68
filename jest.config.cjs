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
  // It only ends a test that hangs: no result may depend on the speed of the machine.
  testTimeout: 240_000,
  // More workers than cores, because tests mostly wait for stores and processes.
  maxWorkers: availableParallelism() + 1,
};
