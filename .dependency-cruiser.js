// Dependencies point inward: kernel <- domain rooms <- serving, analytics <- adapters <- compose.
const DOMAIN = 'access|prompts|providers|experiments|ranking|statistics|ledger|serving|analytics';

/** @type {import('dependency-cruiser').IConfiguration} */
const config = {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'Break the cycle: move the shared type to the room both depend on.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'kernel-imports-nothing-of-ours',
      comment: 'The kernel is the bottom: move what needs another room out of it.',
      severity: 'error',
      from: { path: '^src/kernel' },
      to: { path: '^src/(?!kernel)' },
    },
    {
      name: 'rooms-meet-at-their-door',
      comment: "Import the other room's index.ts; export what you need there by name.",
      severity: 'error',
      from: { path: '^src/([^/]+)/' },
      to: {
        path: '^src/([^/]+)/.+',
        pathNot: [
          '^src/$1/',
          '^src/[^/]+/index\\.ts$',
          '^src/storage/[^/]+/index\\.ts$',
          '^src/providers/[^/]+/index\\.ts$',
        ],
      },
    },
    {
      name: 'domain-knows-no-adapter',
      comment: 'A domain room states a port; an adapter implements it and src/compose joins the two.',
      severity: 'error',
      from: { path: `^src/(${DOMAIN}|kernel|config)` },
      to: { path: '^src/(http|storage|events|cli|client|compose|main)' },
    },
    {
      name: 'domain-knows-no-technology',
      comment: 'Express, SQLite and the SDKs stay in their adapters.',
      severity: 'error',
      from: { path: `^src/(${DOMAIN})/`, pathNot: '^src/providers/(openai|anthropic|transport)' },
      to: { path: 'node_modules/(express|better-sqlite3|openai|@anthropic-ai|undici)/' },
    },
    {
      name: 'handlebars-lives-in-prompts',
      comment: 'Only the prompts room renders templates.',
      severity: 'error',
      from: { path: '^src/(?!prompts)' },
      to: { path: 'node_modules/handlebars/' },
    },
    {
      name: 'statistics-is-pure',
      comment: 'Statistics are pure functions over numbers.',
      severity: 'error',
      from: { path: '^src/statistics' },
      to: { path: '^src/(?!statistics|kernel)' },
    },
    {
      name: 'adapters-do-not-meet',
      comment: 'Adapters meet in src/compose only.',
      severity: 'error',
      from: { path: '^src/(http|storage|events)/' },
      to: { path: '^src/(http|storage|events|cli)/', pathNot: '^src/$1/' },
    },
    {
      name: 'storage-loads-little',
      comment:
        'Every thread loads what storage imports: of other rooms types only, so that no thread holds their schemas in memory.',
      severity: 'error',
      from: { path: '^src/storage' },
      to: {
        path: '^src/(?!storage|kernel|ledger)',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'client-stands-alone',
      comment: 'The client is shipped to recommenders: no import but node built-ins and its own files.',
      severity: 'error',
      from: { path: '^src/client' },
      to: { pathNot: ['^src/client', '^(node:)?[a-z_]+$'], dependencyTypesNot: ['core'] },
    },
    {
      name: 'dashboard-stands-alone',
      comment: 'The dashboard runs in a browser: it knows the gateway by its HTTP surface only.',
      severity: 'error',
      from: { path: '^src/dashboard' },
      to: { pathNot: ['^src/dashboard', 'node_modules/(preact|uplot)/'] },
    },
    {
      name: 'nobody-imports-the-dashboard',
      comment: 'It is built for the browser and served as files.',
      severity: 'error',
      from: { path: '^src/(?!dashboard)' },
      to: { path: '^src/dashboard' },
    },
    {
      name: 'no-test-code-in-production',
      comment: 'Move it to src or duplicate the idea.',
      severity: 'error',
      from: { path: '^src' },
      to: { path: '^(test|bench|examples)/' },
    },
    {
      name: 'no-dev-dependency-in-production',
      comment: 'List the package under dependencies.',
      severity: 'error',
      // What the dashboard needs is built into its files.
      from: { path: '^src/(?!dashboard)' },
      to: { dependencyTypes: ['npm-dev'], pathNot: 'node_modules/@types/' },
    },
    {
      name: 'not-to-unresolvable',
      comment: 'Fix the import path.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.tsx', '.js', '.json'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'default', 'node'],
    },
  },
};

export default config;
