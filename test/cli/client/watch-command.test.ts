/** `watch` as a process against real members, and beside etcdctl. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectKv, type KvClient, waitForLeader } from '../../harness/kv-client.ts';
import { ProcessCluster } from '../../harness/processes.ts';
import { hasEtcdctl, runHoldfast, Running } from './run.ts';

const binary = fileURLToPath(new URL('../../../bin/holdfast', import.meta.url));

const quietMs = 300;
const children: ChildProcess[] = [];

let directory: string;
let cluster: ProcessCluster;
let clients: KvClient[];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-watch-'));
  cluster = await ProcessCluster.create(['n1', 'n2', 'n3'].map((name) => join(directory, name)));
  await cluster.startAll();
  clients = cluster.endpoints.map((endpoint) => connectKv(endpoint));
  await waitForLeader(clients, 20_000);
  await holdfast('put', 'w/a', '1');
  await holdfast('put', 'w/a', '2');
  await holdfast('del', 'w/a');
  await holdfast('put', 'w/b\tquoted "', '3');
});

afterAll(async () => {
  // One that a failed test has left.
  for (const child of children) {
    child.kill('SIGKILL');
  }
  for (const client of clients) {
    client.close();
  }
  await cluster.stopAll();
  await rm(directory, { recursive: true, force: true });
});

async function holdfast(...args: readonly string[]): Promise<string> {
  const { stdout, stderr } = await runHoldfast(cluster.endpoints, args);
  expect(stderr).toBe('');
  return stdout;
}

/** A watch that runs until it is stopped. */
class RunningWatch {
  stdout = '';
  stderr = '';
  readonly #child: ChildProcess;

