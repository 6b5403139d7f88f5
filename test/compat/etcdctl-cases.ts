/**
 * The commands that etcd and Holdfast must answer alike, in the order in which they run; the state
 * grows from one to the next, from an empty store on. New ones go where their state is at hand:
 * `{revision}` in an argument or in the input stands for the store's revision at that moment
 * (`{revision-2}`, `{revision+9}`), so nothing shifts.
 *
 * Not to be had through `etcdctl` 3.4, and therefore in `raw-grpc-cases.ts`: counting only,
 * comparing leases (it panics), bounds on revisions, ranges in comparisons, nested transactions.
 */

/** One command. */
export interface EtcdctlCase {
  readonly args: readonly string[];
  readonly stdin?: string | undefined;
  /**
   * What etcd's command must end with, so that a slip in this table is noticed; 0 when not given.
   */
  readonly exitCode?: number | undefined;
}

/** The commands whose flags must all occur in the table. */
export const coveredCommands = ['put', 'get', 'del', 'txn', 'compaction'] as const;

const refusedExitCode = 1;
const badInputExitCode = 3;
const badFeatureExitCode = 4;
const badArgumentsExitCode = 128;

function run(...args: string[]): EtcdctlCase {
  return { args };
}

function refused(...args: string[]): EtcdctlCase {
  return { args, exitCode: refusedExitCode };
}

function badArguments(...args: string[]): EtcdctlCase {
  return { args, exitCode: badArgumentsExitCode };
}

function badFeature(...args: string[]): EtcdctlCase {
  return { args, exitCode: badFeatureExitCode };
}

interface TxnLines {
  readonly compare?: readonly string[];
  readonly success?: readonly string[];
  readonly failure?: readonly string[];
}

/** A transaction as `etcdctl` reads it: three blocks of lines, each ended by an empty one. */
function txn(lines: TxnLines, ...flags: string[]): EtcdctlCase {
  const blocks = [lines.compare ?? [], lines.success ?? [], lines.failure ?? []];
  const stdin = blocks.map((block) => `${block.map((line) => `${line}\n`).join('')}\n`).join('');
  return { args: ['txn', ...flags], stdin };
}

/** A transaction that only tells which branch it takes. */
function decide(...compare: string[]): EtcdctlCase {
  return txn({ compare, success: ['get yes'], failure: ['get no'] }, '-w', 'fields');
}

const emptyStore: readonly EtcdctlCase[] = [
  run('get', 'missing'),
  run('get', 'missing', '-w', 'json'),
  run('get', '', '--prefix', '-w', 'fields'),
  run('del', 'missing'),
  run('del', '', '--from-key', '-w', 'json'),
  refused('compaction', '{revision+1}'),
  refused('get', 'missing', '--rev={revision+1}'),
];

const puts: readonly EtcdctlCase[] = [
  run('put', 'a', '1'),
  run('put', 'a', '2', '--prev-kv'),
  run('put', 'a', '3', '--prev-kv', '-w', 'json'),
  run('put', 'new', 'x', '--prev-kv', '-w', 'fields'),
  run('put', 'new', 'y', '--prev-kv', '-w', 'fields'),
  run('put', 'new', 'z', '--prev-kv', '--hex'),
  run('put', 'new', 'z', '--prev-kv', '-w', 'protobuf'),
  run('put', 'empty', ''),
  run('put', 'spaces in key', 'two words', '-w', 'json'),
  run('put', 'unicode ☂', 'wert äöü', '--prev-kv'),
  { args: ['put', 'from-stdin'], stdin: 'several\nlines\n' },
  { args: ['put', 'from-stdin'], stdin: '', exitCode: badArgumentsExitCode },
  run('put', '--', '-dash', '-value'),
  run('put', 'a', '--ignore-value', '--prev-kv'),
  run('put', 'a', '--ignore-value', '-w', 'json'),
  refused('put', 'never', '--ignore-value'),
  run('put', 'a', '4', '--ignore-lease', '--prev-kv', '-w', 'fields'),
  refused('put', 'never', 'x', '--ignore-lease'),
  refused('put', 'a', 'x', '--ignore-lease', '--lease=1f'),
  run('put', 'a', '--ignore-value', '--ignore-lease'),
  refused('put', 'a', 'x', '--lease=1234abcd'),
  run('put', 'a', '5', '--lease=0'),
  badArguments('put', 'a', 'x', '--lease=no-number'),
  badArguments('put', 'a', 'x', '--ignore-value'),
  refused('put', '', 'value of the empty key'),
  badArguments('put'),
  run('put', 'large', 'x'.repeat(100_000), '-w', 'json'),
  run('get', 'large', '--print-value-only'),
];

