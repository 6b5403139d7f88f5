/**
 * Which module may import which. A module is a folder of `src`; what it may use is one line of the
 * table below. Each rule's comment says what to do when it fires.
 */

/** Module → the modules of `src` it may import besides itself. `cli` may import all. */
const mayImport = {
  base: [],
  wire: ['base'],
  raft: ['base'],
  kv: ['base'],
  storage: ['base', 'raft'],
  observability: ['base'],
  tls: ['base'],
  transport: ['base', 'raft', 'wire', 'observability', 'tls'],
  replica: ['base', 'raft', 'kv', 'storage', 'transport', 'observability'],
  rpc: ['base', 'replica', 'kv', 'wire', 'observability', 'tls'],
  client: ['base', 'wire'],
};

const tableRules = Object.entries(mayImport).map(([module, allowed]) => ({
  name: `${module}-imports-by-the-table`,
  comment:
    `src/${module} may import ${allowed.length === 0 ? 'no other module' : allowed.join(', ')}. ` +
    'Take what is missing as an argument (a port), or move it to the module that owns it. ' +
    'A new arrow in the table needs a record in docs/adr.',
  severity: 'error',
  from: { path: `^src/${module}/` },
  to: { path: '^src/', pathNot: `^src/(${[module, ...allowed].join('|')})/` },
}));

/** Modules that may use another one's types but none of its code. */
const typesOnly = (module, target) => ({
  name: `${module}-uses-types-of-${target}-only`,
  comment: `src/${module} knows the shapes of src/${target}, not its code: write \`import type\`.`,
  severity: 'error',
  from: { path: `^src/${module}/` },
  to: { path: `^src/${target}/`, dependencyTypesNot: ['type-only'] },
});

const npmOnlyIn = (name, packages, paths, hint) => ({
  name,
  comment: hint,
  severity: 'error',
  from: { path: '^src/', pathNot: paths },
  to: { path: `(^|/)node_modules/(${packages})(/|$)` },
});

const pure = (name, module) => ({
  name,
  comment:
    `src/${module} is pure: it uses neither packages nor Node's own modules. Do the input and output ` +
    'in src/replica/driver.ts or an adapter, and pass data in and out.',
  severity: 'error',
  from: { path: `^src/${module}/` },
  to: { dependencyTypes: ['core', 'npm', 'npm-dev', 'npm-no-pkg', 'npm-unknown'] },
});

