import { describe, expect, test } from 'vitest';
import type { Checkpoint, StateWrite } from '../../src/kv/index.ts';
import { EngineWriter } from '../../src/replica/engine-writer.ts';
import { bytes, text } from '../kv/map-store.ts';

/** A writer over an engine that notes its batches: `e1` an event, `c1` a checkpoint at index 1. */
class Harness {
  readonly batches: string[] = [];
  readonly told: unknown[] = [];
  readonly settled: number[] = [];
  failure: Error | undefined;
  /** While true, writes end only when they are released. */
  isHeld = false;
  #releases: (() => void)[] = [];
  readonly writer: EngineWriter;
  /** What the next checkpoint would have. */
  readonly next = { count: 0, bytes: 0 };
  #index = 0;

  constructor() {
    const write = async (batch: readonly StateWrite[]): Promise<void> => {
      if (this.failure !== undefined) {
        throw this.failure;
      }
      this.batches.push(batch.map(({ key }) => text(key)).join(' '));
      if (this.isHeld) {
        await new Promise<void>((resolve) => this.#releases.push(resolve));
      }
    };
    const { next } = this;
    const start = {
      ...{ lastApplied: { index: 0, term: 0 }, revision: 1 },
      checkpoints: {
        take: (): Checkpoint => this.#take(),
        settled: (sequence: number) => this.settled.push(sequence),
        get count() {
          return next.count;
        },
        get bytes() {
          return next.bytes;
        },
      },
    };
    this.writer = new EngineWriter({ write }, start, {
      onReadable: (index) => this.told.push(index),
      onRoom: () => this.told.push('room'),
      onFailed: (error) => this.told.push(error),
    });
  }

  /** The state machine has applied the next entry, with one event. */
  add(value = bytes('v')): void {
    this.#index++;
    this.next.count++;
    this.writer.add([{ type: 'put', key: bytes(`e${this.#index}`), value }]);
  }

  /** A step of removal removes one event. */
  remove(name: string): void {
    this.writer.remove([{ type: 'delete', key: bytes(name) }], () => this.told.push(name));
  }

  /** The write that is held ends. */
  release(): void {
    const releases = this.#releases;
    this.#releases = [];
    for (const release of releases) {
      release();
    }
  }

  #take(): Checkpoint {
    const index = this.#index;
    this.next.count = 0;
    this.next.bytes = 0;
    const writes: StateWrite[] = [{ type: 'put', key: bytes(`c${index}`), value: bytes('') }];
    return { sequence: index, writes, index, revision: index + 1 };
  }
}

