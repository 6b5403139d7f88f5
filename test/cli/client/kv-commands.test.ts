/** put, get, del, txn and compact as processes against a real member, and beside etcdctl. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectKv } from '../../harness/kv-client.ts';
import { freePorts, ProcessCluster } from '../../harness/processes.ts';
import { hasEtcdctl, type Run, runEtcdctl, runHoldfast } from './run.ts';

let directory: string;
let cluster: ProcessCluster;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-commands-'));
  cluster = await ProcessCluster.create([join(directory, 'n1')]);
  await cluster.startAll();
  const client = connectKv(cluster.endpoints[0] ?? '');
  await client.waitUntilReady(20_000);
  client.close();
});

afterAll(async () => {
  await cluster.stopAll();
  await rm(directory, { recursive: true, force: true });
});

async function holdfast(args: readonly string[], input?: string | Uint8Array): Promise<Run> {
  return runHoldfast(cluster.endpoints, args, input);
}

/** The output of a command that must succeed without a word on standard error. */
async function outputOf(args: readonly string[], input?: string | Uint8Array): Promise<string> {
  const { exitCode, stdout, stderr } = await holdfast(args, input);
  expect(stderr).toBe('');
  expect(exitCode).toBe(0);
  return stdout;
}

describe('against a member', () => {
  test('a key is put, read, changed and deleted', async () => {
    expect(await outputOf(['put', 'life/a', 'one'])).toBe('OK\n');
    expect(await outputOf(['get', 'life/a'])).toBe('life/a\none\n');
    expect(await outputOf(['put', 'life/a', 'two', '--prev-kv'])).toBe('OK\nlife/a\none\n');
    expect(await outputOf(['del', 'life/', '--prefix', '--prev-kv'])).toBe('1\nlife/a\ntwo\n');
    expect(await outputOf(['get', 'life/a'])).toBe('');
  });

  test('a value is read from standard input and printed byte for byte', async () => {
    const value = Buffer.from([0, 1, 0xff, 0x0a, 0x80]);

    expect(await outputOf(['put', 'bytes'], value)).toBe('OK\n');

    const { stdoutBytes } = await holdfast(['get', 'bytes', '--print-value-only']);
    expect(stdoutBytes).toEqual(Buffer.concat([value, Buffer.from('\n')]));
    expect(await outputOf(['get', 'bytes', '--hex'])).toBe(
      '\\x62\\x79\\x74\\x65\\x73\n\\x00\\x01\\xff\\x0a\\x80\n',
    );
  });

  test('an empty standard input is no value', async () => {
    const { exitCode, stderr } = await holdfast(['put', 'nothing']);

    expect(exitCode).toBe(2);
    expect(stderr).toContain('put: no value is given and standard input is empty');
    expect(await outputOf(['get', 'nothing', '--count-only'])).toBe('0\n');
  });

  test('a transaction from standard input takes the branch that its compares choose', async () => {
    await outputOf(['put', 'txn/a', 'x']);
    const text = 'value("txn/a") = "x"\n\nput txn/a "y\\x00"\nget txn/a\n\nput txn/b z\n\n';

    expect(await outputOf(['txn'], text)).toBe('SUCCESS\n\nOK\n\ntxn/a\ny\0\n');
    expect(await outputOf(['txn', '-i'], text)).toBe(
      'compares:\nsuccess requests (get, put, del):\nfailure requests (get, put, del):\n' +
        'FAILURE\n\nOK\n',
    );
  });

  test('a transaction that is cut off is not sent', async () => {
    const { exitCode, stderr } = await holdfast(['txn'], '\nput cut/a 1\n\n');

    expect(exitCode).toBe(2);
    expect(stderr).toContain('the input ends within the failure requests');
    expect(await outputOf(['get', 'cut/', '--prefix', '--count-only'])).toBe('0\n');
  });

  test('history before a compaction is gone, and a read of it says so', async () => {
    const { stdout } = await holdfast(['put', 'old', '1', '-w', 'json']);
    const { header } = JSON.parse(stdout) as { header: { revision: number } };
    const revision = String(header.revision);
    await outputOf(['put', 'old', '2']);
    const next = String(header.revision + 1);

    expect(await outputOf(['get', 'old', '--rev', revision, '-w', 'plain'])).toBe('1\n');
    expect(await outputOf(['compact', next, '--physical'])).toBe(`compacted revision ${next}\n`);
    const { exitCode, stderr } = await holdfast(['get', 'old', '--rev', revision]);

    expect(exitCode).toBe(1);
    expect(stderr).toBe(
      `holdfast: get failed at ${cluster.endpoints[0] ?? ''}: ` +
        'etcdserver: mvcc: required revision has been compacted [COMPACTED]; ' +
        'hint: use a later revision: what is older is gone\n',
    );
  });

  test('a write that is refused says that nothing was changed', async () => {
    const { exitCode, stdout, stderr } = await holdfast(['txn'], '\nput dup 1\nput dup 2\n\n\n');

    expect(exitCode).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toContain('[DUPLICATE_KEY]; outcome: rejected: nothing was changed; hint: ');
  });

  test('a request of any excess is told as too large, and that nothing was changed', async () => {
    for (const bytes of [1_900_000, 4_000_000]) {
      const { exitCode, stderr } = await holdfast(['put', 'big'], Buffer.alloc(bytes));

      expect(exitCode).toBe(1);
      expect(stderr).toContain('[REQUEST_TOO_LARGE]; outcome: rejected: nothing was changed');
    }
  });

  test('a dead endpoint is passed by, and alone it is an error of its own', async () => {
    const [port = 0] = await freePorts(1);
    const dead = `127.0.0.1:${port}`;
    const both = `${dead},${cluster.endpoints[0] ?? ''}`;

    expect(await outputOf(['put', 'over', '1', '--endpoints', both])).toBe('OK\n');
    const { exitCode, stderr } = await holdfast(['--endpoints', dead, 'put', 'over', '2']);

    expect(exitCode).toBe(4);
    expect(stderr).toContain(
      `cannot reach ${dead} (connect ECONNREFUSED ${dead}) [UNREACHABLE]; outcome: rejected`,
    );
    expect(await outputOf(['get', 'over', '-w', 'plain'])).toBe('1\n');
  });

  test('an unknown flag ends with 2 and one line', async () => {
    const { exitCode, stderr } = await holdfast(['get', 'a', '--nope']);

    expect(exitCode).toBe(2);
    expect(stderr).toBe("holdfast: unknown option '--nope' (see --help)\n");
  });
});

