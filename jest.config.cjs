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
  // Only ends a test that hangs: no verdict may depend on how fast the machine is.
  testTimeout: 240_000,
  // Tests wait for stores and processes more than they compute.
  maxWorkers: Math.max(2, availableParallelism() - 1),
};