export default {
  forbidden: [
    {
      name: 'no-circular',
      comment: 'Two files that need each other are one idea, or share a third: extract that one.',
      severity: 'error',
      // Generated types follow the contracts, which may be recursive.
      from: { pathNot: '^src/wire/generated/' },
      to: { circular: true },
    },
    {
      name: 'no-orphans',
      comment: 'Nothing imports this file and it imports nothing: delete it, or wire it in.',
      severity: 'error',
      from: { orphan: true, path: '^src/', pathNot: ['\\.d\\.ts$', '^src/wire/generated/'] },
      to: {},
    },
    {
      name: 'not-unreachable-from-cli',
      comment:
        'Neither the command nor the client library reaches this file: delete it, move it to test/, ' +
        'or wire it in.',
      severity: 'error',
      from: { path: '^src/(cli/[^/]+|client/index|cli/testing/index)\\.ts$' },
      // The memory engine is the reference that tests hold RocksDB to; main.ts is what
      // bin/holdfast starts, client/index.ts and testing/index.ts what users import.
      to: {
        path: '^src/',
        pathNot: [
          '\\.d\\.ts$',
          '^src/cli/main\\.ts$',
          '^src/client/index\\.ts$',
          '^src/cli/testing/index\\.ts$',
          '^src/storage/engine-memory\\.ts$',
          '^src/wire/generated/',
        ],
        reachable: false,
      },
    },
    {
      name: 'not-unresolvable',
      comment: 'This import leads nowhere: correct the path, or add the package.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'facade-only',
      comment: 'Import another module through its index.ts; if the name is missing there, ask why.',
      severity: 'error',
      from: { path: '^src/([^/]+)/' },
      to: { path: '^src/[^/]+/', pathNot: ['^src/$1/', '^src/[^/]+/index\\.ts$'] },
    },
    pure('base-is-leaf', 'base'),
    pure('raft-is-pure', 'raft'),
    pure('kv-is-pure', 'kv'),
    {
      name: 'replica-has-no-io',
      comment: 'src/replica gets clocks, disks and networks as arguments: use a port instead.',
      severity: 'error',
      from: { path: '^src/replica/' },
      to: { dependencyTypes: ['core', 'npm', 'npm-dev', 'npm-no-pkg', 'npm-unknown'] },
    },
    ...tableRules,
    typesOnly('storage', 'raft'),
    typesOnly('rpc', 'kv'),
    typesOnly('rpc', 'tls'),
    typesOnly('replica', 'storage'),
    typesOnly('replica', 'transport'),
    npmOnlyIn(
      'rocksdb-only-in-its-engine',
      'rocksdb-native',
      '^src/storage/(engine-rocksdb|rocksdb-families|rocksdb-reader)\\.ts$',
      'The engine is behind the Engine port: use the port of src/storage.',
    ),
    npmOnlyIn(
      'grpc-only-in-its-adapters',
      '@grpc/[^/]+',
      // The command composes servers (credentials), and its client commands call any etcd v3 member.
      '^src/(wire|transport|tls|rpc|client|cli)/',
      'gRPC stays in its adapters: call one of src/transport, src/tls, src/rpc or src/client.',
    ),
    npmOnlyIn(
      'proto-loader-only-in-wire',
      '@grpc/proto-loader',
      '^src/wire/',
      'The contracts are loaded in one place: use what src/wire exports.',
    ),
    npmOnlyIn(
      'pino-and-prom-only-in-observability',
      'pino|prom-client',
      '^src/observability/',
      'Take a logger or metrics of src/observability as an argument.',
    ),
    npmOnlyIn(
      'command-line-packages-only-in-cli',
      'commander|yaml|zod',
      '^src/cli/',
      'Arguments and configuration are read in src/cli and passed on as plain objects.',
    ),
    {
      name: 'toxiproxy-only-in-chaos',
      comment: 'Faults on the network belong to chaos/; tests in one process use test/harness.',
      severity: 'error',
      from: { path: '^(src|test)/', pathNot: '^test/chaos/' },
      to: { path: '(^|/)toxiproxy-node-client(/|$)' },
    },
    {
      name: 'file-system-only-in-adapters',
      comment:
        'Files are opened by src/storage, src/tls and src/cli (wire reads its contracts): use a port.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(storage|tls|cli|wire|rpc|transport)/' },
      to: { dependencyTypes: ['core'], path: '^(node:)?fs(/promises)?$' },
    },
    {
      name: 'processes-and-chance-only-in-cli',
      comment: 'Take the random source or the process as an argument; src/cli owns both.',
      severity: 'error',
      from: {
        path: '^src/',
        // The log draws a random salt per segment and the data directory asks who holds its lock.
        // Certificates are read by Node's crypto.
        pathNot: ['^src/cli/', '^src/storage/', '^src/tls/'],
      },
      to: {
        dependencyTypes: ['core'],
        path: '^(node:)?(crypto|child_process|cluster|timers(/promises)?)$',
      },
    },
    {
      name: 'src-not-to-test',
      comment: 'What ships may not depend on tests: move the shared part into src.',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|chaos|cluster)/' },
    },
    {
      name: 'not-to-dev-dep',
      comment: 'A development package is not installed where Holdfast runs: make it a dependency.',
      severity: 'error',
      from: { path: '^src/' },
      to: {
        dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'],
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'no-deprecated-core',
      comment: 'This module of Node is deprecated: use its successor.',
      severity: 'error',
      from: {},
      to: { dependencyTypes: ['core'], path: '^(node:)?(punycode|domain|constants|sys|_.*)$' },
    },
    {
      name: 'chaos-is-black-box',
      comment:
        'Chaos knows Holdfast as its users do: through src/client and the spawned command. That ' +
        'ports are looked for in one place tells it nothing.',
      severity: 'error',
      from: { path: '^chaos/' },
      to: {
        path: '^(src|test)/',
        pathNot: '^src/((client|base|wire)/index|cli/testing/free-ports)\\.ts$',
      },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^dist/' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    combinedDependencies: false,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      extensions: ['.ts', '.js', '.mjs', '.json'],
    },
  },
};
