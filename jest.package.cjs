/** What the jest.config.cjs of all packages share: TypeScript through swc, workspace libs from their sources. */
module.exports = (displayName) => ({
  displayName,
  testEnvironment: 'node',
  testMatch: ['<rootDir>/{src,test}/**/*.test.ts'],
  globalSetup: require.resolve('./jest.global-setup.cjs'),
  globalTeardown: require.resolve('./jest.global-teardown.cjs'),
  setupFiles: ['reflect-metadata'],
  testEnvironmentOptions: { customExportConditions: ['posthorn-src', 'node', 'node-addons'] },
  // jose and uuid ship ES modules only.
  transformIgnorePatterns: ['/node_modules/(?!(?:\\.pnpm/)?(?:jose|uuid)(?:@|/))'],
  transform: {
    '^.+\\.[jt]s$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2022',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false },
        },
        module: { type: 'commonjs' },
      },
    ],
  },
});
