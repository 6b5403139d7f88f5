/** alarm, defrag, move-leader and hashkv. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { KvError } from '../../../src/base/index.ts';
import { freePorts } from '../../harness/processes.ts';
import { run, type Server, startServer } from './in-process.ts';

let server: Server;
let other: Server;
let dead: string;

beforeEach(async () => {
  [server, other] = await Promise.all([startServer(), startServer()]);
  dead = `127.0.0.1:${String((await freePorts(1))[0])}`;
});

afterEach(async () => {
  await Promise.all([server.serving.close(), other.serving.close()]);
});

describe('alarm', () => {
  beforeEach(() => {
    server.member.activeAlarms = [
      { memberId: 1001, alarm: 'nospace' },
      { memberId: 1002, alarm: 'corrupt' },
    ];
  });

  test.each([
    ['simple', 'memberID:1001 alarm:NOSPACE \nmemberID:1002 alarm:CORRUPT \n'],
    ['plain', '3e9\tNOSPACE\n3ea\tCORRUPT\n'],
    [
      'json',
      '{"header":{"cluster_id":12,"member_id":1001,"revision":7,"raft_term":3},' +
        '"alarms":[{"memberID":1001,"alarm":1},{"memberID":1002,"alarm":2}]}\n',
    ],
    ['table', /\| 3e9 +\| NOSPACE \|\n\| 3ea +\| CORRUPT \|/],
    ['fields', /"MemberID" : 1001\n"AlarmType" : NOSPACE\n\n/],
  ])('list as %s', async (format, expected) => {
    const { exitCode, stdout } = await run(server.endpoint, 'alarm', 'list', '-w', format);

    expect(exitCode).toBe(0);
    expect(stdout).toMatch(expected);
  });

  test('disarm lifts every alarm and prints those it has lifted', async () => {
    const { exitCode, stdout } = await run(server.endpoint, 'alarm', 'disarm');

    expect(exitCode).toBe(0);
    expect(stdout).toBe('memberID:1001 alarm:NOSPACE \nmemberID:1002 alarm:CORRUPT \n');
    const set = server.member.asked.filter(({ method }) => method === 'setAlarm');
    expect(set).toMatchObject([
      { alarm: { memberId: 1001, alarm: 'nospace' }, isActive: false },
      { alarm: { memberId: 1002, alarm: 'corrupt' }, isActive: false },
    ]);
  });

  test('disarm without alarms changes nothing', async () => {
    server.member.activeAlarms = [];

    expect(await run(server.endpoint, 'alarm', 'disarm')).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: '',
    });
    expect(server.member.asked.map(({ method }) => method)).toEqual(['confirmRead']);
  });
});

describe('defrag', () => {
  test('asks every endpoint, prints those that are done, and fails with the others', async () => {
    const endpoints = `${server.endpoint},${dead},${other.endpoint}`;
    const { exitCode, stdout, stderr } = await run(endpoints, 'defrag');

    expect(exitCode).toBe(1);
    expect(stdout).toBe(
      `Finished defragmenting etcd member[${server.endpoint}]\n` +
        `Finished defragmenting etcd member[${other.endpoint}]\n`,
    );
    expect(stderr).toContain(`holdfast: defrag failed: cannot reach ${dead}`);
  });

  test('with --cluster asks the members that an endpoint lists', async () => {
    server.member.clusterMembers = other.member.clusterMembers;

    const { stdout } = await run(server.endpoint, 'defrag', '--cluster', '-w', 'plain');

    expect(stdout).toBe(`${other.endpoint}\n`);
    expect(server.member.asked).toEqual([]);
    expect(other.member.asked).toMatchObject([{ method: 'defragment' }]);
  });

  test.each([
    ['json', /^\[\{"endpoint":"[\d.:]+","done":true,"took":"[\d.]+ms"\}\]\n$/],
    ['table', /\| +true \| [\d.]+ms/],
    ['fields', /"Done" : true\n"Took" : [\d.]+ms\n"Error" : \n\n/],
  ])('as %s', async (format, expected) => {
    expect((await run(server.endpoint, 'defrag', '-w', format)).stdout).toMatch(expected);
  });
});

describe('hashkv', () => {
  beforeEach(() => {
    for (const { member } of [server, other]) {
      member.onHashKv = async (revision) =>
        Promise.resolve({ hash: 4711, hashRevision: revision, compactRevision: -1, revision: 7 });
    }
  });

  test.each([['hashkv'], ['endpoint hashkv']])('%s asks every endpoint', async (name) => {
    const endpoints = `${server.endpoint},${other.endpoint}`;
    const { exitCode, stdout } = await run(endpoints, ...name.split(' '));

    expect(exitCode).toBe(0);
    expect(stdout).toBe(`${server.endpoint}, 4711\n${other.endpoint}, 4711\n`);
  });

  test.each([
    ['plain', '\t4711\t5\n'],
    [
      'json',
      /"HashKV":\{"header":\{.*\},"hash":4711,"compact_revision":-1,"hash_revision":5\}\}\]/,
    ],
    ['table', /\| 4711 +\| +5 \|/],
    ['fields', /"Hash" : 4711\n"HashRevision" : 5\n\n/],
  ])('of a revision as %s', async (format, expected) => {
    const { stdout } = await run(server.endpoint, 'hashkv', '--rev', '5', '-w', format);

    expect(stdout).toMatch(expected);
    expect(server.member.asked).toMatchObject([{ method: 'hashKv', revision: 5 }]);
  });

  test('fails where it is refused, and prints the rest', async () => {
    other.member.onHashKv = async () => Promise.reject(new KvError('COMPACTED'));
    const endpoints = `${server.endpoint},${other.endpoint}`;

    const { exitCode, stdout, stderr } = await run(endpoints, 'hashkv', '--rev', '2');

    expect(exitCode).toBe(1);
    expect(stdout).toBe(`${server.endpoint}, 4711\n`);
    expect(stderr).toContain(`hashkv failed at ${other.endpoint}: etcdserver: mvcc: required`);
  });
});

describe('endpoint status and endpoint health', () => {
  test('are status and health', async () => {
    const { stdout } = await run(server.endpoint, 'endpoint', 'status', '--cluster');
    expect(stdout).toBe((await run(server.endpoint, 'status')).stdout);

    server.member.onRange = async () => Promise.reject(new KvError('NO_LEADER'));
    const health = await run(server.endpoint, 'endpoint', 'health');
    expect(health.exitCode).toBe(1);
    expect(health.stdout).toContain(`${server.endpoint} is unhealthy`);
  });
});

describe('move-leader', () => {
  beforeEach(() => {
    // `server` follows, `other` leads.
    server.member.memberId = 1002;
    for (const { member } of [server, other]) {
      member.leader = 1001;
    }
  });

  test('goes to the leader among the endpoints', async () => {
    const endpoints = `${server.endpoint},${other.endpoint}`;
    const { exitCode, stdout } = await run(endpoints, 'move-leader', '3ea');

    expect(exitCode).toBe(0);
    expect(stdout).toBe('Leadership transferred from 3e9 to 3ea\n');
    expect(other.member.asked).toMatchObject([{ method: 'moveLeader', target: 1002 }]);
    expect(server.member.asked).toEqual([]);
  });

  test('finds the leader among the members that a follower lists', async () => {
    server.member.clusterMembers = other.member.clusterMembers;

    const { stdout } = await run(server.endpoint, 'move-leader', '3ea', '-w', 'plain');

    expect(stdout).toBe('3ea\n');
    expect(other.member.asked).toMatchObject([{ method: 'moveLeader', target: 1002 }]);
  });

  test('without a leader says so and changes nothing', async () => {
    server.member.leader = 0;

    const { exitCode, stderr } = await run(server.endpoint, 'move-leader', '3ea');

    expect(exitCode).toBe(1);
    expect(stderr).toContain('no leader found');
  });

  test('says why the leader refuses', async () => {
    other.member.onMoveLeader = async () => Promise.reject(new KvError('BAD_TRANSFEREE'));

    const { exitCode, stderr } = await run(other.endpoint, 'move-leader', '3eb');

    expect(exitCode).toBe(1);
    expect(stderr).toContain('etcdserver: bad leader transferee [BAD_TRANSFEREE]');
  });
});
