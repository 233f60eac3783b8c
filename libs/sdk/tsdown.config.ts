import { defineConfig } from 'tsdown';

/**
 * Builds the published package, `libs/sdk/npm` (`npm run build:sdk`, then `npm pack ./libs/sdk/npm`). Its package.json is not in
 * this folder: it would become the scope in which `#contracts` is looked up.
 */
export default defineConfig({
  cwd: import.meta.dirname,
  entry: {
    index: 'index.ts',
    express: 'express/index.ts',
    kafka: 'kafka/index.ts',
    prometheus: 'prometheus/index.ts',
  },
  outDir: 'npm/dist',
  tsconfig: '../../tsconfig.json',
  format: ['esm', 'cjs'],
  platform: 'node',
  target: 'node20.19',
  // Small, and still readable in stack traces with --enable-source-maps.
  minify: true,
  sourcemap: true,
  dts: { sourcemap: false },
  failOnWarn: true,
  checks: { legacyCjs: false },
  deps: { neverBundle: [/^express$/, /^kafkajs$/, /^node:/], onlyBundle: [] },
  // One chunk for all that a verifying node loads, whatever entries share of it; the session calls are not in it.
  outputOptions: {
    codeSplitting: {
      groups: [{ name: 'core', test: /\/sdk\/(core|watch|http)\/(?!sessions-client)[a-z-]+\.ts$/ }],
    },
  },
  inputOptions: {
    preserveEntrySignatures: 'allow-extension',
    // As the package says of itself: what an entry does not use of `#contracts` stays out of it.
    treeshake: { moduleSideEffects: false },
    resolve: { conditionNames: ['curfew-source', 'import', 'node', 'default'] },
  },
});
