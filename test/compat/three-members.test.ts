/**
 * Three members of Holdfast behave as three of etcd where the cluster itself is the matter: which
 * member leads, handing over leadership, and what is left when a majority is gone.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type EtcdServer, hasEtcd, startEtcd } from './etcd-server.ts';
import { bytes, type RawAnswer, RawClient } from './raw-client.ts';
import { bothOrNone, type HoldfastSide, startHoldfast } from './sides.ts';

const pollMs = 50;
const stepDownTimeoutMs = 20_000;

interface MemberStatus {
  readonly leader: string;
  readonly header: { readonly member_id: string };
}

/** One cluster, by its members' clients. */
interface Side {
  readonly clients: readonly RawClient[];
  kill(i: number): Promise<void>;
}

describe.runIf(hasEtcd())('three members of Holdfast and three of etcd', () => {
  let etcd: EtcdServer;
  let holdfast: HoldfastSide;
  let sides: readonly [Side, Side];

  beforeAll(async () => {
    [etcd, holdfast] = await bothOrNone(startEtcd(3), startHoldfast());
    sides = [
      { clients: connect(etcd.endpoints), kill: async (i) => etcd.kill(i) },
      {
        clients: connect(holdfast.endpoints),
        kill: async (i) => holdfast.cluster.signal(i, 'SIGKILL'),
      },
    ];
  });

  afterAll(async () => {
    for (const client of sides.flatMap(({ clients }) => clients)) {
      client.close();
    }
    await Promise.all([etcd.stop(), holdfast.stop()]);
  });

  /** Does the same on both sides and expects the same answers; etcd's is returned. */
  const alike = async (ask: (side: Side) => Promise<RawAnswer>): Promise<RawAnswer> => {
    const [expected, actual] = await Promise.all([ask(sides[0]), ask(sides[1])]);
    expect(actual).toEqual(expected);
    return expected;
  };

  test('refuse to hand over leadership where there is none', async () => {
    const answer = await alike(async (side) => {
      const { follower, leaderId } = await rolesOf(side);
      return follower.call({ method: 'MoveLeader', request: { targetID: leaderId } });
    });

    expect(answer.code).toBe('FAILED_PRECONDITION');
  });

  test('refuse to hand leadership to a stranger', async () => {
    const answer = await alike(async (side) => {
      const { leader } = await rolesOf(side);
      return leader.call({ method: 'MoveLeader', request: { targetID: 4711 } });
    });

    expect(answer.code).toBe('FAILED_PRECONDITION');
  });

  test('hand leadership to who has it already', async () => {
    const answer = await alike(async (side) => {
      const { leader, leaderId } = await rolesOf(side);
      const { code, details } = await leader.call({
        method: 'MoveLeader',
        request: { targetID: leaderId },
      });
      return { code, details };
    });

    expect(answer.code).toBe('OK');
  });

  test('hand leadership to a follower', async () => {
    for (const side of sides) {
      const { leader, followerId } = await rolesOf(side);

      const answer = await leader.call({ method: 'MoveLeader', request: { targetID: followerId } });

      expect(answer.code).toBe('OK');
      await expect.poll(async () => (await rolesOf(side)).leaderId).toBe(followerId);
    }
  });

  describe('when two of them are killed,', () => {
    let survivors: readonly [RawClient, RawClient];
    let ends: readonly Promise<RawAnswer>[];

    beforeAll(async () => {
      ends = sides.map(async ({ clients: [survivor] }) =>
        (survivor as RawClient).end('Observe', { name: bytes('e') }, { hasleader: 'true' }),
      );
      survivors = await Promise.all([orphan(sides[0]), orphan(sides[1])]);
    });

    const alikeAlone = async (
      ask: (client: RawClient) => Promise<RawAnswer>,
    ): Promise<RawAnswer> => {
      const [expected, actual] = await Promise.all(survivors.map(ask));
      expect(actual).toEqual(expected);
      return expected as RawAnswer;
    };

    test('the third refuses who asks for a member with a leader', async () => {
      const request = { key: bytes('k') };
      const metadata = { hasleader: 'true' };
      const answer = await alikeAlone(async (client) =>
        client.call({ method: 'Range', request: { ...request, serializable: true }, metadata }),
      );

      expect(answer).toEqual({ code: 'UNAVAILABLE', details: 'etcdserver: no leader' });
    });

    test('the third ends the stream of an observer who asked for a leader', async () => {
      const [expected, actual] = await Promise.all(ends);

      expect(actual).toEqual(expected);
      expect(expected).toEqual({ code: 'UNAVAILABLE', details: 'etcdserver: no leader' });
    });

    test('the third still answers serializable reads', async () => {
      const answer = await alikeAlone(async (client) =>
        client.call({ method: 'Range', request: { key: bytes('k'), serializable: true } }),
      );

      expect(answer.code).toBe('OK');
      expect(answer.response).toMatchObject({ kvs: [{ value: 'kept' }] });
    });

    // Both sides may answer just before the client's own clock ends the call: etcd without saying
    // what it was, Holdfast with the outcome of the write (docs/compatibility.md).
    test.each([
      ['Range', { key: bytes('k') }],
      ['Put', { key: bytes('k') }],
      ['DeleteRange', { key: bytes('k') }],
      ['Txn', { success: [{ request_put: { key: bytes('k') } }] }],
      ['Compact', { revision: 1 }],
    ] as const)('a %s ends at its deadline', async (method, request) => {
      const [expected, actual] = await Promise.all(
        survivors.map(async (client) => client.call({ method, request, timeoutMs: 500 })),
      );

      expect(['DEADLINE_EXCEEDED', 'UNKNOWN']).toContain(expected?.code);
      expect(['DEADLINE_EXCEEDED', 'UNAVAILABLE']).toContain(actual?.code);
    });

    test('a transaction that needs nothing of the store is answered by etcd alone', async () => {
      const [expected, actual] = await Promise.all(
        survivors.map(async (client) =>
          client.call({ method: 'Txn', request: {}, timeoutMs: 300 }),
        ),
      );

      expect(expected?.code).toBe('OK');
      expect(actual?.code).not.toBe('OK');
    });

    test('a write without a deadline ends in time, with a text that tells why', async () => {
      const [, holdfastSurvivor] = survivors;
      const request = { key: bytes('k'), value: bytes('lost') };

      const answer = await holdfastSurvivor.call({ method: 'Put', request });

      expect(answer.code).toBe('UNAVAILABLE');
      expect(answer.details).toMatch(/^etcdserver: request timed out/);
    });

    test('the third says that it knows no leader', async () => {
      await alikeAlone(async (client) => {
        const { code, details, response } = await client.call({ method: 'Status', request: {} });
        const { leader, errors } = response as { leader: string; errors: string[] };
        return { code, details, response: { leader, errors } };
      });
    });

    test('the third still tells the members', async () => {
      for (const client of survivors) {
        const { code, response } = await client.call({ method: 'MemberList', request: {} });

        expect(code).toBe('OK');
        expect((response as { members: unknown[] }).members).toHaveLength(3);
      }
    });
  });
});