  constructor(command: string, args: readonly string[], env: NodeJS.ProcessEnv) {
    this.#child = spawn(command, args, { env: { ...process.env, ...env } });
    children.push(this.#child);
    this.#child.stdout?.on('data', (chunk: Buffer) => {
      this.stdout += chunk.toString('latin1');
    });
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString('latin1');
    });
  }

  /** Waits until it has printed so many lines, then stops it; returns what it has printed. */
  async afterLines(count: number): Promise<string> {
    await this.lines(count);
    // Lines may be written one by one: the last event is whole once nothing more comes.
    for (let before = -1; before !== this.stdout.length; ) {
      before = this.stdout.length;
      await new Promise((resolve) => setTimeout(resolve, quietMs));
    }
    const closed = once(this.#child, 'close');
    this.#child.kill('SIGINT');
    await closed;
    return this.stdout;
  }

  async lines(count: number): Promise<void> {
    while (this.stdout.split('\n').length <= count && this.#child.exitCode === null) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}

function watching(...args: readonly string[]): RunningWatch {
  const env = { HOLDFAST_ENDPOINTS: cluster.endpoints.join(',') };
  return new RunningWatch(process.execPath, [binary, 'watch', ...args], env);
}

describe('watch', () => {
  test.each([
    ['simple', 'PUT\nw/a\n1\nw/a\n2\nDELETE\nw/a\n2\nw/a\n\n'],
    ['plain', 'PUT\t3\tw/a\t2\nDELETE\t4\tw/a\t\n'],
  ])('prints the past in the form %s', async (format, expected) => {
    const watch = watching('w/a', '--prev-kv', '--rev=3', `-w=${format}`);

    expect(await watch.afterLines(expected.split('\n').length - 1)).toBe(expected);
  });

  test.runIf(hasEtcdctl()).each([
    [['--prefix', 'w/', '--rev=2', '--prev-kv'], 16],
    [['--prefix', 'w/', '--rev=2', '-w=json'], 1],
    [['--prefix', 'w/', '--rev=2', '-w=fields'], 32],
    [['--prefix', 'w/', '--rev=2', '--', 'sh', '-c', 'env | grep ^ETCD_WATCH | sort'], 16],
  ])('prints what etcdctl prints: %s', async (args, count) => {
    const [endpoint = ''] = cluster.endpoints;
    const etcdctl = new RunningWatch('etcdctl', ['watch', ...args], {
      ETCDCTL_API: '3',
      ETCDCTL_ENDPOINTS: endpoint,
    });
    const ours = new RunningWatch(process.execPath, [binary, 'watch', ...args], {
      HOLDFAST_ENDPOINTS: endpoint,
    });

    const [expected, printed] = await Promise.all([
      // With a command, etcdctl prints each event, in three lines, before it runs that.
      etcdctl.afterLines(args.includes('--') ? count + 12 : count),
      ours.afterLines(count),
    ]);

    const isRunning = args.includes('--');
    const lines = expected.split('\n').filter((line) => !isRunning || line.startsWith('ETCD_'));
    expect(printed.trimEnd().split('\n')).toEqual(lines.join('\n').trimEnd().split('\n'));
  });

  test('goes on with another member when its own goes, and tells nothing twice', async () => {
    await holdfast('put', 'live', '0');
    const watch = watching('live', '-w=plain');
    await new Promise((resolve) => setTimeout(resolve, 500));
    await holdfast('put', 'live', '1');
    await watch.lines(1);

    await cluster.signal(0, 'SIGKILL');
    const rest = cluster.endpoints.slice(1);
    for (const value of ['2', '3']) {
      const { stderr } = await runHoldfast(rest, ['put', 'live', value, '--command-timeout=20s']);
      expect(stderr).toBe('');
    }

    const printed = await watch.afterLines(3);
    expect(printed.split('\n').map((line) => line.split('\t')[3])).toEqual([
      ...['1', '2', '3'],
      undefined,
    ]);
    expect(watch.stderr).toMatch(/going on from revision \d+/);
    await cluster.start(0);
    await waitForLeader(clients, 20_000);
  });

  test('reads from its input what to watch, until that ends', async () => {
    const watch = Running.holdfast(cluster.endpoints, ['watch', '-i', '-w=plain']);
    watch.write('nonsense\nwatch\nwatch "w/b\\tquoted \\"" --rev 2\n');
    await watch.lines(1);
    watch.write('progress\nwatch w/a --rev 4 -- sh -c "echo $ETCD_WATCH_EVENT_TYPE"\n');
    await watch.lines(3);
    watch.endInput();

    expect(await watch.ended()).toBe(0);
    expect(watch.stdout.split('\n').sort()).toEqual([
      '',
      '"DELETE"',
      'PUT\t5\tw/b\tquoted "\t3',
      expect.stringMatching(/^progress notify: \d+$/),
    ]);
    expect(watch.stderr).toContain('"nonsense" is neither "watch');
    expect(watch.stderr).toContain('takes a key and at most a range_end');
  });

  test('ends with an error when history is compacted, or a command fails', async () => {
    await holdfast('compact', '4');

    const compacted = await runHoldfast(cluster.endpoints, ['watch', 'w/a', '--rev=2']);
    const failing = await runHoldfast(cluster.endpoints, [
      'watch',
      'w/a',
      '--rev=4',
      '--',
      'false',
    ]);

    expect(compacted).toMatchObject({ exitCode: 1, stdout: '' });
    expect(compacted.stderr).toContain('history is compacted: begin at --rev 4 or later');
    expect(failing).toMatchObject({ exitCode: 1 });
    expect(failing.stderr).toContain('false has ended with 1');
  });

  test.each([
    [['a', 'b', 'c'], 'takes a key and at most a range_end'],
    [['a', '--'], 'needs a command after "--"'],
    [['a', '-w=table'], 'is no table'],
    [['-i', 'a'], 'leave out the key'],
    [[], 'takes a key and at most'],
    [['a', 'b', '--prefix'], 'takes no range_end together with'],
  ])('refuses %s', async (args, problem) => {
    const { exitCode, stderr } = await runHoldfast(cluster.endpoints, ['watch', ...args]);

    expect(exitCode).toBe(2);
    expect(stderr).toContain(problem);
  });

  test('says that nobody is there', async () => {
    const { exitCode, stderr } = await runHoldfast(['127.0.0.1:1'], ['watch', 'a']);

    expect(exitCode).toBe(4);
    expect(stderr).toContain('check --endpoints');
  });
});