const orders = ['ASCEND', 'DESCEND'] as const;
const targets = ['CREATE', 'KEY', 'MODIFY', 'VALUE', 'VERSION'] as const;

const gets: readonly EtcdctlCase[] = [
  ...['k/1', 'k/3', 'k/2', 'k/10', 'k/'].map((key, at) => run('put', key, `v${(at * 3) % 5}`)),
  run('put', 'k/3', 'v9'),
  run('put', 'k/3', 'v8'),
  run('put', 'k/1', 'v7'),
  run('get', 'k/1'),
  run('get', 'k/1', '-w', 'fields'),
  run('get', 'k/1', '-w', 'json'),
  run('get', 'k/1', '-w', 'protobuf'),
  badFeature('get', 'k/1', '-w', 'table'),
  run('get', 'k/1', '--hex'),
  run('get', 'k/', '--prefix', '--hex', '-w', 'fields'),
  run('get', 'k/1', 'k/3'),
  run('get', 'k/3', 'k/1', '-w', 'json'),
  run('get', 'k/', '--prefix'),
  run('get', 'k/', '--prefix', '-w', 'json'),
  run('get', 'k/', '--prefix', '-w', 'protobuf'),
  run('get', '', '--prefix', '--keys-only'),
  run('get', 'k/2', '--from-key'),
  run('get', '', '--from-key', '--keys-only', '-w', 'json'),
  run('get', 'k/', '--prefix', '--limit=2'),
  run('get', 'k/', '--prefix', '--limit=2', '-w', 'fields'),
  run('get', 'k/', '--prefix', '--limit=5', '-w', 'json'),
  run('get', 'k/', '--prefix', '--limit=-1', '-w', 'json'),
  run('get', 'k/', '--prefix', '--keys-only'),
  run('get', 'k/', '--prefix', '--keys-only', '-w', 'json'),
  run('get', 'k/', '--prefix', '--print-value-only'),
  ...targets.flatMap((target) => [
    run('get', 'k/', '--prefix', `--sort-by=${target}`, '-w', 'fields'),
    ...orders.flatMap((order) => [
      run('get', 'k/', '--prefix', `--sort-by=${target}`, `--order=${order}`),
      run('get', 'k/', '--prefix', `--sort-by=${target}`, `--order=${order}`, '--limit=3'),
    ]),
  ]),
  run('get', 'k/', '--prefix', '--order=DESCEND', '--limit=2', '-w', 'json'),
  run('get', 'k/3', '--rev={revision-1}', '-w', 'fields'),
  run('get', 'k/3', '--rev={revision-2}', '-w', 'json'),
  run('get', 'k/', '--prefix', '--rev={revision-4}'),
  run('get', 'k/', '--prefix', '--rev={revision-4}', '--order=DESCEND', '--sort-by=MODIFY'),
  run('get', 'k/1', '--rev={revision}'),
  run('get', 'k/1', '--rev=-1'),
  run('get', 'a', '--rev=1', '-w', 'json'),
  refused('get', 'k/1', '--rev={revision+1}'),
  run('get', 'k/', '--prefix', '--consistency=s'),
  run('get', 'k/1', '--consistency=s', '-w', 'json'),
  run('get', 'k/1', '--consistency=l'),
  refused('get', 'k/1', '--rev={revision+5}', '--consistency=s'),
  run('get', 'k/1', '--command-timeout=20s', '--dial-timeout=5s'),
  refused('get', ''),
  refused('get', '', '-w', 'json'),
  badFeature('get', 'k/1', '--order=UPWARD'),
  badFeature('get', 'k/1', '--sort-by=COLOUR'),
  badFeature('get', 'k/1', '--consistency=x'),
  badArguments('get', 'k/1', '--prefix', '--from-key'),
];

