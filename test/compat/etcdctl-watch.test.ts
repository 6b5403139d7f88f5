/**
 * `etcdctl watch` says the same of etcd and of Holdfast: of the past, of what happens while it
 * watches, and of what it cannot have. Each watch goes to another of Holdfast's members.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasEtcd } from './etcd-server.ts';
import { EtcdctlProcess, killEtcdctlProcesses } from './etcdctl-process.ts';
import { runEtcdctl } from './etcdctl-runner.ts';
import { type Sides, startSides } from './sides.ts';

const hasReference = hasEtcd();

/** A watch, and how much of the past it should print. */
interface Case {
  readonly args: readonly string[];
  readonly stdin?: string;
  /** Lines of its output, errors included, to wait for. */
  readonly lines: number;
}

/** Written before the watches begin: revisions 2 to 9. */
const past: readonly (readonly string[])[] = [
  ['put', 'w/a', '1'],
  ['put', 'w/b', '2'],
  ['put', 'w/a', '3'],
  ['del', 'w/b'],
  ['put', 'w/c', '4'],
  ['put', 'other', '5'],
  ['txn'],
  ['del', 'w/', '--prefix'],
];
const txn = '\nput w/a "6"\nput w/d "7"\n\n\n';

const cases: readonly Case[] = [
  { args: ['w/a', '--rev=2'], lines: 12 },
  { args: ['w/', '--prefix', '--rev=2'], lines: 29 },
  { args: ['w/', '--prefix', '--rev=2', '--prev-kv'], lines: 41 },
  { args: ['w/', '--prefix', '--rev=5'], lines: 20 },
  { args: ['w/a', 'w/c', '--rev=2'], lines: 18 },
  { args: ['w/', '--prefix', '--rev=8', '-w', 'json'], lines: 1 },
  { args: ['w/', '--prefix', '--rev=8', '-w', 'fields'], lines: 30 },
  { args: ['w/d', '--rev=2', '--', 'echo', 'got'], lines: 7 },
  {
    args: ['w/d', '--rev=2', '--', 'sh', '-c', 'env | grep ^ETCD_WATCH | sort'],
    lines: 13,
  },
  { args: ['-i'], stdin: 'watch --prefix w/ --rev=8\n', lines: 13 },
  { args: ['w/b', 'w/a'], lines: 1 },
  { args: ['w/a', '--rev=2', '--hex'], lines: 12 },
  { args: ['-i'], stdin: 'watch quiet\nprogress\n', lines: 1 },
  { args: ['-i'], stdin: 'watch w/d --rev=2 -- echo got\n', lines: 7 },
  { args: ['-i'], stdin: 'watch w/a w/c --rev=7 --prev-kv\n', lines: 9 },
  { args: ['-i'], stdin: 'nonsense\nwatch\n', lines: 2 },
  { args: ['-i'], stdin: 'watch w/ w/z --prefix\nwatch w/d --rev=9\n', lines: 4 },
  { args: [], lines: 1 },
  { args: ['a', '--'], lines: 1 },
  { args: ['a', 'b', '--prefix'], lines: 1 },
  { args: ['a', '--rev=now'], lines: 1 },
  { args: ['w/d', '--rev=2', '--', 'false'], lines: 4 },
];

let sides: Sides;

/** What a watch prints until it has printed so many lines, and no more for a moment, or ends. */
async function watch(endpoint: string, { args, stdin = '', lines }: Case): Promise<string> {
  const process = EtcdctlProcess.start(endpoint, ['watch', ...args]);
  process.write(stdin);
  await process.lines(lines);
  await process.quiet();
  await process.end('SIGTERM');
  return process.output;
}

/** Ids and terms differ between any two clusters. */
function comparable(output: string): string {
  return output
    .replace(/("(?:cluster_id|member_id|raft_term)":)\d+/g, '$1N')
    .replace(/("(?:ClusterID|MemberID|RaftTerm)" : )\d+/g, '$1N');
}

async function put(endpoints: readonly string[], key: string): Promise<void> {
  await Promise.all(endpoints.map(async (endpoint) => runEtcdctl(endpoint, ['put', key, 'live'])));
}

describe.runIf(hasReference)('etcdctl watch', () => {
  beforeAll(async () => {
    sides = await startSides();
    for (const endpoint of [sides.etcd, sides.holdfast.endpoints[0] ?? '']) {
      for (const args of past) {
        await runEtcdctl(endpoint, args, args[0] === 'txn' ? txn : '');
      }
    }
  });

  afterAll(async () => {
    killEtcdctlProcesses();
    await sides.stop();
  });

  test.each(cases.map((each, at) => [each.args.join(' '), each, at] as const))(
    'prints the same for %s',
    async (_, each, at) => {
      const { endpoints } = sides.holdfast;
      const [ofEtcd, ofHoldfast] = await Promise.all([
        watch(sides.etcd, each),
        watch(endpoints[at % endpoints.length] ?? '', each),
      ]);

      expect(comparable(ofHoldfast)).toBe(comparable(ofEtcd));
      expect(ofEtcd.split('\n').length).toBeGreaterThan(each.lines);
    },
  );

  test('prints what happens while it watches', async () => {
    const [holdfast = ''] = sides.holdfast.endpoints;
    const each = { args: ['live', '--rev=10'], lines: 9 };
    const watching = Promise.all([watch(sides.etcd, each), watch(holdfast, each)]);

    for (let i = 0; i < 3; i++) {
      await put([sides.etcd, holdfast], 'live');
    }

    const [ofEtcd, ofHoldfast] = await watching;
    expect(ofHoldfast).toBe(ofEtcd);
    expect(ofEtcd).toBe('PUT\nlive\nlive\n'.repeat(3));
  });

  test('says what is compacted', async () => {
    const [holdfast = ''] = sides.holdfast.endpoints;
    await Promise.all(
      [sides.etcd, holdfast].map(async (endpoint) => runEtcdctl(endpoint, ['compact', '6'])),
    );

    const each = { args: ['w/a', '--rev=3'], lines: 1 };
    const [ofEtcd, ofHoldfast] = await Promise.all([
      watch(sides.etcd, each),
      watch(holdfast, each),
    ]);

    expect(ofHoldfast).toBe(ofEtcd);
    expect(ofEtcd).toContain('required revision has been compacted');
  });
});
