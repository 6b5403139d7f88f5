/**
 * Type-aware lint rules. Three ideas beyond the presets: a promise never floats, the core is pure
 * (no promises, clocks or chance in `raft`, `kv` and `replica.ts`), and only the composition roots
 * in `src/cli` touch the process and real time.
 */
import eslint from '@eslint/js';
import tseslint from 'typescript-eslint';

const coreFiles = [
  'src/raft/**/*.ts',
  'src/kv/**/*.ts',
  'src/replica/replica.ts',
  'src/replica/submission.ts',
];
const timersHint = 'Take the Timers or EventLoop port of src/base as an argument.';
const clockHint = 'Take the MonotonicClock or Timers port of src/base as an argument.';

const banned = (names, message) => names.map((name) => ({ name, message }));
const shellGlobals = [
  ...banned(['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask'], timersHint),
  ...banned(['performance'], clockHint),
];
const pureGlobals = [...shellGlobals, ...banned(['Date'], clockHint)];
const coreGlobals = [
  ...pureGlobals,
  ...banned(['Promise'], 'The core is synchronous: return what is to be done as data.'),
];

const processProperties = [
  { object: 'process', property: 'env', message: 'Only src/cli reads the environment.' },
  { object: 'process', property: 'argv', message: 'Only src/cli reads the arguments.' },
  { object: 'process', property: 'exit', message: 'Throw, or report to the owner in src/cli.' },
  { object: 'process', property: 'hrtime', message: clockHint },
  { object: 'Date', property: 'now', message: clockHint },
];
const pureProperties = [
  ...processProperties,
  { object: 'Math', property: 'random', message: 'Take the Prng port of src/base.' },
];

const wallClockSyntax = [{ selector: "NewExpression[callee.name='Date']", message: clockHint }];
const asyncSyntax = [
  { selector: 'AwaitExpression', message: 'The core never waits: return an effect.' },
  { selector: ':function[async=true]', message: 'The core is synchronous: return an effect.' },
  { selector: 'ForOfStatement[await=true]', message: 'The core never waits: return an effect.' },
];
const spreadSyntax = [
  {
    selector: "CallExpression[callee.property.name='push'] > SpreadElement",
    message: 'Very many arguments do not fit on the stack: use append of src/base.',
  },
];

const defaultExportSyntax = [
  { selector: 'ExportDefaultDeclaration', message: 'Export by name: one name per thing.' },
];

export default tseslint.config(
  { ignores: ['dist/', 'coverage/', 'node_modules/', 'src/wire/generated/', '**/*.d.ts'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    files: ['**/*.ts'],
    extends: [
      eslint.configs.recommended,
      tseslint.configs.strictTypeChecked,
      tseslint.configs.stylisticTypeChecked,
    ],
    languageOptions: {
      parserOptions: { project: ['./tsconfig.json'], tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/promise-function-async': ['error', { checkArrowFunctions: false }],
      '@typescript-eslint/prefer-readonly': 'error',
      '@typescript-eslint/return-await': ['error', 'error-handling-correctness-only'],
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: 'only-allowed-literals' },
      ],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrors: 'all' },
      ],
      // An async function without await is how a port's memory twin keeps its promise shape.
      '@typescript-eslint/require-await': 'off',
      // It would rewrite `as number` to `!`, which no-non-null-assertion forbids.
      '@typescript-eslint/non-nullable-type-assertion-style': 'off',
      // Reading an array backwards by index is fine; so is a counted loop over bytes.
      '@typescript-eslint/prefer-for-of': 'off',
      'no-console': 'error',
      eqeqeq: 'error',
      curly: ['error', 'all'],
      'max-depth': ['error', 4],
      'no-restricted-syntax': ['error', ...defaultExportSyntax],
    },
  },
  {
    files: ['src/**/*.ts'],
    rules: {
      'max-lines-per-function': ['error', { max: 70, skipComments: true, skipBlankLines: true }],
      'max-lines': ['error', { max: 800 }],
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/cli/**', 'src/client/defaults.ts'],
    rules: {
      'no-restricted-globals': ['error', ...shellGlobals],
      'no-restricted-properties': ['error', ...processProperties],
      'no-restricted-syntax': ['error', ...defaultExportSyntax, ...wallClockSyntax],
    },
  },
  {
    files: ['src/base/**/*.ts', ...coreFiles],
    rules: {
      'no-restricted-globals': ['error', ...pureGlobals],
      'no-restricted-properties': ['error', ...pureProperties],
    },
  },
  {
    files: coreFiles,
    rules: {
      'no-restricted-globals': ['error', ...coreGlobals],
      'no-restricted-syntax': [
        ...['error', ...defaultExportSyntax],
        ...[...wallClockSyntax, ...asyncSyntax, ...spreadSyntax],
      ],
    },
  },
  {
    files: ['chaos/**/*.ts'],
    rules: {
      'max-lines-per-function': ['error', { max: 70, skipComments: true, skipBlankLines: true }],
    },
  },
  {
    // A verdict depends on the history alone.
    files: ['chaos/checkers/**/*.ts'],
    rules: {
      'no-restricted-globals': ['error', ...pureGlobals],
      'no-restricted-properties': ['error', ...pureProperties],
    },
  },
  {
    // The command line's output is its purpose.
    files: ['src/cli/**/*.ts'],
    rules: { 'no-console': 'off' },
  },
  {
    // Vitest reads its configuration from a default export; nothing imports it.
    files: ['*.config.ts'],
    rules: { 'no-restricted-syntax': 'off' },
  },
  {
    // Tests name what they expect; a helper's return type is read off its use.
    files: ['test/**/*.ts', 'chaos/**/*.ts'],
    rules: { '@typescript-eslint/explicit-module-boundary-types': 'off' },
  },
  {
    // Drills report the distributions they measured.
    files: ['test/drills/**/*.ts', 'chaos/**/*.ts'],
    rules: { 'no-console': 'off' },
  },
  {
    files: ['*.js', '*.mjs', '.*.mjs', 'bin/**'],
    extends: [eslint.configs.recommended],
  },
);
