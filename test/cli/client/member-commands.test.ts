/** member add, remove, update, list, promote, demote and replace. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { KvError } from '../../../src/base/index.ts';
import { run, type Server, startServer } from './in-process.ts';

let server: Server;

beforeEach(async () => {
  server = await startServer();
});

afterEach(async () => {
  await server.serving.close();
});

const peerUrls = ['--peer-urls', 'http://d:2380,http://e:2380'];

describe('member add', () => {
  test('prints the environment of the new member, as etcdctl and for Holdfast', async () => {
    const { exitCode, stdout, stderr } = await run(
      server.endpoint,
      'member',
      'add',
      'n3',
      ...peerUrls,
    );

    expect(stderr).toBe('');
    expect(exitCode).toBe(0);
    const settings = (prefix: string): string[] => [
      `${prefix}_NAME="n3"`,
      `${prefix}_INITIAL_CLUSTER="n1=http://a:2380,=http://b:2380,` +
        'n3=http://d:2380,n3=http://e:2380"',
      `${prefix}_INITIAL_ADVERTISE_PEER_URLS="http://d:2380,http://e:2380"`,
      `${prefix}_INITIAL_CLUSTER_STATE="existing"`,
    ];
    expect(stdout.split('\n')).toEqual([
      'Member 7d1 added to cluster c',
      '',
      ...settings('ETCD'),
      ...settings('HOLDFAST'),
      '',
    ]);
  });

  test.each([
    [[], { isLearner: false, autoPromote: false }],
    [['--learner'], { isLearner: true, autoPromote: false }],
    [['--learner', '--auto-promote'], { isLearner: true, autoPromote: true }],
  ])('with %j asks for a member with %j', async (flags, expected) => {
    await run(server.endpoint, 'member', 'add', 'n3', ...peerUrls, ...flags);

    expect(server.member.askedByRoot).toMatchObject([
      {
        method: 'addMember',
        member: { ...expected, peerUrls: ['http://d:2380', 'http://e:2380'] },
      },
    ]);
  });

  test.each([
    ['table', /\| 7d1 +\| unstarted \| .*\| http:\/\/d:2380,http:\/\/e:2380 \|/],
    ['plain', /^7d1\n$/],
    [
      'json',
      /"member":\{"ID":2001,"peerURLs":\["http:\/\/d:2380","http:\/\/e:2380"\]\},"members":\[/,
    ],
    ['fields', /^"ID" : 2001\n"Name" : ""\n"PeerURL" : "http:\/\/d:2380"/m],
  ])('as %s', async (format, expected) => {
    const { stdout } = await run(server.endpoint, 'member', 'add', 'n3', ...peerUrls, '-w', format);

    expect(stdout).toMatch(expected);
  });

  test.each([
    [['n3']],
    [['n3', '--peer-urls', 'd:2380']],
    [['n3', '--peer-urls', '']],
    [['http://d:2380', ...peerUrls]],
    [['n3', ...peerUrls, '--auto-promote']],
  ])('%j is wrong usage and asks nothing', async (argv) => {
    const { exitCode } = await run(server.endpoint, 'member', 'add', ...argv);

    expect(exitCode).toBe(2);
    expect(server.member.asked).toEqual([]);
  });

  test('says why it was refused and what to do', async () => {
    server.member.onChange = async () => Promise.reject(new KvError('TOO_MANY_LEARNERS'));

    const { exitCode, stderr } = await run(server.endpoint, 'member', 'add', 'n3', ...peerUrls);

    expect(exitCode).toBe(1);
    expect(stderr).toContain('etcdserver: too many learner members in cluster');
    expect(stderr).toContain('outcome: rejected: nothing was changed; hint: promote or remove');
  });

  test('that may have happened says so, with an exit code of its own', async () => {
    server.member.onChange = async () =>
      Promise.reject(new KvError('TIMEOUT', { outcome: 'unknown' }));

    const { exitCode, stderr } = await run(server.endpoint, 'member', 'add', 'n3', ...peerUrls);

    expect(exitCode).toBe(3);
    expect(stderr).toContain('outcome: unknown: it may have been applied; look before retrying');
  });
});

describe('member replace', () => {
  test('replaces a member and prints the environment of the new one', async () => {
    const argv = ['replace', '3e9', 'n3', ...peerUrls, '--learner', '--auto-promote'];
    const { stdout } = await run(server.endpoint, 'member', ...argv);

    expect(stdout).toContain('Member 3e9 replaced by 7d1 in cluster c\n');
    expect(stdout).toContain('HOLDFAST_INITIAL_CLUSTER="=http://b:2380,n3=http://d:2380');
    expect(server.member.askedByRoot).toMatchObject([
      { method: 'replaceMember', id: 1001, by: { isLearner: true, autoPromote: true } },
    ]);
  });
});

describe('a change of one member', () => {
  test.each([
    ['remove', 'removeMember', 'Member 3ea removed from cluster c\n'],
    ['promote', 'promoteMember', 'Member 3ea promoted in cluster c\n'],
    ['demote', 'demoteMember', 'Member 3ea demoted in cluster c\n'],
  ])('member %s', async (name, method, expected) => {
    const { exitCode, stdout } = await run(server.endpoint, 'member', name, '3ea');

    expect(exitCode).toBe(0);
    expect(stdout).toBe(expected);
    expect(server.member.asked.at(-1)).toMatchObject({ method, id: 1002 });
  });

  test('member update', async () => {
    const { stdout } = await run(server.endpoint, 'member', 'update', '3EA', ...peerUrls);

    expect(stdout).toBe('Member 3ea updated in cluster c\n');
    expect(server.member.askedByRoot).toMatchObject([
      { method: 'updateMember', id: 1002, peerUrls: ['http://d:2380', 'http://e:2380'] },
    ]);
  });

  test.each(['', 'xyz', '3e9,3ea', '11112222333344445'])('takes no id "%s"', async (id) => {
    const { exitCode } = await run(server.endpoint, 'member', 'remove', id);

    expect(exitCode).toBe(2);
    expect(server.member.asked).toEqual([]);
  });

  test.each([
    ['plain', '3ea\n'],
    ['json', /^\{"header":\{.*\},"members":\[\{"ID":1001,.*\}\]\}\n$/],
    ['table', /\| 3e9 +\| started +\| n1/],
    ['fields', /^"ClusterID" : 12\n[^]*"ID" : 1001\n/],
  ])('as %s', async (format, expected) => {
    const { stdout } = await run(server.endpoint, 'member', 'remove', '3ea', '-w', format);

    expect(stdout).toMatch(expected);
  });
});

describe('member list', () => {
  test('lists the members, as "members" does', async () => {
    const [list, members] = [
      await run(server.endpoint, 'member', 'list'),
      await run(server.endpoint, 'members'),
    ];

    expect(list.stdout).toBe(
      `3e9, started, n1, http://a:2380, http://${server.endpoint}, false\n` +
        '3ea, unstarted, , http://b:2380, , true\n',
    );
    expect(members.stdout).toBe(list.stdout);
  });

  test('takes the shared options after every word', async () => {
    const outputs = [
      await run(server.endpoint, 'member', 'list', '-w', 'plain'),
      await run(server.endpoint, 'member', '-w', 'plain', 'list'),
      await run(server.endpoint, '-w', 'plain', 'member', 'list'),
      await run(server.endpoint, '-w', 'json', 'member', '-w', 'plain', 'list'),
    ];

    expect(new Set(outputs.map(({ stdout }) => stdout)).size).toBe(1);
    expect(outputs[0]?.stdout).toContain('3e9\tstarted\tn1');
  });
});

test('member alone shows what there is', async () => {
  expect((await run(server.endpoint, 'member')).exitCode).toBe(2);
  expect((await run(server.endpoint, 'member', 'nonsense')).exitCode).toBe(2);
});
