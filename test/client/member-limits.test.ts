/**
 * What members take at most holds for an operation in a pipeline as for a call of its own, and the
 * client says what to do about it.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestCluster, type TestCluster } from '../../src/cli/testing/index.ts';
import { Holdfast } from '../../src/client/index.ts';
import { unaryOperations } from '../../src/client/operations.ts';
import { errorOf } from './sides.ts';

const key = Buffer.from('key');

describe('a member that takes little', () => {
  let cluster: TestCluster;
  let client: Holdfast;

  beforeAll(async () => {
    cluster = await startTestCluster({
      nodes: 1,
      settings: { 'max-request-bytes': '1024', 'max-txn-ops': '3' },
    });
    client = new Holdfast({ endpoints: cluster.endpoints });
  });

  afterAll(async () => {
    await client.close();
    await cluster.stop();
  });

  test('refuses the same values in a pipeline as alone, at the same byte', async () => {
    const alone = unaryOperations(client.caller);
    for (const [bytes, isRefused] of [
      [1024 - 16 - key.length, false],
      [1024 - 16 - key.length + 1, true],
      [2048, true],
    ] as const) {
      const value = Buffer.alloc(bytes);
      const calls = [
        client.kv.put('key', value.toString()),
        alone.run({ message: { type: 'put', put: { key, value } }, purpose: 'write' }, {}),
        client.kv.txn({ then: [client.kv.ops.put('key', value.subarray(16).toString())] }),
      ];
      for (const outcome of await Promise.allSettled(calls)) {
        expect(outcome.status).toBe(isRefused ? 'rejected' : 'fulfilled');
      }
    }
  });

  test('says so, with what to do', async () => {
    const { kv } = client;
    const puts = ['a', 'b', 'c', 'd'].map((name) => kv.ops.put(name, 'x'));

    expect(await errorOf(kv.put('key', 'x'.repeat(2048)))).toMatchObject({
      ...{ code: 'REQUEST_TOO_LARGE', outcome: 'rejected', retryable: false },
      message: expect.stringContaining('etcdserver: request is too large') as string,
      hint: 'send less at once, or raise --max-request-bytes on the members',
    });
    expect(await errorOf(kv.txn({ then: puts }))).toMatchObject({
      ...{ code: 'TOO_MANY_OPERATIONS', outcome: 'rejected', retryable: false },
      message: expect.stringContaining('too many operations in txn request') as string,
      hint: 'split the transaction, or raise --max-txn-ops on the members',
    });
    expect((await kv.txn({ then: puts.slice(1) })).succeeded).toBe(true);
  });

  test('takes many operations in one turn that are too long only together', async () => {
    const value = 'x'.repeat(900);

    const puts = Array.from({ length: 2000 }, async (_, i) => client.kv.put(`k${i}`, value));

    expect(await Promise.all(puts)).toHaveLength(2000);
  });
});
