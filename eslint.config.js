import eslint from '@eslint/js';
import tseslint from 'typescript-eslint';

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
  metrics: ['http', 'job', 'delivery', 'egress'],
  config: ['arbiter', 'egress', 'log'],
  tls: [],
  cli: ['arbiter', 'audit', 'client', 'tls', 'config', 'macaroon', 'egress', 'service', 'log'],
};
const leaves = [
  'bounded_file\\.js',
  'clock\\.js',
  'failure\\.js',
  'instant\\.js',
  'trace_context\\.js',
  'url\\.js',
  'version\\.js',
];

const layering = Object.entries(layers).map(([folder, allowed]) => ({
  files: [`src/${folder}/**/*.ts`],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: [
          {
            regex: `^\\.\\./(?!(?:${[...allowed.map((name) => `${name}(?:/|\\.js)`), ...leaves].join('|')}))`,
            message: `src/${folder} may import only from: ${allowed.join(', ') || 'nothing but leaves'}.`,
          },
          { regex: '^\\.\\./\\.\\./', message: 'src/ is one folder deep.' },
        ],
        paths: [{ name: 'node:process', message: 'main.ts alone touches the process.' }],
      },
    ],
  },
}));

export default tseslint.config(
  { ignores: ['dist/', 'build/', 'coverage/', 'node_modules/'] },
  eslint.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/consistent-type-definitions': 'off',
      'eqeqeq': 'error',
      'no-console': 'error',
      'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }],
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/main.ts'],
    rules: {
      'no-restricted-globals': ['error', { name: 'process', message: 'main.ts alone touches the process.' }],
    },
  },
  ...layering,
  {
    // The client library runs in browsers, and apart from the relay: it stands on itself and on what both have.
    files: ['src/client/**/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        { patterns: [{ regex: '^(?!\\./)', message: 'src/client imports nothing but itself.' }] },
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
    languageOptions: { globals: { process: 'readonly', console: 'readonly', URL: 'readonly' } },
  },
);
