import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createStage, type Item, type Stage } from '../../../chaos/toxiproxy/stage.ts';
import type { Attributes, Toxic, ToxicType } from '../../../chaos/toxiproxy/toxic.ts';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

/** A stage with what it has emitted, each with the time since the start. */
class Bench {
  readonly emitted: string[] = [];
  /** When each of these counts as arrived. */
  readonly arrivals: number[] = [];
  dropped = 0;
  readonly memory = { passedBytes: 0 };
  readonly stage: Stage;
  readonly #startMs = performance.now();

  constructor(type: ToxicType, attributes: Attributes = {}, toxicity = 1, random = 0.5) {
    const toxic: Toxic = {
      name: type,
      type,
      direction: 'downstream',
      stream: 'downstream',
      toxicity,
      attributes,
    };
    this.stage = createStage(toxic, {
      emit: (item) => {
        this.emitted.push(`${this.nowMs()} ${describeItem(item)}`);
        this.arrivals.push(item.kind === 'end' ? 0 : item.arrivedMs - this.#startMs);
      },
      drop: (byteCount) => (this.dropped += byteCount),
      memory: this.memory,
      random: () => random,
      nowMs: () => performance.now(),
    });
  }

  nowMs(): number {
    return Math.round(performance.now() - this.#startMs);
  }

  chunk(text: string): void {
    this.stage.take({ kind: 'chunk', bytes: Buffer.from(text), arrivedMs: performance.now() });
  }

  end(): void {
    this.stage.take({ kind: 'end' });
  }
}

function describeItem(item: Item): string {
  return item.kind === 'end' ? 'end' : item.bytes.toString();
}

describe('createStage', () => {
  test('noop passes everything at once', () => {
    const bench = new Bench('noop');

    bench.chunk('a');
    bench.end();

    expect(bench.emitted).toEqual(['0 a', '0 end']);
  });

  test('latency delays each chunk from its own arrival, and keeps the order', () => {
    const bench = new Bench('latency', { latency: 100, jitter: 0 });

    bench.chunk('a');
    vi.advanceTimersByTime(60);
    bench.chunk('b');
    bench.end();
    vi.advanceTimersByTime(200);

    expect(bench.emitted).toEqual(['100 a', '160 b', '160 end']);
  });

  test('jitter moves the delay both ways', () => {
    const early = new Bench('latency', { latency: 100, jitter: 50 }, 1, 0);
    const late = new Bench('latency', { latency: 100, jitter: 50 }, 1, 0.9999);

    early.chunk('a');
    late.chunk('a');
    vi.advanceTimersByTime(300);

    expect(early.emitted).toEqual(['50 a']);
    expect(late.emitted).toEqual(['149 a']);
  });

  test('bandwidth cuts large chunks into pieces of 100 ms', () => {
    const bench = new Bench('bandwidth', { rate: 1 });

    bench.chunk('x'.repeat(250));
    vi.advanceTimersByTime(1000);

    expect(bench.emitted).toEqual([
      `100 ${'x'.repeat(100)}`,
      `200 ${'x'.repeat(100)}`,
      `250 ${'x'.repeat(50)}`,
    ]);
  });

  test('a bandwidth of 0 holds everything until the toxic is removed', () => {
    const bench = new Bench('bandwidth', { rate: 0 });

    bench.chunk('a');
    bench.end();
    vi.advanceTimersByTime(100_000);

    expect(bench.emitted).toEqual([]);
    expect(bench.stage.release().map(describeItem)).toEqual(['a', 'end']);
  });

  test('slow_close delays the end alone', () => {
    const bench = new Bench('slow_close', { delay: 500 });

    bench.chunk('a');
    bench.end();
    vi.advanceTimersByTime(500);

    expect(bench.emitted).toEqual(['0 a', '500 end']);
  });

  test('timeout drops all, and ends after the last chunk', () => {
    const bench = new Bench('timeout', { timeout: 100 });

    vi.advanceTimersByTime(80);
    bench.chunk('abc');
    vi.advanceTimersByTime(99);
    expect(bench.emitted).toEqual([]);
    vi.advanceTimersByTime(1);

    expect(bench.emitted).toEqual(['180 end']);
    expect(bench.dropped).toBe(3);
  });

  test('a timeout of 0 ends when the toxic is removed, not before', () => {
    const bench = new Bench('timeout', { timeout: 0 });

    bench.chunk('abc');
    vi.advanceTimersByTime(100_000);

    expect(bench.emitted).toEqual([]);
    expect(bench.stage.release().map(describeItem)).toEqual(['end']);
  });

  test('timeout passes an end on at once, and has nothing to end after that', () => {
    const bench = new Bench('timeout', { timeout: 100 });

    bench.end();
    vi.advanceTimersByTime(1000);

    expect(bench.emitted).toEqual(['0 end']);
    expect(bench.stage.release()).toEqual([]);
  });

  test('reset_peer ends after its timeout, from the first chunk or the end on', () => {
    const bench = new Bench('reset_peer', { timeout: 100 });
    const closed = new Bench('reset_peer', { timeout: 0 });

    vi.advanceTimersByTime(1000);
    expect(bench.emitted).toEqual([]);
    bench.chunk('a');
    bench.chunk('b');
    closed.end();
    vi.advanceTimersByTime(200);

    expect(bench.emitted).toEqual(['1100 end']);
    expect(bench.dropped).toBe(2);
    expect(closed.emitted).toEqual(['1000 end']);
  });

  test('reset_peer cannot be held up once it has begun', () => {
    const idle = new Bench('reset_peer', { timeout: 100 });
    const begun = new Bench('reset_peer', { timeout: 100 });

    begun.chunk('a');

    expect(idle.stage.release()).toEqual([]);
    expect(begun.stage.release().map(describeItem)).toEqual(['end']);
  });

  test('slicer halves chunks down to the average size and pauses after each piece', () => {
    const bench = new Bench('slicer', { average_size: 2, size_variation: 0, delay: 10_000 });

    bench.chunk('abcdefg');
    bench.chunk('hi');
    vi.advanceTimersByTime(100);

    expect(bench.emitted).toEqual(['0 a', '10 bc', '20 de', '30 fg', '40 hi']);
  });

  test('slicer moves its cuts by the variation, and takes any sizes', () => {
    const varied = new Bench('slicer', { average_size: 4, size_variation: 2, delay: 0 }, 1, 0);
    const wild = new Bench('slicer', { average_size: 0, size_variation: 100, delay: 0 }, 1, 0);

    varied.chunk('abcdefghij');
    wild.chunk('x'.repeat(102));

    expect(varied.emitted.map((each) => each.slice(2))).toEqual(['abc', 'd', 'efghij']);
    expect(wild.emitted).toEqual(['0 x', `0 ${'x'.repeat(101)}`]);
  });

  test('limit_data ends after so many bytes and drops the rest', () => {
    const bench = new Bench('limit_data', { bytes: 4 });

    bench.chunk('abc');
    bench.chunk('def');
    bench.chunk('g');

    expect(bench.emitted).toEqual(['0 abc', '0 d', '0 end']);
    expect(bench.dropped).toBe(3);
    expect(bench.memory.passedBytes).toBe(4);
  });

  test('a connection that toxicity spares is left alone', () => {
    const spared = new Bench('timeout', { timeout: 0 }, 0.5, 0.5);
    const hit = new Bench('timeout', { timeout: 0 }, 0.5, 0.49);

    spared.chunk('a');
    hit.chunk('a');

    expect(spared.emitted).toEqual(['0 a']);
    expect(hit.emitted).toEqual([]);
  });

  test('a released stage does nothing any more', () => {
    const bench = new Bench('latency', { latency: 100, jitter: 0 });

    bench.chunk('a');
    expect(bench.stage.release().map(describeItem)).toEqual(['a']);
    vi.advanceTimersByTime(1000);

    expect(bench.emitted).toEqual([]);
  });

  test('latencies add up: a chunk counts as arrived when it leaves', () => {
    const bench = new Bench('latency', { latency: 100, jitter: 0 });

    bench.chunk('a');
    vi.advanceTimersByTime(100);

    const [arrivedMs = 0] = bench.arrivals;
    expect(Math.round(arrivedMs)).toBe(100);
  });

  test('an interrupted stage emits what it has in hand, and gives back what waits', () => {
    const slow = new Bench('latency', { latency: 100, jitter: 0 });
    const narrow = new Bench('bandwidth', { rate: 1 });
    const closing = new Bench('slow_close', { delay: 100 });

    slow.chunk('a');
    slow.chunk('b');
    narrow.chunk('x'.repeat(150));
    vi.advanceTimersByTime(100);
    slow.chunk('c');
    slow.chunk('d');
    closing.end();

    expect(slow.stage.interrupt().map(describeItem)).toEqual(['d']);
    expect(slow.emitted).toEqual(['100 a', '100 b', '100 c']);
    narrow.stage.interrupt();
    expect(narrow.emitted).toEqual([`100 ${'x'.repeat(100)}`, `100 ${'x'.repeat(50)}`]);
    expect(closing.stage.interrupt().map(describeItem)).toEqual(['end']);
    expect(closing.emitted).toEqual([]);
  });

  test('what timers fire too late is taken off the next wait of a bandwidth', () => {
    const bench = new Bench('bandwidth', { rate: 1000 });

    for (let i = 0; i < 4; i++) {
      // Each takes 0.5 ms, and timers count whole ones.
      bench.chunk('x'.repeat(500));
    }
    vi.advanceTimersByTime(10);

    expect(bench.emitted.map((each) => each.split(' ')[0])).toEqual(['1', '1', '2', '2']);
  });
});
