// What oxlint checks: the rules of its category "correctness" and those listed below, with the types that
// oxlint-tsgolint takes from the nearest tsconfig.json. The folders of src/ come first, as layers.

/**
 * Which folders of src/ each folder may import from. Every arrow points towards the egress policy; none
 * points back, so no cycle between folders is possible. `failure` and `version` are leaves that anybody may use.
 */
const layers = {
  egress: [],
  macaroon: ['egress'],
  arbiter: [],
  log: [],
  delivery: ['egress'],
  job: ['delivery', 'egress'],
  journal: ['job', 'egress'],
  audit: ['delivery', 'egress', 'job', 'journal'],
  http: ['job', 'macaroon', 'egress', 'log'],
  ws: ['http', 'job', 'macaroon', 'egress', 'log'],
  page: [],
  admin: ['page', 'http', 'job', 'egress', 'log'],
  openapi: ['http', 'ws', 'job', 'egress'],
  metrics: ['audit', 'http', 'job', 'delivery', 'egress'],
  config: ['arbiter', 'egress', 'log'],
  tls: [],
  cli: ['arbiter', 'audit', 'client', 'tls', 'config', 'macaroon', 'egress', 'service', 'log'],
};
const leaves = [
  'bounded_file',
  'byte_list',
  'clock',
  'failure',
  'instant',
  'make_directory',
  'trace_context',
  'url',
  'version',
];

const processModule = { name: 'node:process', message: 'main.ts alone touches the process.' };

// The groups are read like a .gitignore: what a later pattern takes out with "!" may be imported.
const layering = Object.entries(layers).map(([folder, allowed]) => ({
  files: [`src/${folder}/**/*.ts`],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: [
          {
            group: [
              '../**',
              ...[...allowed, ...leaves].map((name) => `!../${name}.js`),
              ...allowed.map((name) => `!../${name}/**`),
            ],
            message: `src/${folder} may import only from: ${allowed.join(', ') || 'nothing but leaves'}.`,
          },
          { group: ['../../**'], message: 'src/ is one folder deep.' },
        ],
        paths: [processModule],
      },
    ],
  },
}));

/** Each of these rules as an error. */
const errors = (...rules) => Object.fromEntries(rules.map((rule) => [rule, 'error']));

