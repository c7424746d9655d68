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
  // Real stores and processes, on machines that may be busy with other things.
  testTimeout: 30_000,
  // Tests wait for stores and processes more than they compute.
  maxWorkers: Math.max(2, availableParallelism() - 1),
};
