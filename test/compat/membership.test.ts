/**
 * Three members of Holdfast and three of etcd tell `etcdctl` and single calls the same when members
 * come and go, alarms go on and off, and operators ask for hashes and snapshots.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual, promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePorts } from '../harness/processes.ts';
import { type EtcdServer, hasEtcd, startEtcd } from './etcd-server.ts';
import { type EtcdctlOutcome, runEtcdctl } from './etcdctl-runner.ts';
import { bytes, type RawAnswer, type RawCall, RawClient } from './raw-client.ts';
import { bothOrNone, type HoldfastSide, startHoldfast } from './sides.ts';

const pollMs = 100;

interface ListedMember {
  /** Decimal: it may be beyond the safe integers. */
  readonly id: string;
  readonly name: string;
  readonly peerUrl: string;
}

/** One of the two clusters. */
interface Side {
  readonly endpoints: readonly string[];
  readonly clients: readonly RawClient[];
  /** Where members would be that are added. etcd makes ids of them and the second of the clock. */
  readonly newUrl: string;
  readonly otherUrl: string;
  /** Ids of members that were there once, newest last. */
  readonly seen: ListedMember[];
}

describe.runIf(hasEtcd())('a cluster of Holdfast and one of etcd', () => {
  let etcd: EtcdServer;
  let holdfast: HoldfastSide;
  let sides: readonly [Side, Side];
  let directory: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'holdfast-compat-'));
    [etcd, holdfast] = await bothOrNone(startEtcd(3), startHoldfast());
    const ports = await freePorts(4);
    const sideOf = (endpoints: readonly string[], i: number): Side => ({
      endpoints,
      clients: endpoints.map((endpoint) => new RawClient(endpoint)),
      newUrl: `http://127.0.0.1:${ports[2 * i] ?? 0}`,
      otherUrl: `http://127.0.0.1:${ports[2 * i + 1] ?? 0}`,
      seen: [],
    });
    sides = [sideOf(etcd.endpoints, 0), sideOf(holdfast.endpoints, 1)];
    for (const side of sides) {
      // etcd takes changes of the membership once all members have been connected for 5 s.
      await untilReadyForChanges(side);
    }
  });

  afterAll(async () => {
    for (const client of sides.flatMap(({ clients }) => clients)) {
      client.close();
    }
    await Promise.all([etcd.stop(), holdfast.stop()]);
    await rm(directory, { recursive: true, force: true });
  });

  /** Runs the same command on both sides; returns what etcd has said. */
  const alike = async (args: readonly string[], at = 1): Promise<EtcdctlOutcome> => {
    const [expected, actual] = await Promise.all(
      sides.map(async (side) => {
        const before = await membersOf(side);
        const endpoint = args.includes('ALL') ? side.endpoints.join(',') : side.endpoints[at];
        const words = args
          .filter((word) => word !== 'ALL')
          .map((word) => fillIn(word, side, before));
        const outcome = await runEtcdctl(endpoint ?? '', words);
        return comparable(outcome, side, await membersOf(side));
      }),
    );
    expect(actual).toEqual(expected);
    return expected as EtcdctlOutcome;
  };

  /** Makes the same call on both sides; returns etcd's answer. */
  const alikeCall = async (call: (members: readonly ListedMember[], side: Side) => RawCall) => {
    const [expected, actual] = await Promise.all(
      sides.map(async (side): Promise<RawAnswer> => {
        const before = await membersOf(side);
        const [client] = side.clients as [RawClient];
        const { code, details } = await client.call(call(before, side));
        return { code, details };
      }),
    );
    expect(actual).toEqual(expected);
    return expected as RawAnswer;
  };

  describe('says the same when members come and go:', () => {
    test.each([
      ['member list'],
      ['member list -w json'],
      ['member list -w table'],
      ['member list -w fields'],
      ['member add'],
      ['member add n4'],
      ['member add n4 --peer-urls=bad'],
      ['member add n4 --peer-urls=http://127.0.0.1'],
      ['member add n4 --peer-urls={url:0}'],
      ['member add n4 --learner --peer-urls={new}'],
      ['member list'],
      ['member list -w json'],
      ['member list -w table'],
      ['member add n5 --peer-urls={new},http://127.0.0.1:1'],
      ['member promote {new id}'],
      ['member promote {id:0}'],
      ['member promote 1234'],
      ['member promote xyz'],
      ['member update {id:0}'],
      ['member update {id:0} --peer-urls={url:0}'],
      ['member update {id:0} --peer-urls={url:1}'],
      ['member update 1234 --peer-urls=http://127.0.0.1:1'],
      ['member remove 1234'],
      ['member remove'],
      ['member remove {new id}'],
      ['member remove {old id}'],
      ['member update {old id} --peer-urls=http://127.0.0.1:1'],
      ['member list'],
      ['member add n6 --learner --peer-urls={other} -w json'],
      ['member remove {new id} -w json'],
      ['member update {id:0} --peer-urls={url:0} -w json'],
    ])('%s', async (command) => {
      await alike(command.split(/ (?!id)/));
    });

    test.each([
      ['MemberAdd', () => ({ peerURLs: [] })],
      ['MemberAdd', () => ({ peerURLs: ['127.0.0.1:1'] })],
      ['MemberAdd', () => ({ peerURLs: ['http://127.0.0.1:1/path'] })],
      ['MemberAdd', ([first]: readonly ListedMember[]) => ({ peerURLs: [first?.peerUrl ?? ''] })],
      ['MemberRemove', () => ({ ID: '18446744073709551615' })],
      ['MemberPromote', () => ({ ID: '18446744073709551615' })],
      ['MemberPromote', ([first]: readonly ListedMember[]) => ({ ID: first?.id ?? '' })],
      ['MemberUpdate', () => ({ ID: '1', peerURLs: ['http://127.0.0.1:1'] })],
    ] as const)('%s as a single call', async (method, requestOf) => {
      const { code } = await alikeCall((members) => ({ method, request: requestOf(members) }));

      expect(code).not.toBe('OK');
    });
  });

  describe('says the same about alarms:', () => {
    // Of a member that is not there: one that is would lift an alarm about its space by itself.
    const activate = (alarm: 'NOSPACE' | 'CORRUPT') => (): RawCall => ({
      method: 'Alarm',
      request: { action: 'ACTIVATE', alarm, memberID: '4711' },
    });

    test('none at first', async () => {
      expect(await alike(['alarm', 'list'])).toMatchObject({ stdout: '', exitCode: 0 });
    });

    test('no space: puts are refused, deletions go through, until it is lifted', async () => {
      expect((await alikeCall(activate('NOSPACE'))).code).toBe('OK');
      expect((await alike(['alarm', 'list'])).stdout).toBe('memberID:4711 alarm:NOSPACE ');
      for (const side of sides) {
        const [client] = side.clients as [RawClient];
        const { response } = await client.call({ method: 'Status', request: {} });
        expect(response).toMatchObject({ errors: ['memberID:4711 alarm:NOSPACE '] });
      }
      expect((await alikeCall(activate('NOSPACE'))).code).toBe('OK');
      expect((await alike(['alarm', 'list'], 2)).stdout).toBe('memberID:4711 alarm:NOSPACE ');
      expect((await alike(['put', 'k', 'v'])).stderr).toContain('database space exceeded');
      expect((await alike(['del', 'k'])).exitCode).toBe(0);
      expect((await alike(['get', 'k'])).exitCode).toBe(0);
      expect((await alike(['alarm', 'disarm'])).stdout).toBe('memberID:4711 alarm:NOSPACE ');
      expect((await alike(['alarm', 'list'], 0)).stdout).toBe('');
      expect((await alike(['put', 'k', 'v'])).exitCode).toBe(0);
    });

    test('corrupt: reads and writes are refused until it is lifted', async () => {
      expect((await alikeCall(activate('CORRUPT'))).code).toBe('OK');
      for (const call of [
        { method: 'Put', request: { key: bytes('k') } },
        { method: 'Txn', request: { success: [{ request_put: { key: bytes('k') } }] } },
        { method: 'DeleteRange', request: { key: bytes('k') } },
      ] as const) {
        expect((await alikeCall(() => call)).code).toBe('DATA_LOSS');
      }
      expect((await alike(['alarm', 'disarm'])).stdout).toBe('memberID:4711 alarm:CORRUPT ');
      expect((await alike(['put', 'k', 'v'])).exitCode).toBe(0);
    });

    test('a request that names no type changes nothing', async () => {
      for (const action of ['ACTIVATE', 'DEACTIVATE'] as const) {
        await alikeCall(([first]) => ({
          method: 'Alarm',
          request: { action, alarm: 'NONE', memberID: first?.id ?? '' },
        }));
      }
      await alike(['alarm', 'list']);
    });
  });

  describe('says the same about upkeep:', () => {
    test('every member has the same hash of the keys', async () => {
      for (let i = 0; i < 20; i++) {
        await alike(['put', `k${i}`, 'v'], i % 3);
      }
      for (const side of sides) {
        await Promise.all(side.endpoints.map(async (each) => runEtcdctl(each, ['get', 'k'])));
        const { stdout, exitCode } = await runEtcdctl(side.endpoints.join(','), [
          ...['endpoint', 'hashkv', '-w', 'json'],
        ]);
        const hashes = [...stdout.matchAll(/"hash":(\d+),"compact_revision":-1/g)];
        expect(exitCode).toBe(0);
        expect(hashes).toHaveLength(3);
        expect(new Set(hashes.map(([, hash]) => hash)).size).toBe(1);
      }
    });

    test('of revisions that are not there, there is no hash', async () => {
      await alike(['endpoint', 'hashkv', '--rev=99999']);
      await alike(['compaction', '5']);
      await alike(['endpoint', 'hashkv', '--rev=4']);
      const hashAt = async (revision: number): Promise<string> =>
        (await alikeCall(() => ({ method: 'HashKV', request: { revision } }))).code;
      expect(await hashAt(4)).toBe('OUT_OF_RANGE');
      expect(await hashAt(6)).toBe('OK');
    });

    test('defrag is done on every endpoint', async () => {
      const { stdout } = await alike(['defrag', 'ALL']);

      expect(stdout.match(/Finished defragmenting/g)).toHaveLength(3);
    });

    test('leadership moves to the member named', async () => {
      for (const side of sides) {
        const [first] = await membersOf(side);
        const { stdout, stderr } = await runEtcdctl(side.endpoints.join(','), [
          'move-leader',
          hex(first?.id ?? '0'),
        ]);
        expect(stderr).toBe('');
        expect(stdout).toContain(` to ${hex(first?.id ?? '0')}\n`);
      }
      await alike(['move-leader', '1234', 'ALL']);
      await alike(['move-leader', 'xyz', 'ALL']);
      await alike(['move-leader', 'ALL']);
    });

    test('a snapshot is saved, and its file is as etcdctl checks it', async () => {
      for (const [i, side] of sides.entries()) {
        const path = join(directory, `${i}.db`);
        const outcome = await runEtcdctl(side.endpoints[1] ?? '', ['snapshot', 'save', path]);
        const file = await readFile(path);

        expect(outcome).toMatchObject({ exitCode: 0, stdout: `Snapshot saved at ${path}\n` });
        expect(file.length % 512).toBe(32);
        const { stdout } = await promisify(execFile)('sh', [
          '-c',
          `head -c ${file.length - 32} "$0" | sha256sum`,
          path,
        ]);
        expect(stdout.slice(0, 64)).toBe(file.subarray(-32).toString('hex'));
      }
    });
  });
});

