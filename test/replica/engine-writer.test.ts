import { describe, expect, test } from 'vitest';
import type { StateWrite } from '../../src/kv/index.ts';
import { EngineWriter } from '../../src/replica/engine-writer.ts';
import { bytes } from './commands.ts';

class Harness {
  readonly batches: number[] = [];
  readonly told: unknown[] = [];
  readonly settled: number[] = [];
  failure: Error | undefined;
  readonly writer: EngineWriter;
  #sequence = 0;

  constructor() {
    const write = async (batch: readonly StateWrite[]): Promise<void> => {
      if (this.failure !== undefined) {
        throw this.failure;
      }
      this.batches.push(batch.length);
    };
    const machine = {
      ...{ lastApplied: { index: 0, term: 0 }, revision: 1 },
      settled: (sequence: number) => this.settled.push(sequence),
    };
    this.writer = new EngineWriter({ write }, machine, {
      onReadable: (index) => this.told.push(index),
      onRoom: () => this.told.push('room'),
      onFailed: (error) => this.told.push(error),
    });
  }

  add(index: number, onWritten?: () => void, value = bytes('v')): void {
    this.writer.add({
      writes: [{ type: 'put', key: bytes(`k${index}`), value }],
      sequence: ++this.#sequence,
      applied: { lastApplied: { index, term: 1 }, revision: index + 1 },
      onWritten,
    });
  }
}

describe('EngineWriter', () => {
  test('what came during a write goes as one batch after it', async () => {
    const harness = new Harness();
    harness.add(1);
    harness.writer.write();
    harness.add(2);
    harness.add(3);
    harness.writer.write();
    expect(harness.writer.waitingWrites).toBe(2);

    await harness.writer.written();

    expect(harness.batches).toEqual([1, 2]);
    expect(harness.told).toEqual([1, 3]);
    expect(harness.settled).toEqual([1, 3]);
    expect([harness.writer.readableIndex, harness.writer.readableRevision]).toEqual([3, 4]);
  });

  test('nothing is written before it is asked for', async () => {
    const harness = new Harness();
    const order: string[] = [];
    harness.add(1, () => order.push('written'));
    await Promise.resolve();
    expect(harness.batches).toEqual([]);

    await harness.writer.written();

    expect(order).toEqual(['written']);
  });

  test('is full of what waits, not of what is on its way, and tells of new room', async () => {
    const harness = new Harness();
    const large = new Uint8Array(32 * 1024 * 1024);
    harness.add(1, undefined, large);
    expect(harness.writer.isFull).toBe(true);
    harness.writer.write();
    expect([harness.writer.isFull, harness.told]).toEqual([false, ['room']]);
    harness.add(2, undefined, large);
    harness.writer.write();
    expect(harness.writer.isFull).toBe(true);

    await harness.writer.written();

    expect(harness.writer.isFull).toBe(false);
    expect(harness.told).toEqual(['room', 1, 'room', 2]);
  });

  test('a failure of the engine is told, and what waited stays unwritten', async () => {
    const harness = new Harness();
    harness.failure = new Error('gone');
    harness.add(1);

    await harness.writer.written();

    expect(harness.told).toEqual([harness.failure]);
    harness.failure = undefined;
    harness.add(2);
    await harness.writer.written();
    expect(harness.batches, 'no batch may follow a lost one').toEqual([]);
    expect(harness.writer.readableIndex).toBe(0);
  });
});