describe('beside etcdctl', () => {
  const cases: readonly (readonly [readonly string[], string?])[] = [
    [['put', 'c/b', '2']],
    [['put', 'c/b', '2', '--prev-kv']],
    [['put', 'c/c', '--', '-dash']],
    [['get', 'c/none']],
    [['get', 'c/', '--prefix', '--keys-only']],
    [['get', 'c/b', '--from-key', '--order=DESCEND', '--sort-by=VALUE', '--limit=2']],
    [['get', 'c/b', '--hex']],
    [['get', 'c/b', '-w=json']],
    [
      ['txn'],
      'mod("c/b") > "0"\nval("c/b") = "2"\n\nget c/ --prefix --limit=2\nget c/b --keys-only\n\n\n',
    ],
    [['txn', '-w', 'json'], '\nget c/b\n\n\n'],
    [['txn', '-i'], 'ver("c/b") = "0"\n\n\nget c/b\n\n'],
    [['endpoint', 'status']],
    [['member', 'list']],
    [['member', 'list', '-w', 'json']],
  ];

  /** Our names of etcdctl's commands. */
  const renamed: Readonly<Record<string, string>> = { endpoint: 'status', member: 'members' };

  test('the same commands print the same', async (context) => {
    if (!hasEtcdctl()) {
      process.stderr.write('etcdctl is not installed: the outputs are NOT compared with its own\n');
      context.skip();
    }
    const differing: unknown[] = [];
    for (const [args, input] of cases) {
      const [name = ''] = args;
      const ours = renamed[name] === undefined ? args : [renamed[name], ...args.slice(2)];
      const theirs = await runEtcdctl(cluster.endpoints, args, input);
      const { exitCode, stdout, stderr } = await holdfast(ours, input);
      expect(theirs.stderr).toBe('');
      if (stdout !== theirs.stdout || exitCode !== 0 || stderr !== '') {
        differing.push({ args, stdout, stderr, exitCode, etcdctl: theirs.stdout });
      }
    }

    expect(differing).toEqual([]);
  });

  test('a deletion prints the same', async (context) => {
    if (!hasEtcdctl()) {
      process.stderr.write('etcdctl is not installed: the outputs are NOT compared with its own\n');
      context.skip();
    }
    const args = ['del', 'd/', '--prefix', '--prev-kv'];
    const fill = '\nput d/a 1\nput d/b 2\n\n\n';
    await outputOf(['txn'], fill);
    const theirs = await runEtcdctl(cluster.endpoints, args);
    await outputOf(['txn'], fill);

    expect(await outputOf(args)).toBe(theirs.stdout);
    expect(theirs.stdout).toBe('2\nd/a\n1\nd/b\n2\n');
  });
});
