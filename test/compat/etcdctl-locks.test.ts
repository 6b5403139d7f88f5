/**
 * `etcdctl lock` and `etcdctl elect` do the same with etcd and with Holdfast: what they print, with
 * which code they end, who waits for whom, and what is left behind. Each scenario runs on both
 * sides, on Holdfast's with a member for each process.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EtcdctlProcess, killEtcdctlProcesses } from './etcdctl-process.ts';
import { hasEtcd } from './etcd-server.ts';
import { runEtcdctl } from './etcdctl-runner.ts';
import { type Sides, startSides } from './sides.ts';

/** One side of a scenario. */
interface Side {
  /** Starts `etcdctl` at the next endpoint. */
  start(...args: readonly string[]): EtcdctlProcess;
  /** Runs `etcdctl` to its end; output, errors and code as one text. */
  run(...args: readonly string[]): Promise<string>;
  /** Keys under a prefix. */
  keys(prefix: string): Promise<readonly string[]>;
}

type Scenario = (side: Side) => Promise<readonly unknown[]>;

let sides: Sides;

function sideOf(endpoints: readonly string[]): Side {
  let next = 0;
  const endpoint = (): string => endpoints[next++ % endpoints.length] ?? '';
  const run = async (...args: readonly string[]): Promise<string> => {
    const { stdout, stderr, exitCode } = await runEtcdctl(endpoint(), args);
    return `${stdout}${stderr}exit code ${exitCode}`;
  };
  return {
    start: (...args) => EtcdctlProcess.start(endpoint(), args),
    run,
    keys: async (prefix) => {
      const { stdout } = await runEtcdctl(endpoint(), ['get', prefix, '--prefix', '--keys-only']);
      return stdout.split('\n').filter((line) => line !== '');
    },
  };
}

/** Ids, which differ between any two clusters, and what follows from them. */
function masked(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value)
      .replace(/\/[0-9a-f]{12,16}/g, '/ID')
      .replace(/(\\"(?:cluster_id|member_id|raft_term|lease)\\":)\d+/g, '$1N')
      .replace(/(\\"key\\":\\")[^"\\]+/g, '$1KEY')
      .replace(/(\\"(?:ClusterID|MemberID|RaftTerm|Lease)\\" : )\d+/g, '$1N'),
  );
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const env = 'env | grep ^ETCD_LOCK | sort';

