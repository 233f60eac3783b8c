/**
 * `node --import ./test/support/run-typescript.cjs some-file.ts` runs TypeScript from the source, as Jest does: through
 * swc, with `#name` standing for `libs/name/index.ts` and `./x.js` for `./x.ts`.
 */
const { existsSync } = require('node:fs');
const { readFile } = require('node:fs/promises');
const { register } = require('node:module');
const { fileURLToPath, pathToFileURL } = require('node:url');
const { isMainThread } = require('node:worker_threads');

const swcOptions = {
  swcrc: false,
  configFile: false,
  sourceMaps: 'inline',
  jsc: {
    target: 'es2023',
    parser: { syntax: 'typescript', decorators: true },
    transform: { legacyDecorator: true, decoratorMetadata: true },
    keepClassNames: true,
  },
  module: { type: 'es6' },
};

exports.resolve = (specifier, context, nextResolve) => {
  if (specifier.startsWith('.') && specifier.endsWith('.js') && context.parentURL?.endsWith('.ts')) {
    const source = new URL(specifier.replace(/\.js$/, '.ts'), context.parentURL);
    if (existsSync(source)) return { url: source.href, format: 'module', shortCircuit: true };
  }
  return nextResolve(specifier, { ...context, conditions: ['curfew-source', ...context.conditions] });
};

exports.load = async (url, context, nextLoad) => {
  if (!url.startsWith('file:') || !url.endsWith('.ts')) return nextLoad(url, context);
  const filename = fileURLToPath(url);
  const { transform } = require('@swc/core');
  const { code } = await transform(await readFile(filename, 'utf8'), { ...swcOptions, filename });
  return { format: 'module', source: code, shortCircuit: true };
};

// Node loads this file a second time, in the thread where the two hooks run.
if (isMainThread) register(pathToFileURL(__filename));