function connect(endpoints: readonly string[]): RawClient[] {
  return endpoints.map((endpoint) => new RawClient(endpoint));
}

async function statusOf(client: RawClient): Promise<MemberStatus> {
  const { code, response } = await client.call({ method: 'Status', request: {}, isExact: true });
  expect(code).toBe('OK');
  return response as MemberStatus;
}

/** The leader and one of the followers, as all members see it. */
async function rolesOf({ clients }: Side) {
  for (;;) {
    const all = await Promise.all(clients.map(statusOf));
    const ids = all.map(({ header }) => header.member_id);
    const leaderId = all[0]?.leader ?? '0';
    if (ids.includes(leaderId) && all.every(({ leader }) => leader === leaderId)) {
      const at = ids.indexOf(leaderId);
      const followerAt = (at + 1) % ids.length;
      return {
        leader: clients[at] as RawClient,
        leaderId,
        follower: clients[followerAt] as RawClient,
        followerId: ids[followerAt] ?? '0',
      };
    }
    await sleep(pollMs);
  }
}

/** Writes a key, kills all members but the first, and waits until that one knows no leader. */
async function orphan(side: Side): Promise<RawClient> {
  const [survivor] = side.clients as [RawClient];
  await survivor.call({ method: 'Put', request: { key: bytes('k'), value: bytes('kept') } });
  await Promise.all([side.kill(1), side.kill(2)]);
  const endMs = performance.now() + stepDownTimeoutMs;
  while ((await statusOf(survivor)).leader !== '0') {
    expect(performance.now(), 'the survivor still believes in a leader').toBeLessThan(endMs);
    await sleep(pollMs);
  }
  return survivor;
}