const scenarios: readonly (readonly [title: string, Scenario])[] = [
  ...[
    ['lock'],
    ['lock', 'a', 'true'],
    ['lock', 'a', '--', 'sh', '-c', env],
    ['lock', 'a', '--ttl=5', '--', 'sh', '-c', 'echo out; echo err >&2; exit 3'],
    ['lock', 'a', '--', 'sh', '-c', 'kill -9 $$'],
    ['lock', 'a', '--', '/nowhere/to/be/found'],
    ['lock', '', '--', 'echo', 'nameless'],
    ['lock', 'a/b c', '--', 'sh', '-c', env],
    ['lock', 'a', '--ttl=0', 'true'],
    ['lock', 'a', '--ttl=-1', 'true'],
    ['lock', 'a', '-w', 'table'],
    ['elect'],
    ['elect', 'e'],
    ['elect', 'e', 'p', 'q'],
    ['elect', 'e', 'p', '--listen'],
    ['elect', 'e', 'p', '-w', 'table'],
  ].map(
    (args) =>
      [args.join(' '), async (side) => [await side.run(...args)]] satisfies [string, Scenario],
  ),

  ...['simple', 'json', 'fields'].flatMap((form) =>
    (['SIGINT', 'SIGTERM'] as const).map(
      (signal) =>
        [
          `lock and elect, in the form ${form}, until ${signal}`,
          async (side) => {
            const lock = side.start('lock', 'held', '-w', form);
            await lock.lines(1);
            const codeOfLock = await lock.end(signal);
            const leader = side.start('elect', 'office', 'me', '-w', form);
            await leader.lines(1);
            const codeOfLeader = await leader.end(signal);
            const left = [await side.keys('held/'), await side.keys('office/')];
            return [lock.output, codeOfLock, leader.output, codeOfLeader, left];
          },
        ] satisfies [string, Scenario],
    ),
  ),

  [
    'a lock goes to who has waited longest',
    async (side) => {
      const first = side.start('lock', 'queue');
      await first.lines(2);
      const second = side.start('lock', 'queue', '--', 'echo', 'second');
      await until(async () => (await side.keys('queue/')).length === 2);
      const third = side.start('lock', 'queue', '--', 'echo', 'third');
      await until(async () => (await side.keys('queue/')).length === 3);
      const before = [second.output, third.output];
      const codes = [await first.end('SIGINT'), await second.ended(), await third.ended()];
      return [before, codes, second.output, third.output, await side.keys('queue/')];
    },
  ],
  [
    'a lock is waited for no more after SIGINT',
    async (side) => {
      const owner = side.start('lock', 'waited');
      await owner.lines(2);
      const waiting = side.start('lock', 'waited', '--', 'echo', 'mine');
      await until(async () => (await side.keys('waited/')).length === 2);
      const code = await waiting.end('SIGINT');
      const queue = await side.keys('waited/');
      // The last line alone: before it etcdctl logs its own cancelled call, or does not, by chance.
      const lastLine = waiting.output.trimEnd().split('\n').at(-1);
      return [code, lastLine, queue.length, await owner.end('SIGINT')];
    },
  ],
  [
    'a lock is free once its owner is gone without a word and its time is up',
    async (side) => {
      const owner = side.start('lock', 'gone', '--ttl=2');
      await owner.lines(2);
      const waiting = side.start('lock', 'gone', '--', 'echo', 'mine');
      await until(async () => (await side.keys('gone/')).length === 2);
      await owner.end('SIGKILL');
      return [await waiting.ended(), waiting.output];
    },
  ],
  [
    'a lock whose lease is revoked is lost',
    async (side) => {
      const owner = side.start('lock', 'revoked', '--ttl=2');
      await owner.lines(2);
      const [key = ''] = await side.keys('revoked/');
      await side.run('lease', 'revoke', key.split('/')[1] ?? '');
      return [await owner.ended(), owner.output];
    },
  ],
  [
    'an election goes to the next, and those who listen hear of each',
    async (side) => {
      const first = side.start('elect', 'seen', 'first');
      await first.lines(2);
      const listener = side.start('elect', 'seen', '-l');
      const inJson = side.start('elect', 'seen', '--listen', '-w', 'json');
      await Promise.all([listener.lines(2), inJson.lines(1)]);
      const second = side.start('elect', 'seen', 'second');
      await until(async () => (await side.keys('seen/')).length === 2);
      const codes = [await first.end('SIGINT')];
      await Promise.all([second.lines(2), listener.lines(4), inJson.lines(2)]);
      codes.push(await second.end('SIGTERM'));
      codes.push(await listener.end('SIGINT'), await inJson.end('SIGINT'));
      // The output on stdout alone: what etcdctl logs of its own cancelled calls comes by chance.
      return [codes, second.output, listener.stdout, inJson.stdout];
    },
  ],
  [
    'an election is lost with its lease',
    async (side) => {
      const leader = side.start('elect', 'lost', 'me');
      await leader.lines(2);
      const [key = ''] = await side.keys('lost/');
      await side.run('lease', 'revoke', key.split('/')[1] ?? '');
      return [await side.keys('lost/'), await leader.end('SIGINT')];
    },
  ],
];

describe.runIf(hasEtcd())('etcdctl with locks and elections', () => {
  beforeAll(async () => {
    sides = await startSides();
  });

  afterAll(async () => {
    killEtcdctlProcesses();
    await sides.stop();
  });

  test.each(scenarios)('%s', async (_title, scenario) => {
    const [expected, actual] = await Promise.all([
      scenario(sideOf([sides.etcd])),
      scenario(sideOf(sides.holdfast.endpoints)),
    ]);

    expect(masked(actual)).toEqual(masked(expected));
  });
});
