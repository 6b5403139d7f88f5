import { describe, expect, test } from 'vitest';
import { type Command, rangeQuery } from '../../src/kv/index.ts';
import { get, put } from './commands.ts';
import { LaneHarness } from './lane.ts';

const grant = (id: bigint): Command => ({ type: 'leaseGrant', id, ttlMs: 1000 });
const stamp = (timeMs: number): Command => ({ type: 'advanceTime', timeMs, keepAnswersMs: 1000 });

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
    // One event; the other three, and all that a checkpoint has; one current record each.
    expect(harness.written).toEqual([1, 3 + 4 + 1]);
    expect(harness.readable).toEqual([4]);
  });

  test('cuts a long batch into pieces, with a turn of the event loop between them', async () => {
    const harness = new LaneHarness();

    harness.push(...Array.from({ length: 2400 }, (_, i) => put(`key ${i}`, 'value')));
    const atOnce = harness.applied.length;
    await harness.settle();

    expect(atOnce).toBeLessThanOrEqual(1024);
    expect(harness.applied).toEqual(Array.from({ length: 2400 }, (_, i) => i + 1));
  });

  test('goes on with the entries that a batch had no memory for', async () => {
    const harness = new LaneHarness(0);
    const large = 'v'.repeat(1024 * 1024);
    const keys = Array.from({ length: 80 }, (_, i) => `key ${i}`);
    harness.push(...keys.map((key) => put(key, large)));
    await harness.settle();
    harness.push(...keys.slice(0, 5).map((key) => put(key, 'it shows how large they are')));
    await harness.settle();
    let batches = 0;
    harness.onProgress = () => {
      batches++;
    };

    harness.push(...keys.slice(5).map((key) => put(key, 'small')));
    await harness.settle();

    expect(harness.applied).toEqual(Array.from({ length: 160 }, (_, i) => i + 1));
    expect(harness.results).toHaveLength(160);
    expect(batches).toBe(3);
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

  test('a step of removal rests until its time has come, and batches do not', async () => {
    const harness = new LaneHarness();
    harness.push(...Array.from({ length: 500 }, (_, i) => put('key', `${i}`)));
    harness.push({ type: 'compact', revision: 500 });
    await harness.settle();
    harness.lane.compact();
    await harness.settleNow();
    expect(harness.removals).toHaveLength(1);
    expect(harness.timers).toBe(1);

    harness.push(put('other', 'x'));
    await harness.settleNow();
    expect(harness.applied.at(-1)).toBe(502);
    expect(harness.removals).toHaveLength(1);

    await harness.settle();
    expect(harness.removals.map(({ isDone }) => isDone)).toEqual([false, false, false, true]);
    expect(harness.removals.map(({ removed }) => removed)).toEqual([127, 128, 128, 115]);
    await harness.run(harness.lane.compactionDone());
  });

  test('a batch waits for nothing while a step looks for what to remove', async () => {
    const harness = new LaneHarness();
    harness.push(...Array.from({ length: 500 }, (_, i) => put('key', `${i}`)));
    harness.push({ type: 'compact', revision: 500 });
    await harness.settle();
    harness.holdScans();
    harness.lane.compact();
    await harness.settleNow();
    expect(harness.heldScans).toBe(1);

    for (let i = 0; i < 50; i++) {
      harness.push(put('other', `${i}`));
    }
    await harness.settleNow();
    expect(harness.applied.at(-1)).toBe(551);
    harness.lane.wanted();
    await harness.settleNow();

    expect(harness.readable.at(-1)).toBe(551);
    expect(harness.removals).toEqual([]);
    await harness.releaseScans();
    expect(harness.removals).toHaveLength(1);
  });

  test('a step waits for no write of the engine, and no batch for that of a step', async () => {
    const harness = new LaneHarness();
    harness.push(...Array.from({ length: 500 }, (_, i) => put('key', `${i}`)));
    harness.push({ type: 'compact', revision: 500 });
    await harness.settle();
    harness.holdScans();
    harness.lane.compact();
    await harness.settleNow();
    harness.holdWrites();
    harness.push(put('a', '1'));
    await harness.settleNow();
    const writesBefore = harness.written.length;

    await harness.releaseScans();
    harness.push(put('a', '2'));
    await harness.settleNow();

    expect(harness.written).toHaveLength(writesBefore);
    expect(harness.applied.at(-1)).toBe(503);
    await harness.releaseWrites();
    expect(harness.readable.at(-1)).toBe(503);
  });

  test('a long removal lets every batch by, and still goes on under load', async () => {
    const harness = new LaneHarness();
    const revisions = Number(process.env['LANE_REVISIONS'] ?? 10_000);
    for (let from = 0; from < revisions; from += 500) {
      harness.push(...Array.from({ length: 500 }, (_, i) => put('key', `${from + i}`)));
    }
    harness.push({ type: 'compact', revision: revisions });
    await harness.settle();
    harness.lane.compact();
    await harness.settleNow();
    const steps = (): number => harness.removals.length;
    let applied = harness.applied.length;

    // Always a batch more than the lane has taken: the queue is never empty.
    let most = 0;
    const turns = Math.floor(revisions / 250);
    for (let turn = 0; turn < turns; turn++) {
      const before = steps();
      harness.push(put('other', `${turn}`));
      harness.push(put('other', `${turn}+`));
      await harness.settleNow();
      harness.fireTimers();
      expect(harness.applied.length).toBe((applied += 2));
      most = Math.max(most, steps() - before);
    }
    expect(most).toBe(1);
    // A step has two writes behind each other, so it takes two turns.
    expect(steps()).toBe(turns / 2);

    await harness.settle();
    expect(harness.removals.at(-1)).toMatchObject({ isDone: true });
    expect(steps()).toBe(Math.ceil(revisions / 128));
    const total = harness.removals.reduce((sum, { removed }) => sum + removed, 0);
    expect(total).toBe(revisions - 2);
  });

  test('under unbroken load a step has its turn after sixteen batches', async () => {
    const harness = new LaneHarness();
    harness.push(...Array.from({ length: 500 }, (_, i) => put('key', `${i}`)));
    harness.push({ type: 'compact', revision: 500 });
    await harness.settle();
    harness.holdScans();
    harness.lane.compact();
    await harness.settleNow();
    const order: string[] = [];
    harness.onProgress = (what) => order.push(what);
    // They wait behind a batch that needs a record which is not in memory.
    harness.holdGets();
    harness.push(put('unknown', '1'));
    // Long ones, so that no two of them become one.
    const long = Array.from({ length: 600 }, (_, i) => put('key', `more ${i}`));
    for (let i = 0; i < 40; i++) {
      harness.push(...long);
    }
    await harness.releaseScans();
    expect(order).toEqual([]);

    await harness.releaseGets();

    const first = order.indexOf('step');
    // It is told once it is in the engine, a few batches later.
    expect(first).toBeGreaterThan(16);
    expect(first).toBeLessThan(41);
    expect(order.filter((what) => what === 'batch')).toHaveLength(41);
  });

  test('while nobody reads, the writes of awaited batches wait for more', async () => {
    const harness = new LaneHarness();
    await harness.settle();

    harness.push(put('a', '1'));
    harness.push(put('b', '2'));
    await harness.settleNow();
    expect(harness.applied).toEqual([1, 2]);
    expect(harness.written).toEqual([]);

    harness.fireTimers();
    await harness.settleNow();
    expect(harness.written, 'their events').toEqual([2]);
    expect(harness.readable).toEqual([]);
  });

  test('a checkpoint waits until nothing has come for a while', async () => {
    const harness = new LaneHarness();
    await harness.settle();
    for (const value of ['1', '2', '3']) {
      harness.push(put('a', value));
      await harness.settleNow();
      harness.fireTimers();
      await harness.settleNow();
    }
    expect(harness.written).toEqual([1, 1, 1]);

    harness.fireTimers();
    await harness.settleNow();

    expect(harness.readable).toEqual([3]);
    // One current record, and the meta record.
    expect(harness.written).toEqual([1, 1, 1, 2]);
    expect(harness.timers).toBe(0);
  });

  test('what has waited before it was applied is no sign that nothing comes any more', async () => {
    const harness = new LaneHarness();
    harness.push(put('a', '1'));
    await harness.settle();
    harness.pushUnawaited(put('a', '2'));
    harness.fireTimers();
    await harness.settleNow();
    expect([harness.applied, harness.readable]).toEqual([[1, 2], [1]]);

    harness.fireTimers();
    await harness.settleNow();
    expect(harness.readable).toEqual([1]);
    harness.fireTimers();
    await harness.settleNow();
    expect(harness.readable).toEqual([1, 2]);
  });

  test('a checkpoint that is due waits for nothing', async () => {
    const harness = new LaneHarness();
    await harness.settle();
    const large = 'v'.repeat(1024 * 1024);
    for (let i = 0; i < 15; i++) {
      harness.push(put(`key ${i}`, large));
    }
    await harness.settleNow();
    expect([harness.applied.length, harness.written]).toEqual([15, []]);

    harness.push(put('key 15', large));
    await harness.settleNow();

    expect(harness.readable).toEqual([16]);
  });

  test('a checkpoint waits for a second at most while more and more comes', async () => {
    const harness = new LaneHarness();
    await harness.settle();
    for (let i = 1; i <= 25; i++) {
      harness.push(put('a', `${i}`));
      await harness.settleNow();
      harness.nowMs += 40;
      harness.fireTimers();
      await harness.settleNow();
      expect(harness.readable).toEqual(i < 25 ? [] : [25]);
    }
    for (let i = 26; i <= 50; i++) {
      harness.push(put('a', `${i}`));
      await harness.settleNow();
      harness.nowMs += 40;
    }
    harness.push(put('a', 'last'));
    await harness.settleNow();
    expect(harness.readable).toEqual([25, 51]);
  });

  test('a checkpoint waits for no more while a read waits for the state', async () => {
    const harness = new LaneHarness();
    await harness.settle();
    harness.hasReaders = true;
    harness.push(put('a', '1'));
    await harness.settleNow();
    expect(harness.readable).toEqual([1]);
    harness.hasReaders = false;
    harness.pushUnawaited(put('a', '2'));
    harness.hasReaders = true;
    harness.fireTimers();
    await harness.settleNow();
    expect(harness.readable).toEqual([1, 2]);
  });

  test('a batch that nobody waits for is applied with those after it', async () => {
    const harness = new LaneHarness();
    await harness.settle();

    harness.pushUnawaited(put('a', '1'));
    harness.pushUnawaited(put('b', '2'));
    await harness.settleNow();
    expect(harness.applied).toEqual([]);

    harness.push(put('c', '3'));
    await harness.settleNow();
    expect(harness.applied, 'an awaited one takes those before it along').toEqual([1, 2, 3]);
    await harness.settle();
    expect(harness.readable).toEqual([3]);
  });

  test('what nobody waits for leaves no result behind', async () => {
    const harness = new LaneHarness();

    harness.pushUnawaited(put('a', '1'), put('b', '2'));
    harness.push(put('c', '3'));
    await harness.settle();

    expect(harness.applied).toEqual([1, 2, 3]);
    expect(harness.results).toMatchObject([undefined, undefined, { kind: 'ok', revision: 4 }]);
  });

  test('what waited before it was applied does not wait again for the engine', async () => {
    const harness = new LaneHarness();
    await harness.settle();
    harness.pushUnawaited(put('a', '1'));

    harness.fireTimers();
    await harness.settleNow();

    expect(harness.written).toEqual([1]);
    await harness.settle();
    expect(harness.readable).toEqual([1]);
  });

  test('nothing waits while somebody listens to changes or reads', async () => {
    const harness = new LaneHarness();
    await harness.settle();
    harness.hasListeners = true;
    harness.pushUnawaited(put('a', '1'));
    await harness.settleNow();
    expect(harness.applied).toEqual([1]);
    harness.hasListeners = false;

    harness.lane.wanted();
    harness.pushUnawaited(put('a', '2'));
    harness.push(put('a', '3'));
    await harness.settleNow();
    expect(harness.readable.at(-1)).toBe(3);

    harness.nowMs += 1000;
    harness.pushUnawaited(put('a', '4'));
    await harness.settleNow();
    expect(harness.applied, 'they read no more').toEqual([1, 2, 3]);
  });

  test('a stamp does not wait while the one before has left it something to end', async () => {
    const harness = new LaneHarness();
    await harness.settle();
    // One more than a stamp ends.
    const grants = Array.from({ length: 257 }, (_, i) => grant(BigInt(i + 1)));
    harness.push(...grants, stamp(1), stamp(2));
    await harness.settle();

    harness.pushUnawaited(stamp(5000));
    await harness.settleNow();
    expect(harness.applied).toHaveLength(259);
    await harness.settle();
    harness.pushUnawaited(stamp(5001));
    await harness.settleNow();
    expect(harness.applied).toHaveLength(261);

    harness.pushUnawaited(stamp(5002));
    await harness.settleNow();
    expect(harness.applied, 'all is at its end').toHaveLength(261);
  });

  test('a reader who wants it up to date sees all that is applied', async () => {
    const harness = new LaneHarness();
    await harness.settle();
    harness.push(put('a', '1'), put('b', '2'));
    await harness.settleNow();
    expect(harness.lane.readableIndex).toBe(0);

    await harness.lane.upToDate();

    expect(harness.lane.readableIndex).toBe(2);
  });

  test('all can be read only once what is on its way is there', async () => {
    const harness = new LaneHarness();
    await harness.settle();
    harness.push(put('a', '1'));
    await harness.settleNow();
    harness.holdWrites();
    harness.lane.wanted();
    const order: string[] = [];
    const waiting = harness.lane.allReadable().then(() => order.push('readable'));
    await harness.settleNow();
    expect(order).toEqual([]);

    await harness.releaseWrites();
    await waiting;

    expect(harness.lane.readableIndex).toBe(1);
    await harness.lane.allReadable();
  });

  test('all can be read, what has waited among it that needs nothing from the engine', async () => {
    const harness = new LaneHarness();
    harness.push(put('a', '1'));
    await harness.settle();
    harness.pushUnawaited(put('a', '2'));
    expect(harness.applied).toEqual([1]);

    await harness.lane.allReadable();

    expect(harness.lane.readableIndex).toBe(2);
  });

  test('batches and writes that wait are bounded', async () => {
    const harness = new LaneHarness();
    await harness.settle();
    for (let i = 0; i < 1023; i++) {
      harness.pushUnawaited(put('a', `${i}`));
    }
    await harness.settleNow();
    expect(harness.applied).toEqual([]);
    harness.pushUnawaited(put('a', 'last'));
    await harness.settleNow();
    expect(harness.applied).toHaveLength(1024);

    await harness.settle();
    harness.written.length = 0;
    for (let i = 0; i < 2047; i++) {
      harness.push(put('a', `${i}`));
    }
    await harness.settleNow();
    expect(harness.written).toEqual([]);
    harness.push(put('a', 'last'));
    await harness.settleNow();
    expect(harness.written).toEqual([2048]);
  });

  test('an engine that does not keep pace holds batches back, and none is lost', async () => {
    const harness = new LaneHarness();
    const large = 'v'.repeat(1024 * 1024);
    harness.holdWrites();
    for (let i = 0; i < 100; i++) {
      harness.push(put(`key ${i}`, large));
      await harness.settle();
    }
    // The first is on its way; current records share the bytes of their events.
    expect(harness.applied).toHaveLength(1 + 32);

    await harness.releaseWrites();

    expect(harness.applied).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
    expect(harness.lane.readableIndex).toBe(100);
  });

  test('closing leaves no timer behind', async () => {
    const harness = new LaneHarness();
    harness.push(...Array.from({ length: 500 }, (_, i) => put('key', `${i}`)));
    harness.push({ type: 'compact', revision: 500 });
    await harness.settle();
    harness.lane.compact();
    await harness.settleNow();
    expect(harness.timers).toBe(1);

    await harness.lane.close();

    expect(harness.timers).toBe(0);
  });

  test('whoever waits for history to go is told when the lane closes before', async () => {
    const harness = new LaneHarness();
    harness.push(...Array.from({ length: 500 }, (_, i) => put('key', `${i}`)));
    harness.push({ type: 'compact', revision: 500 });
    await harness.settle();
    harness.lane.compact();
    const waiting = harness.lane.compactionDone().catch((error: unknown) => error);
    await harness.settleNow();

    await harness.lane.close();

    expect(await waiting).toMatchObject({ code: 'STOPPED' });
    await expect(harness.lane.compactionDone()).rejects.toMatchObject({ code: 'STOPPED' });
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