export default {
  plugins: ['typescript', 'oxc'],
  categories: { correctness: 'error' },
  options: { typeAware: true, denyWarnings: true, reportUnusedDisableDirectives: 'error' },
  ignorePatterns: ['dist/', 'build/', 'coverage/', 'node_modules/'],
  rules: {
    ...errors(
      'no-case-declarations',
      'no-empty',
      'no-fallthrough',
      'no-prototype-builtins',
      'no-redeclare',
      'no-regex-spaces',
      'no-unexpected-multiline',
      'no-useless-assignment',
      'preserve-caught-error',
    ),
    // Without these patterns a name that begins with "_" may go unused.
    'no-unused-vars': ['error', { argsIgnorePattern: '^$', varsIgnorePattern: '^$' }],
  },
  overrides: [
    {
      files: ['**/*.ts'],
      rules: {
        ...errors(
          'eqeqeq',
          'no-array-constructor',
          'no-console',
          'no-empty-function',
          'no-useless-constructor',
          'no-var',
          'prefer-const',
          'prefer-rest-params',
          'prefer-spread',
        ),
        'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
        'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }],
        ...errors(
          'typescript/adjacent-overload-signatures',
          'typescript/array-type',
          'typescript/ban-tslint-comment',
          'typescript/class-literal-property-style',
          'typescript/consistent-generic-constructors',
          'typescript/consistent-indexed-object-style',
          'typescript/consistent-type-assertions',
          'typescript/consistent-type-imports',
          'typescript/dot-notation',
          'typescript/no-confusing-non-null-assertion',
          'typescript/no-deprecated',
          'typescript/no-dynamic-delete',
          'typescript/no-empty-object-type',
          'typescript/no-explicit-any',
          'typescript/no-extraneous-class',
          'typescript/no-generated-empty-object-type',
          'typescript/no-inferrable-types',
          'typescript/no-invalid-void-type',
          'typescript/no-misused-promises',
          'typescript/no-mixed-enums',
          'typescript/no-namespace',
          'typescript/no-non-null-asserted-nullish-coalescing',
          'typescript/no-non-null-assertion',
          'typescript/no-require-imports',
          'typescript/no-unnecessary-boolean-literal-compare',
          'typescript/no-unnecessary-condition',
          'typescript/no-unnecessary-template-expression',
          'typescript/no-unnecessary-type-arguments',
          'typescript/no-unnecessary-type-assertion',
          'typescript/no-unnecessary-type-constraint',
          'typescript/no-unnecessary-type-conversion',
          'typescript/no-unnecessary-type-parameters',
          'typescript/no-unsafe-argument',
          'typescript/no-unsafe-assignment',
          'typescript/no-unsafe-call',
          'typescript/no-unsafe-enum-comparison',
          'typescript/no-unsafe-function-type',
          'typescript/no-unsafe-member-access',
          'typescript/no-unsafe-return',
          'typescript/non-nullable-type-assertion-style',
          'typescript/only-throw-error',
          'typescript/prefer-find',
          'typescript/prefer-for-of',
          'typescript/prefer-function-type',
          'typescript/prefer-includes',
          'typescript/prefer-literal-enum-member',
          'typescript/prefer-nullish-coalescing',
          'typescript/prefer-optional-chain',
          'typescript/prefer-promise-reject-errors',
          'typescript/prefer-reduce-type-parameter',
          'typescript/prefer-regexp-exec',
          'typescript/prefer-return-this-type',
          'typescript/prefer-string-starts-ends-with',
          'typescript/related-getter-setter-pairs',
          'typescript/require-await',
          'typescript/unified-signatures',
          'typescript/use-unknown-in-catch-callback-variable',
        ),
        'typescript/ban-ts-comment': ['error', { minimumDescriptionLength: 10 }],
        'typescript/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
        'typescript/restrict-plus-operands': [
          'error',
          {
            allowAny: false,
            allowBoolean: false,
            allowNullish: false,
            allowNumberAndString: false,
            allowRegExp: false,
          },
        ],
        'typescript/restrict-template-expressions': ['error', { allowNumber: true }],
        'typescript/return-await': ['error', 'error-handling-correctness-only'],
        'typescript/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      },
    },
    {
      files: ['src/**/*.ts'],
      excludeFiles: ['src/main.ts'],
      rules: {
        'no-restricted-globals': ['error', { name: 'process', message: processModule.message }],
        'no-restricted-imports': ['error', { paths: [processModule] }],
      },
    },
    ...layering,
    {
      // The client library runs in browsers, and apart from the relay: it stands on itself and on what both have.
      files: ['src/client/**/*.ts'],
      rules: {
        'no-restricted-imports': [
          'error',
          { patterns: [{ group: ['*', '!./*'], message: 'src/client imports nothing but itself.' }] },
        ],
        'no-restricted-globals': [
          'error',
          ...['process', 'Buffer', 'global', 'setImmediate', 'clearImmediate', 'require'].map((name) => ({
            name,
            message: 'src/client runs in browsers too.',
          })),
        ],
      },
    },
    {
      files: ['test/**/*.ts'],
      rules: { 'max-lines-per-function': 'off' },
    },
    {
      files: ['**/*.js'],
      globals: { process: 'readonly', console: 'readonly', URL: 'readonly' },
      rules: { 'no-undef': 'error' },
    },
    {
      files: ['examples/browser/page.js'],
      globals: { document: 'readonly', fetch: 'readonly', location: 'readonly' },
    },
  ],
};