const dels: readonly EtcdctlCase[] = [
  run('del', 'k/10'),
  run('del', 'k/10', '-w', 'json'),
  run('del', 'k/1', '--prev-kv'),
  run('put', 'k/1', 'again', '--prev-kv', '-w', 'fields'),
  run('get', 'k/1', '-w', 'json'),
  run('get', 'k/1', '--rev={revision-1}', '-w', 'json'),
  run('get', 'k/1', '--rev={revision-2}', '-w', 'json'),
  run('del', 'k/1', 'k/3', '--prev-kv', '-w', 'json'),
  run('del', 'k/1', 'k/3', '--prev-kv', '-w', 'fields'),
  run('del', 'k/3', 'k/1'),
  run('del', 'k/', '--prefix', '--prev-kv', '-w', 'protobuf'),
  run('put', 'x', '1'),
  run('put', 'y', '2'),
  run('put', 'z', '3'),
  run('del', 'y', '--from-key', '--prev-kv'),
  refused('del', ''),
  run('del', 'x', '--hex', '--prev-kv'),
  badArguments('del', 'x', '--prefix', '--from-key'),
  run('get', '', '--prefix', '--keys-only', '--sort-by=MODIFY', '--order=DESCEND'),
];

const comparisons: readonly EtcdctlCase[] = [
  run('put', 't', '5'),
  run('put', 't', '6'),
  ...['=', '!=', '<', '>'].flatMap((sign) => [
    decide(`create("t") ${sign} "{revision-1}"`),
    decide(`create("t") ${sign} "{revision}"`),
    decide(`mod("t") ${sign} "{revision}"`),
    decide(`mod("t") ${sign} "{revision-1}"`),
    decide(`version("t") ${sign} "2"`),
    decide(`ver("t") ${sign} "1"`),
    decide(`value("t") ${sign} "6"`),
    decide(`val("t") ${sign} "50"`),
    decide(`mod("missing") ${sign} "0"`),
    decide(`val("missing") ${sign} "x"`),
  ]),
  decide('c("t") > "0"', 'm("t") > "0"'),
  decide('mod("t") > "0"', 'create("missing") = "0"', 'val("t") = "6"'),
  decide('mod("t") > "0"', 'create("missing") = "1"'),
  decide('create("missing") = "-1"'),
];

