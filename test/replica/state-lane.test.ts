import { describe, expect, test } from 'vitest';
import { rangeQuery } from '../../src/kv/index.ts';
import { get, put } from './commands.ts';
import { LaneHarness } from './lane.ts';

describe('StateLane', () => {
  test('gives out results before the engine has them, and reads only after', async () => {
    const harness = new LaneHarness();
    harness.holdWrites();

    harness.push(put('a', '1'), put('b', '2'));
    await harness.settle();

    expect(harness.applied).toEqual([1, 2]);
    expect(harness.readable).toEqual([]);
    expect(harness.lane.readableRevision).toBe(1);

    await harness.releaseWrites();
    expect(harness.readable).toEqual([2]);
    expect(harness.lane.readableIndex).toBe(2);
    expect(harness.lane.readableRevision).toBe(3);
  });

  test('gives what was applied during a write to the engine as one write', async () => {
    const harness = new LaneHarness();
    harness.lane.compact();
    await harness.settle();
    harness.holdWrites();
    for (const key of ['a', 'b', 'c', 'd']) {
      harness.push(put(key, key));
      await harness.settle();
    }

    await harness.releaseWrites();

    expect(harness.applied).toEqual([1, 2, 3, 4]);
    expect(harness.written).toHaveLength(2);
    expect(harness.readable).toEqual([1, 4]);
  });

  test('cuts a long batch into pieces, with a turn of the event loop between them', async () => {
    const harness = new LaneHarness();

    harness.push(...Array.from({ length: 1200 }, (_, i) => put(`key ${i}`, 'value')));
    const atOnce = harness.applied.length;
    await harness.settle();

    expect(atOnce).toBeLessThanOrEqual(512);
    expect(harness.applied).toEqual(Array.from({ length: 1200 }, (_, i) => i + 1));
  });

  test('drops what it has not applied once it is closed: there may be another state', async () => {
    const harness = new LaneHarness(0);
    harness.push(put('a', '1'));
    await harness.settle();

    // The previous version of the key is not in memory: it has to be loaded.
    harness.push(put('a', '2'));
    await harness.lane.close();
    await harness.settle();

    expect(harness.applied).toEqual([1]);
    expect(harness.fatals).toEqual([]);
    await expect(
      harness.lane.read(rangeQuery(get('a'), { revision: 2, compactRevision: 0 })),
    ).rejects.toMatchObject({
      code: 'STOPPED',
    });
  });

  test('removes compacted history between batches and tells who waits for it', async () => {
    const harness = new LaneHarness();
    for (let i = 0; i < 600; i++) {
      harness.push(put('key', `${i}`));
    }
    harness.push({ type: 'compact', revision: 500 });
    await harness.settle();

    harness.lane.compact();
    const done = harness.lane.compactionDone();
    harness.push(put('other', 'x'));
    await harness.run(done);

    expect(harness.applied.at(-1)).toBe(602);
    expect(harness.lane.removedRevision).toBe(500);
    const point = { revision: 602, compactRevision: 0 };
    const past = await harness.run(
      harness.lane.read(rangeQuery(get('key', { revision: 300 }), point)),
    );
    expect(past, 'what was removed cannot be read, even by who does not know').not.toMatchObject({
      kind: 'ok',
      result: { count: 1 },
    });
  });

  test('a failing engine is fatal, and nothing becomes readable', async () => {
    const harness = new LaneHarness();
    harness.writeFailure = new Error('the disk is gone');

    harness.push(put('a', '1'));
    await harness.settle();

    expect(harness.fatals).toEqual([harness.writeFailure]);
    expect(harness.readable).toEqual([]);
  });

  test('closes only after the engine has what was applied, and takes nothing more', async () => {
    const harness = new LaneHarness();
    harness.holdWrites();
    harness.push(put('a', '1'));
    await harness.settle();
    let isClosed = false;
    const closing = harness.lane.close().then(() => {
      isClosed = true;
    });
    harness.push(put('b', '2'));
    await harness.settle();
    expect(isClosed).toBe(false);

    await harness.releaseWrites();
    await harness.run(closing);

    expect(harness.readable).toEqual([1]);
    expect(harness.applied).toEqual([1]);
  });
});
