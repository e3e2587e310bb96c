const project = (name, extra = {}) => ({
  displayName: name,
  rootDir: import.meta.dirname,
  testMatch: [`<rootDir>/test/${name}/**/*.test.ts`],
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: { target: 'es2023', parser: { syntax: 'typescript' } },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
  setupFiles: ['<rootDir>/test/property-seed.ts'],
  ...extra,
});

/** @type {import('jest').Config} */
const config = {
  projects: [
    'unit',
    'contract',
    'http',
    'e2e',
    'prompts',
    'architecture',
    'litellm',
    'browser',
    'faults',
    'attacks',
  ].map((name) => project(name)),
  // Many ESM test files grow a worker's memory (jest issue 14605): restart a worker that passed this size.
  workerIdleMemoryLimit: '1GB',
  testTimeout: 30_000,
  reporters: ['default', '<rootDir>/test/closing-line-reporter.js'],
};

export default config;
