const shared = {
  rootDir: import.meta.dirname,
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2023',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
          keepClassNames: true,
        },
        module: { type: 'es6' },
      },
    ],
  },
  moduleNameMapper: {
    '^#(contracts|domain|application|event-log|read-models|revocation-bus|watch-door|keys|platform|local-cluster|sdk|sdk/express|sdk/kafka)$':
      '<rootDir>/libs/$1/index.ts',
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
  modulePathIgnorePatterns: ['<rootDir>/dist', '<rootDir>/libs/sdk/npm/dist'],
};

/** `unit` needs nothing, `contract` a real PostgreSQL, `system` real processes and sockets; `chaos` breaks those. */
export default {
  projects: [
    {
      ...shared,
      displayName: 'unit',
      testMatch: ['<rootDir>/{apps,libs}/**/*.spec.ts', '<rootDir>/test/model/**/*.spec.ts'],
    },
    {
      ...shared,
      displayName: 'contract',
      setupFilesAfterEnv: ['<rootDir>/test/support/patience.ts'],
      testMatch: ['<rootDir>/{apps,libs}/**/*.contract-test.ts'],
      globalSetup: '<rootDir>/test/support/contract-setup.cjs',
      globalTeardown: '<rootDir>/test/support/contract-teardown.cjs',
    },
    {
      ...shared,
      displayName: 'system',
      setupFilesAfterEnv: ['<rootDir>/test/support/patience.ts'],
      testMatch: ['<rootDir>/test/system/**/*.system-test.ts'],
    },
    {
      ...shared,
      displayName: 'chaos',
      testMatch: ['<rootDir>/test/chaos/**/*.chaos-test.ts', '<rootDir>/test/chaos/**/*.spec.ts'],
    },
  ],
};