/**
 * Members by name, those without one last, once all members say the same: etcd 3.4 answers from
 * what the asked one has applied.
 */
async function membersOf({ clients }: Side): Promise<readonly ListedMember[]> {
  for (;;) {
    const [list = [], ...others] = await Promise.all(clients.map(listOf));
    if (others.every((other) => isDeepStrictEqual(other, list))) {
      return list;
    }
    await sleep(pollMs);
  }
}

async function listOf(client: RawClient): Promise<readonly ListedMember[]> {
  const { response } = await client.call({
    method: 'MemberList',
    request: { linearizable: true },
    isExact: true,
  });
  const { members } = response as {
    members: { ID: string; name: string; peerURLs: string[] }[];
  };
  return members
    .map(({ ID, name, peerURLs: [peerUrl = ''] }) => ({ id: ID, name, peerUrl }))
    .sort((a, b) => (a.name === '' ? 1 : b.name === '' ? -1 : a.name < b.name ? -1 : 1));
}

/** Waits until all members have told their names and a change of the membership is taken. */
async function untilReadyForChanges(side: Side): Promise<void> {
  const [client] = side.clients as [RawClient];
  for (;;) {
    const members = await membersOf(side);
    const isNamed = members.every(({ name }) => name !== '');
    // Refused for what it is, a change of nothing, and not because members are not ready.
    const { details } = await client.call({
      method: 'MemberAdd',
      request: { peerURLs: [members[0]?.peerUrl ?? ''] },
    });
    if (isNamed && details === 'etcdserver: Peer URLs already exists') {
      return;
    }
    await sleep(pollMs);
  }
}

