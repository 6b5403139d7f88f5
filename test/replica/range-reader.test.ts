import { describe, expect, test } from 'vitest';
import { KvError } from '../../src/base/index.ts';
import { RangeReader } from '../../src/replica/range-reader.ts';
import { bytes, get, put } from './commands.ts';
import { LaneHarness } from './lane.ts';

async function loaded(cacheBytesMax?: number) {
  const harness = new LaneHarness(cacheBytesMax);
  harness.push(put('a', '1'), put('b', '2'), put('a', '3'));
  await harness.settle();
  return { harness, reader: new RangeReader(harness.stateMachine, harness.lane) };
}

describe('RangeReader', () => {
  test('answers a key in the cache without the engine', async () => {
    const { reader } = await loaded();

    const answer = reader.maybeReadCached(get('a'));

    expect(answer).toMatchObject({ revision: 4, result: { count: 1 } });
    expect(answer?.result.kvs[0]?.value).toEqual(bytes('3'));
  });

  test('leaves what the cache cannot answer to the engine', async () => {
    const { harness, reader } = await loaded();
    const range = get('a', { rangeEnd: bytes('z') });

    expect(reader.maybeReadCached(range)).toBeUndefined();
    const answer = await harness.run(reader.read(range));

    expect(answer.result.kvs.map((kv) => kv.modRevision)).toEqual([4, 3]);
  });

  test('sees no write that the engine does not have yet', async () => {
    const { harness, reader } = await loaded();
    harness.holdWrites();
    harness.push(put('a', '4'));
    await harness.settle();

    const reading = reader.read(get('a'));
    await harness.releaseWrites();
    const answer = await harness.run(reading);

    expect(answer.revision).toBe(4);
    expect(answer.result.kvs[0]?.value).toEqual(bytes('3'));
  });

  test('reads the past, and refuses the future and what is compacted', async () => {
    const { harness, reader } = await loaded();

    const past = await harness.run(reader.read(get('a', { revision: 2 })));
    expect(past.result.kvs[0]?.value).toEqual(bytes('1'));
    await expect(harness.run(reader.read(get('a', { revision: 5 })))).rejects.toMatchObject({
      code: 'FUTURE_REVISION',
    });

    harness.push({ type: 'compact', revision: 4 });
    await harness.settle();
    await expect(harness.run(reader.read(get('a', { revision: 3 })))).rejects.toMatchObject({
      code: 'COMPACTED',
    });
    const present = await harness.run(reader.read(get('a', { revision: 4 })));
    expect(present.result.kvs[0]?.value).toEqual(bytes('3'));
  });

  test('does a read of the present again that a compaction has overtaken', async () => {
    const { harness, reader } = await loaded();
    const reading = reader.read(get('a', { rangeEnd: bytes('z') }));
    harness.push(put('a', '5'), put('b', '6'), { type: 'compact', revision: 6 });
    harness.lane.compact();

    const answer = await harness.run(reading);

    expect(answer.revision).toBeGreaterThanOrEqual(4);
    expect(answer.result.kvs).toHaveLength(2);
  });

  test('tells the bytes of a long range as it reads, and ends when it may not grow', async () => {
    const { harness, reader } = await loaded();
    const value = 'x'.repeat(1000);
    for (let at = 0; at < 200; at++) {
      harness.push(put(`k${String(at).padStart(3, '0')}`, value));
    }
    await harness.settle();
    const range = get('k', { rangeEnd: bytes('l') });
    const told: number[] = [];

    await harness.run(reader.read(range, { charge: (total) => told.push(total) }));

    expect(told.length).toBeGreaterThan(1);
    expect(told).toEqual(told.toSorted((a, b) => a - b));
    expect(told.at(-1)).toBeGreaterThan(200 * value.length);
    const tooMuch = new KvError('TOO_MANY_REQUESTS');
    const refuse = (): never => {
      throw tooMuch;
    };
    await expect(harness.run(reader.read(range, { charge: refuse }))).rejects.toBe(tooMuch);
    const kept: number[] = [];
    const counted = { ...range, countOnly: true };
    const answer = await harness.run(reader.read(counted, { charge: (total) => kept.push(total) }));
    expect(answer.result.count).toBe(200);
    expect(kept).toEqual(told.map(() => 0));
  });
});
