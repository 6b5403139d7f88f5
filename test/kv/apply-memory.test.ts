/**
 * What a batch holds in memory while it is applied, where the records that it reads are large: seen
 * by which of the values handed to it the garbage collector may not have.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { beforeEach, describe, expect, test } from 'vitest';
import { type Command, encodeCommand, type Loaded, type Need } from '../../src/kv/index.ts';
import type { ApplyOutput, Reading } from '../../src/kv/index.ts';
import { del, put, range, txn } from './commands.ts';
import { Machine } from './map-store.ts';

const kib = 1024;
const mib = 1024 * kib;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;
setFlagsFromString('--no-expose-gc');

let machine: Machine;
/** Values that were handed out. */
let handedOut: WeakRef<ArrayBufferLike>[];
/** Bytes of them that were held, at most, when more was asked for, and at the end. */
let heldMax: number;

beforeEach(() => {
  machine = new Machine({ cacheBytesMax: 0 });
  handedOut = [];
  heldMax = 0;
});

/** A copy, as an engine hands it out. */
function handOut(value: Uint8Array): Uint8Array {
  const copy = value.slice();
  handedOut.push(new WeakRef(copy.buffer));
  return copy;
}

function load(need: Need): Loaded {
  const loaded = machine.store.load(need);
  return loaded.type === 'get'
    ? { type: 'get', values: loaded.values.map((value) => value && handOut(value)) }
    : {
        type: 'scan',
        records: loaded.records.map(({ key, value }) => ({ key, value: handOut(value) })),
      };
}

/** Measures in a turn of its own: within one, what was looked at through a reference is kept. */
async function measure(): Promise<void> {
  await new Promise(setImmediate);
  collectGarbage();
  const held = handedOut.map((reference) => reference.deref()?.byteLength ?? 0);
  heldMax = Math.max(
    heldMax,
    held.reduce((a, b) => a + b, 0),
  );
  await new Promise(setImmediate);
}

/** Applies commands. */
async function apply(
  commands: readonly Command[],
  isWanted?: (at: number) => boolean,
): Promise<ApplyOutput> {
  const index = machine.machine.lastApplied.index + 1;
  const entries = commands.map((command, at) => ({
    ...{ index: index + at, term: 1 },
    command: encodeCommand(command),
  }));
  const reading: Reading<ApplyOutput> = machine.machine.apply(entries, isWanted);
  let step = reading.next();
  while (step.done !== true) {
    await measure();
    step = reading.next(load(step.value));
  }
  await measure();
  return step.value;
}

function fill(keys: number, valueBytes: number): void {
  for (let at = 0; at < keys; at++) {
    machine.run(put(keyOf(at), 'v'.repeat(valueBytes)));
  }
  machine.settle();
  machine = new Machine({ store: machine.store, cacheBytesMax: 0 });
}

function keyOf(at: number): string {
  return `k${String(at).padStart(5, '0')}`;
}

describe('while a batch is applied', () => {
  test('a deletion that tells of nothing holds no values of its range', async () => {
    fill(2500, 8 * kib);

    const { results } = await apply([del('k', 'l')]);

    expect(results).toMatchObject([{ kind: 'ok', result: { deleted: 2500 } }]);
    expect(handedOut.length).toBe(2500);
    expect(heldMax).toBeLessThan(4 * mib);
  });

  test('what nobody wants to know is forgotten once it is done', async () => {
    fill(64, 128 * kib);
    const reads = Array.from({ length: 8 }, () => txn([], [range('k', 'l')]));

    const { results } = await apply(reads, (at) => at === 7);

    expect(results.map((result) => result?.kind)).toEqual([
      ...Array.from({ length: 7 }, () => undefined),
      'ok',
    ]);
    expect(heldMax).toBeGreaterThan(8 * mib);
    expect(heldMax).toBeLessThan(17 * mib);
  });

  test('it ends with the command by which the results have come to much', async () => {
    fill(64, 128 * kib);
    const reads = Array.from({ length: 10 }, () => txn([], [range('k', 'l')]));

    const first = await apply(reads);
    const applied = machine.machine.lastApplied.index;
    const second = await apply(reads.slice(first.results.length));

    expect(first.results.map((result) => result?.kind)).toEqual(['ok', 'ok', 'ok', 'ok']);
    expect(applied).toBe(first.lastApplied.index);
    expect(second.lastApplied.index).toBe(applied + 4);
  });

  test('what nobody wants to know ends no batch', async () => {
    fill(64, 128 * kib);
    const reads = Array.from({ length: 10 }, () => txn([], [range('k', 'l')]));

    const { results } = await apply(reads, () => false);

    expect(results).toHaveLength(10);
  });

  test('it ends with the command by which the records of its keys have come to much', async () => {
    fill(150, mib);
    const writes = Array.from({ length: 150 }, (_, at) => put(keyOf(at), 'small'));

    const taken: number[] = [];
    while (writes.length > 0) {
      const { results, lastApplied } = await apply(writes);
      writes.splice(0, results.length);
      taken.push(results.length);
      expect(lastApplied.index).toBe(300 - writes.length);
    }

    expect(taken, 'sizes are not known yet, then known').toEqual([32, 33, 33, 33, 19]);
    expect(heldMax).toBeLessThan(40 * mib);
  });
});
