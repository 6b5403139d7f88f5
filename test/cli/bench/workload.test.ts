import { describe, expect, test } from 'vitest';
import { unframeMessage } from '../../../src/cli/bench/requests.ts';
import { Workload, type WorkloadOptions } from '../../../src/cli/bench/workload.ts';
import { services } from '../../../src/wire/index.ts';

const { Put, Range, Txn } = services['etcdserverpb.KV'];

const options: WorkloadOptions = {
  workload: 'put',
  consistency: 'linearizable',
  keySizeBytes: 8,
  valueSizeBytes: 256,
  keySpace: 50,
  keyOrder: 'random',
  readRatio: 0.5,
  seed: 1,
};

function take(workload: Workload, count: number) {
  return Array.from({ length: count }, () => workload.next());
}

function messageOf(frame: Buffer): Buffer {
  return unframeMessage(frame) ?? Buffer.alloc(0);
}

function putsOf(overrides: Partial<WorkloadOptions>, count: number) {
  return take(new Workload({ ...options, ...overrides }), count).map(({ frame }) =>
    Put.requestDeserialize(messageOf(frame)),
  );
}

describe('Workload', () => {
  test('the same seed gives the same requests, another seed others', () => {
    const frames = (seed: number) =>
      take(new Workload({ ...options, workload: 'mixed', seed }), 100).map(({ frame }) =>
        frame.toString('hex'),
      );

    expect(frames(7)).toEqual(frames(7));
    expect(frames(7)).not.toEqual(frames(8));
  });

  test('sequential keys come in turn and begin again', () => {
    const keys = putsOf({ keyOrder: 'sequential', keySpace: 3 }, 5).map((put) => String(put.key));

    expect(keys).toEqual(['00000000', '00000001', '00000002', '00000000', '00000001']);
  });

  test('random keys cover the key space and stay within it', () => {
    const keys = new Set(putsOf({ keySpace: 20 }, 2000).map((put) => String(put.key)));

    expect([...keys].sort()).toEqual(
      Array.from({ length: 20 }, (_, i) => i.toString(16).padStart(8, '0')),
    );
  });

  test('keys and values have the sizes that were asked for', () => {
    const puts = putsOf({ keySizeBytes: 40, valueSizeBytes: 1000 }, 20);

    expect(new Set(puts.map((put) => `${put.key.length} ${put.value.length}`))).toEqual(
      new Set(['40 1000']),
    );
    expect(new Set(puts.map((put) => put.value.toString('hex'))).size).toBe(20);
  });

  test('a mixed load holds its share of reads', () => {
    for (const readRatio of [0, 0.2, 1]) {
      const requests = take(new Workload({ ...options, workload: 'mixed', readRatio }), 5000);
      const reads = requests.filter((request) => request.path === Range.path).length;

      expect(Math.abs(reads / 5000 - readRatio)).toBeLessThan(0.03);
      expect(requests.every(({ path }) => path === Range.path || path === Put.path)).toBe(true);
    }
  });

  test('ranges are linearizable unless asked otherwise', () => {
    for (const consistency of ['linearizable', 'serializable'] as const) {
      const { frame } = new Workload({ ...options, workload: 'range', consistency }).next();

      const range = Range.requestDeserialize(messageOf(frame));

      expect(range.serializable).toBe(consistency === 'serializable');
    }
  });

  test('filling writes every key exactly once, in transactions within the limit of etcd', () => {
    const requests = [...new Workload({ ...options, keySpace: 250 }).fill()];
    const txns = requests.map(({ frame }) => Txn.requestDeserialize(messageOf(frame)));

    const keys = txns.flatMap((txn) => txn.success.map((each) => String(each.request_put?.key)));

    expect(keys.sort()).toEqual(
      Array.from({ length: 250 }, (_, i) => i.toString(16).padStart(8, '0')),
    );
    expect(Math.max(...txns.map((txn) => txn.success.length))).toBeLessThanOrEqual(128);
  });

  test('filling with large values stays below the size of a request', () => {
    for (const valueSizeBytes of [100_000, 1024 * 1024]) {
      const requests = [...new Workload({ ...options, valueSizeBytes, keySpace: 25 }).fill()];

      const txns = requests.map(({ frame }) => Txn.requestDeserialize(messageOf(frame)));
      expect(txns.flatMap((txn) => txn.success)).toHaveLength(25);
      expect(Math.max(...requests.map(({ frame }) => frame.length))).toBeLessThan(1.5 * 1024 ** 2);
    }
  });
});
