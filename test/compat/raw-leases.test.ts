/**
 * Holdfast answers calls about leases, locks and elections as etcd does: status code, text and
 * response; also those that wait, and those that stream. Each goes to the next of Holdfast's three
 * members.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectAlike } from './alike.ts';
import { hasEtcd } from './etcd-server.ts';
import type { RawClient } from './raw-client.ts';
import { bytes, type RawAnswer } from './raw-client.ts';
import { rawLeaseCases } from './raw-lease-cases.ts';
import { RawSides } from './raw-sides.ts';

const longTtl = 100_000;

describe.runIf(hasEtcd())('calls about leases, locks and elections', () => {
  let sides: RawSides;

  beforeAll(async () => {
    sides = await RawSides.start();
  });

  afterAll(async () => {
    await sides.stop();
  });

  /** Does the same on both sides, and expects the same of it. */
  async function alike<T>(scenario: (client: RawClient) => Promise<T>, i = 0): Promise<T> {
    const [expected, actual] = await Promise.all([
      scenario(sides.etcd),
      scenario(sides.memberAt(i)),
    ]);
    expect(actual).toEqual(expected);
    return expected;
  }

  describe('are answered alike:', () => {
    test.each(rawLeaseCases.map((each, i) => [each.title, each, i] as const))(
      '%s',
      async (_title, each, i) => {
        await expectAlike(each, sides.etcd, sides.memberAt(i));
      },
    );
  });

  test('leases are listed alike, the first to end first', async () => {
    const ids = await alike(async (client) => {
      for (const [id, ttl] of [
        [0x51, 3 * longTtl],
        [0x52, 2 * longTtl],
        [0x53, 5 * longTtl],
      ]) {
        await client.call({ method: 'LeaseGrant', request: { ID: id, TTL: ttl } });
      }
      const { response } = await client.call({ method: 'LeaseLeases', request: {} });
      const { leases } = response as { leases: { ID: string }[] };
      return leases.map(({ ID: id }) => Number(id)).filter((id) => id >= 0x51 && id <= 0x53);
    });

    expect(ids).toEqual([0x52, 0x51, 0x53]);
  });

  test('keep-alives of one stream are answered alike and in their order', async () => {
    const ids = [0x52, 77, 0x51, 0, 0x52];
    const answers = await alike(async (client) =>
      client.stream(
        'LeaseKeepAlive',
        ids.map((ID) => ({ ID })),
        ids.length,
      ),
    );

    expect(answers.map((answer) => (answer as { TTL: string }).TTL)).toEqual([
      ...[String(2 * longTtl), '0', String(3 * longTtl)],
      ...['0', String(2 * longTtl)],
    ]);
  });

  test('a key is gone with its lease, once that has ended by itself', async () => {
    const answer = await alike(async (client) => {
      await client.call({ method: 'LeaseGrant', request: { ID: 0x60, TTL: 2 } });
      const put = { key: bytes('short'), value: bytes('1'), lease: 0x60 };
      await client.call({ method: 'Put', request: put });
      const range = { method: 'Range', request: { key: bytes('short') } } as const;
      while (countOf(await client.call(range)) > 0) {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      return client.call({ method: 'LeaseTimeToLive', request: { ID: 0x60, keys: true } });
    });

    expect(answer.response).toMatchObject({ TTL: '-1', grantedTTL: '0', keys: [] });
  });

  test('a lock goes to the next when it is unlocked, and when its owner ends', async () => {
    const answers = await alike(async (client) => {
      for (const ID of [0x71, 0x72, 0x73]) {
        await client.call({ method: 'LeaseGrant', request: { ID, TTL: longTtl } });
      }
      const lock = async (lease: number): Promise<RawAnswer> =>
        client.call({ method: 'Lock', request: { name: bytes('queue'), lease } });
      const first = await lock(0x71);
      const second = lock(0x72);
      await queued(client, 'queue/', 2);
      const third = lock(0x73);
      await queued(client, 'queue/', 3);
      await client.call({ method: 'Unlock', request: { key: bytes('queue/71') } });
      const next = await second;
      await client.call({ method: 'LeaseRevoke', request: { ID: 0x72 } });
      return [first, next, await third].map(keyOf);
    }, 1);

    expect(answers).toEqual(['queue/71', 'queue/72', 'queue/73']);
  });

  test('a lock that is not had in time is left to the others', async () => {
    const left = await alike(async (client) => {
      await client.call({ method: 'LeaseGrant', request: { ID: 0x74, TTL: longTtl } });
      const request = { name: bytes('queue'), lease: 0x74 };
      const { code, details } = await client.call({ method: 'Lock', request, timeoutMs: 400 });
      await queued(client, 'queue/', 1);
      // Where the clock of etcd is the first to notice, it names no code.
      const hasTimedOut = code === 'DEADLINE_EXCEEDED' || details === 'context deadline exceeded';
      return { hasTimedOut, queue: await keysOf(client, 'queue/') };
    }, 2);

    expect(left).toEqual({ hasTimedOut: true, queue: ['queue/73'] });
  });

  test('an election is observed alike: who leads, what they say, and who is next', async () => {
    const seen = await alike(async (client) => {
      for (const ID of [0x81, 0x82]) {
        await client.call({ method: 'LeaseGrant', request: { ID, TTL: longTtl } });
      }
      const campaign = async (lease: number): Promise<RawAnswer> =>
        client.call({
          method: 'Campaign',
          request: { name: bytes('seen'), lease, value: bytes(`of ${lease}`) },
        });
      const observing = client.stream('Observe', [{ name: bytes('seen') }], 3);
      const { response } = await campaign(0x81);
      const next = campaign(0x82);
      await queued(client, 'seen/', 2);
      const { leader } = response as { leader: { rev: string } };
      const by = { name: bytes('seen'), key: bytes('seen/81'), rev: leader.rev, lease: 0x81 };
      // Each is to be seen, so none may come while the one before is looked at.
      await new Promise((resolve) => setTimeout(resolve, 300));
      await client.call({ method: 'Proclaim', request: { leader: by, value: bytes('again') } });
      await new Promise((resolve) => setTimeout(resolve, 300));
      await client.call({ method: 'Resign', request: { leader: by } });
      await next;
      return (await observing).map((answer) => (answer as { kv: { value: string } }).kv.value);
    }, 1);

    expect(seen).toEqual(['of 129', 'again', 'of 130']);
  });
});

function countOf({ response }: RawAnswer): number {
  return Number((response as { count: string }).count);
}

function keyOf({ response }: RawAnswer): string {
  return (response as { key: string }).key;
}

async function keysOf(client: RawClient, prefix: string): Promise<string[]> {
  const end = `${prefix.slice(0, -1)}0`;
  const request = { key: bytes(prefix), range_end: bytes(end) };
  const { response } = await client.call({ method: 'Range', request });
  return (response as { kvs: { key: string }[] }).kvs.map(({ key }) => key);
}

async function queued(client: RawClient, prefix: string, count: number): Promise<void> {
  while ((await keysOf(client, prefix)).length !== count) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