/** Lets the engine come to an end with what it has. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) {
    await Promise.resolve();
  }
}

describe('EngineWriter', () => {
  test('events go as they come, and can be read once a checkpoint has followed', async () => {
    const harness = new Harness();
    harness.add();
    harness.writer.write();
    harness.add();
    harness.add();
    expect(harness.writer.waitingEvents).toBe(2);
    harness.writer.write();
    await settle();
    expect(harness.batches).toEqual(['e1', 'e2 e3']);
    expect([harness.told, harness.writer.readableIndex]).toEqual([[], 0]);

    harness.add();
    await harness.writer.written();

    expect(harness.batches.slice(2)).toEqual(['e4 c4']);
    expect([harness.told, harness.settled]).toEqual([[4], [4]]);
    expect([harness.writer.readableIndex, harness.writer.readableRevision]).toEqual([4, 5]);
  });

  test('a checkpoint that is asked for during a write goes right after it', async () => {
    const harness = new Harness();
    harness.add();
    harness.writer.write();
    harness.add();
    harness.writer.checkpoint();
    harness.add();

    await harness.writer.written();

    expect(harness.batches).toEqual(['e1', 'e2 e3 c3']);
    expect(harness.told).toEqual([3]);
  });

  test('who waits during a write waits for the checkpoint after it, and for no more', async () => {
    const harness = new Harness();
    harness.isHeld = true;
    harness.add();
    harness.writer.write();
    harness.add();
    let isOver = false;
    void harness.writer.written().then(() => {
      isOver = true;
    });

    harness.release();
    await settle();
    expect([isOver, harness.batches]).toEqual([false, ['e1', 'e2 c2']]);
    harness.add();
    harness.writer.checkpoint();
    harness.release();
    await settle();

    expect([isOver, harness.batches.slice(2)]).toEqual([true, ['e3 c3']]);
    expect(harness.writer.readableIndex).toBe(2);
  });

  test('what comes during a checkpoint goes after it, with none of its own', async () => {
    const harness = new Harness();
    harness.add();
    harness.writer.checkpoint();
    harness.add();
    await settle();
    expect(harness.batches).toEqual(['e1 c1', 'e2']);
  });

  test('nothing is written before it is asked for, nor when there is nothing', async () => {
    const harness = new Harness();
    await harness.writer.written();
    harness.writer.write();
    harness.add();
    await settle();
    expect(harness.batches).toEqual([]);

    await harness.writer.written();
    await harness.writer.written();

    expect(harness.batches).toEqual(['e1 c1']);
  });

  test('a step of removal has its checkpoint at once, and is told of it', async () => {
    const harness = new Harness();
    harness.add();
    harness.writer.write();
    harness.writer.addStep(() => harness.told.push('step'));
    await settle();
    expect(harness.batches).toEqual(['e1', 'c1']);
    expect(harness.told).toEqual([1, 'step']);
  });

  test('what a step removes of history goes after its checkpoint, ahead of the next', async () => {
    const harness = new Harness();
    harness.add();
    harness.writer.addStep(() => {
      harness.remove('r1');
    });
    harness.writer.write();
    await settle();
    expect(harness.batches).toEqual(['e1 c1', 'r1']);
    expect(harness.told).toEqual([1, 'r1']);

    harness.add();
    harness.writer.write();
    harness.remove('r2');
    await harness.writer.written();
    expect(harness.batches.slice(2)).toEqual(['e2', 'r2 c2']);
    expect(harness.told).toEqual([1, 'r1', 2, 'r2']);
  });

  test('nothing to remove is told of as well', async () => {
    const harness = new Harness();
    harness.writer.remove([], () => harness.told.push('nothing'));
    await settle();
    expect(harness.told).toEqual(['nothing']);
  });

  test('a checkpoint is due after so many operations', async () => {
    const harness = new Harness();
    harness.add();
    harness.next.count = 12_287;
    harness.writer.write();
    await settle();
    harness.add();
    expect(harness.writer.isDue).toBe(true);
    harness.writer.write();
    await settle();
    expect(harness.batches).toEqual(['e1', 'e2 c2']);
    expect(harness.writer.isDue).toBe(false);
  });

  test('a checkpoint is due after so many bytes of history, and of all else', async () => {
    const harness = new Harness();
    const half = new Uint8Array(8 * 1024 * 1024);
    harness.add(half);
    harness.writer.write();
    await settle();
    expect(harness.writer.isDue).toBe(false);
    harness.next.bytes = half.length;
    harness.add();
    harness.writer.write();
    await settle();
    expect(harness.batches).toEqual(['e1', 'e2 c2']);
    harness.add(half);
    harness.add(half);
    harness.writer.write();
    await settle();
    expect(harness.batches.slice(2)).toEqual(['e3 e4 c4']);
    harness.add();
    harness.writer.write();
    await settle();
    expect(harness.batches.slice(3), 'bytes count anew').toEqual(['e5']);
  });

  test('is full of what waits, not of what is on its way, and tells of new room', async () => {
    const harness = new Harness();
    const large = new Uint8Array(32 * 1024 * 1024);
    harness.add(large);
    expect(harness.writer.isFull).toBe(true);
    harness.writer.write();
    expect([harness.writer.isFull, harness.told]).toEqual([false, ['room']]);
    harness.add();
    harness.next.bytes = large.length;
    harness.writer.write();
    expect(harness.writer.isFull).toBe(true);

    await harness.writer.written();

    expect(harness.writer.isFull).toBe(false);
    expect(harness.told).toEqual(['room', 1, 'room', 2]);
  });

  test('a failure of the engine is told, and what waited stays unwritten', async () => {
    const harness = new Harness();
    harness.failure = new Error('gone');
    harness.add();

    await harness.writer.written();

    expect(harness.told).toEqual([harness.failure]);
    harness.failure = undefined;
    harness.add();
    await harness.writer.written();
    expect(harness.batches, 'no batch may follow a lost one').toEqual([]);
    expect(harness.writer.readableIndex).toBe(0);
  });
});
