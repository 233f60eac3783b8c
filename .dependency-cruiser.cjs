/** Dependencies point inward: domain <- application <- adapters <- apps. See ARCHITECTURE.md. */
const TESTS = '\\.(spec|spec-support|contract-test|system-test)\\.ts$|/testing/';
const lib = (names) => `^libs/(${names})/`;
const only = (name, from, allowed) => ({
  name,
  severity: 'error',
  from: { path: from, pathNot: '\\.(spec|spec-support|contract-test)\\.ts$' },
  to: { path: '^(libs|apps)/', pathNot: `${from}|${allowed}` },
});

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    only('domain-imports-nothing', lib('domain'), '^$'),
    {
      name: 'domain-is-pure',
      severity: 'error',
      from: { path: lib('domain'), pathNot: '\\.spec\\.ts$' },
      to: { dependencyTypes: ['npm', 'npm-dev'] },
    },
    only('contracts-import-nothing', lib('contracts'), '^$'),
    only('application-sees-domain-and-contracts', lib('application'), lib('domain|contracts')),
    only(
      'adapters-do-not-see-apps',
      lib('event-log|read-models|revocation-bus|keys|platform'),
      lib('domain|application|contracts|platform'),
    ),
    only(
      'watch-door-sees-the-bus',
      lib('watch-door'),
      lib('domain|application|contracts|platform|revocation-bus'),
    ),
    only('sdk-sees-contracts-only', lib('sdk'), lib('contracts')),
    {
      name: 'libraries-through-their-index',
      severity: 'error',
      from: { path: '^(apps|libs)/([^/]+)/', pathNot: TESTS },
      to: {
        path: '^libs/([^/]+)/',
        pathNot: ['^libs/[^/]+/index\\.ts$', '^$1/$2/', '^libs/sdk/[a-z-]+/index\\.ts$'],
      },
    },
    {
      name: 'tests-through-index-contract-or-testing',
      severity: 'error',
      from: { path: '^(apps|libs)/([^/]+)/' },
      to: {
        path: '^libs/([^/]+)/',
        pathNot: [
          '^libs/[^/]+/index\\.ts$',
          '^$1/$2/',
          '^libs/sdk/[a-z-]+/index\\.ts$',
          '^libs/[^/]+/contract\\.ts$',
          '^libs/[^/]+/testing/',
        ],
      },
    },
    {
      name: 'no-app-imports-an-app',
      severity: 'error',
      from: { path: '^apps/([^/]+)/' },
      to: { path: '^apps/', pathNot: '^apps/$1/' },
    },
    { name: 'not-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)dist/' },
    enhancedResolveOptions: {
      conditionNames: ['curfew-source', 'import', 'node', 'default', 'types'],
      exportsFields: ['exports'],
    },
  },
};