const txns: readonly EtcdctlCase[] = [
  txn({}),
  txn({}, '-w', 'json'),
  txn({ compare: ['mod("t") > "0"'], success: ['put t 7', 'put u 1'], failure: ['get t'] }),
  txn({ compare: ['mod("t") = "0"'], success: ['put t 8'], failure: ['get t', 'get u'] }),
  txn({ success: ['put t 9 --prev-kv', 'get t', 'del u --prev-kv', 'get u'] }, '-w', 'json'),
  txn({ success: ['put u 2', 'put v 3', 'get t w --limit=2', 'del t u', 'get t w'] }),
  txn({ success: ['put u 2', 'get u', 'put v 3', 'get v'] }, '-w', 'fields'),
  txn({ success: ['get u --rev={revision-1}', 'put u 4', 'get u'] }, '-w', 'json'),
  txn({ success: ['get "" --prefix --keys-only --order=DESCEND', 'put w 1'] }, '-w', 'protobuf'),
  txn({ success: ['put "quoted key" "quoted \\" value"', 'get "quoted key"'] }),
  txn({ success: ['put u --ignore-value --prev-kv'] }, '-w', 'json'),
  txn({ success: ['put u 5 --ignore-lease', 'get u'] }, '-w', 'fields'),
  txn({ success: ['del missing --prev-kv', 'get u'] }, '-w', 'json'),
  txn({ success: ['del "" --prefix --prev-kv'] }, '-w', 'json'),
  txn({ success: ['put u 6', 'get u'] }, '--interactive'),
  txn({ success: ['get u'] }, '-i', '--hex'),
  run('get', '', '--prefix', '-w', 'json'),
  { ...txn({ success: ['put u 1', 'put u 2'] }), exitCode: refusedExitCode },
  { ...txn({ success: ['put u 1', 'del u'] }), exitCode: refusedExitCode },
  { ...txn({ failure: ['put u 1', 'del a --prefix', 'del u v'] }), exitCode: refusedExitCode },
  // etcd's rule overlooks a deletion that has no end.
  txn({ success: ['put zz 1', 'del zy --from-key', 'get zz'] }, '-w', 'json'),
  txn({ success: ['del u', 'del u'] }),
  { ...txn({ success: ['put never --ignore-value'] }), exitCode: refusedExitCode },
  { ...txn({ success: ['put t 1', 'put never x --ignore-lease'] }), exitCode: refusedExitCode },
  run('get', 't'),
  { ...txn({ success: ['put t 1', 'put u 1 --lease=99'] }), exitCode: refusedExitCode },
  { ...txn({ success: ['put t 1', 'get t --rev={revision+2}'] }), exitCode: refusedExitCode },
  { ...txn({ success: ['put "" 1'] }), exitCode: refusedExitCode },
  { ...txn({ success: ['get ""'] }), exitCode: refusedExitCode },
  { ...txn({ failure: ['del ""'] }), exitCode: refusedExitCode },
  { ...txn({ compare: ['mod("") = "0"'] }), exitCode: refusedExitCode },
  {
    ...txn({ success: Array.from({ length: 129 }, (_, at) => `put many/${at} x`) }),
    exitCode: refusedExitCode,
  },
  txn({ success: Array.from({ length: 128 }, (_, at) => `put many/${at} x`) }, '-w', 'json'),
  { ...txn({ compare: ['no comparison'] }), exitCode: badInputExitCode },
  { ...txn({ compare: ['colour("t") = "0"'] }), exitCode: badInputExitCode },
  { ...txn({ compare: ['mod("t") = "word"'] }), exitCode: badInputExitCode },
  { ...txn({ success: ['fetch t'] }), exitCode: badInputExitCode },
  { ...txn({ success: ['get t --bogus'] }), exitCode: badInputExitCode },
];

const compactions: readonly EtcdctlCase[] = [
  run('put', 'c', '1'),
  run('put', 'c', '2'),
  run('del', 'c'),
  run('put', 'c', '3'),
  run('compaction', '{revision-3}'),
  run('get', 'c', '--rev={revision-3}', '-w', 'json'),
  refused('get', 'c', '--rev={revision-4}'),
  refused('get', 'c', '--rev=1', '--consistency=s'),
  refused('compaction', '{revision-3}'),
  refused('compaction', '{revision-4}'),
  refused('compaction', '0'),
  refused('compaction', '1'),
  refused('compaction', '{revision+1}'),
  refused('compaction', '--physical', '{revision+1}'),
  run('compaction', '--physical', '{revision-1}'),
  run('get', 'c', '--rev={revision-1}', '-w', 'json'),
  refused('get', 'c', '--rev={revision-2}'),
  { ...txn({ success: ['get c --rev={revision-2}'] }), exitCode: refusedExitCode },
  run('compaction', '--physical=true', '{revision}', '-w', 'json'),
  run('get', 'c', '-w', 'json'),
  run('get', 'c', '--rev={revision}', '-w', 'fields'),
  refused('compaction', '--physical', '{revision}'),
  refused('compaction', 'word'),
  badArguments('compaction'),
  run('put', 'c', '4', '--prev-kv', '-w', 'json'),
  run('get', '', '--prefix', '-w', 'json'),
  run('del', '', '--prefix', '--prev-kv'),
  run('get', '', '--prefix', '-w', 'json'),
  run('get', '', '--prefix', '--rev={revision-1}', '-w', 'json'),
];

/** The table. */
export const etcdctlCases: readonly EtcdctlCase[] = [
  ...emptyStore,
  ...puts,
  ...gets,
  ...dels,
  ...comparisons,
  ...txns,
  ...compactions,
];