/** Puts this side's ids and URLs into a word of a command. */
function fillIn(word: string, side: Side, members: readonly ListedMember[]): string {
  const added = members.find(({ name }) => name === '');
  if (added !== undefined) {
    side.seen.push(added);
  }
  return word
    .replace(/\{id:(\d)\}/, (_, i: string) => hex(members[Number(i)]?.id ?? '0'))
    .replace(/\{url:(\d)\}/, (_, i: string) => members[Number(i)]?.peerUrl ?? '')
    .replace('{new id}', hex(added?.id ?? '0'))
    .replace('{old id}', hex(side.seen.at(-1)?.id ?? '0'))
    .replace('{new}', side.newUrl)
    .replace('{other}', side.otherUrl);
}

/** Outcomes with names in the place of what two clusters must differ in, lines in any order. */
function comparable(
  { stdout, stderr, exitCode }: EtcdctlOutcome,
  side: Side,
  members: readonly ListedMember[],
): EtcdctlOutcome {
  const replace = (text: string): string => {
    let replaced = text
      .replace(/"(cluster_id|member_id|raft_term)":\d+/g, '"$1":ID')
      .replace(/^"(ClusterID|MemberID|RaftTerm)" : \d+$/gm, '"$1" : ID')
      .replace(/(added to|removed from|updated in) cluster +[0-9a-f]+/g, '$1 cluster C');
    const known = [...members, ...side.seen];
    for (const [i, { id, name, peerUrl }] of known.entries()) {
      const symbol = name === '' ? 'NEW' : `M${i}`;
      replaced = replaced
        .replaceAll(new RegExp(`\\b(?:${id}|${hex(id)})\\b`, 'g'), symbol)
        .replaceAll(peerUrl, `PEER-${symbol}`);
      if (name !== '') {
        replaced = replaced.replaceAll(new RegExp(`\\b${name}\\b`, 'g'), `NAME${i}`);
      }
    }
    for (const [i, endpoint] of side.endpoints.entries()) {
      replaced = replaced.replaceAll(endpoint, `ENDPOINT${i}`);
    }
    return inAnyOrder(replaced.replaceAll(side.newUrl, 'PEER-NEW'));
  };
  return {
    stdout: replace(stdout),
    stderr: replace(stderr)
      .replace(/"ts":"[^"]*"/g, '"ts":"INSTANT"')
      .replace(/endpoint:\/\/client-[0-9a-f-]+\//g, 'endpoint://CLIENT/')
      .replace(
        'code = Unknown desc = etcdserver: re-conf',
        'code = FailedPrecondition desc = etcdserver: re-conf',
      ),
    exitCode,
  };
}

/** Members are listed by id, which is chance: lines, and the parts of lists, are sorted. */
function inAnyOrder(text: string): string {
  return text
    .replace(/ {2,}/g, ' ')
    .replace(/-{2,}/g, '-')
    .split('\n')
    .map((line) =>
      line
        .replace(/"members":\[\{(.*)\}\]/, (_, list: string) => sorted(list, '},{', '"members":'))
        .replace(/(ETCD_INITIAL_CLUSTER=)"(.*)"/, (_, name: string, list: string) =>
          sorted(list, ',', name),
        ),
    )
    .sort()
    .join('\n')
    .replace(/^\n+/, '');
}

function sorted(list: string, separator: string, name: string): string {
  return `${name}${list.split(separator).sort().join(separator)}`;
}

function hex(id: string): string {
  return BigInt(id).toString(16);
}
