import { beforeEach, describe, expect, test } from 'vitest';
import {
  type Command,
  encodeCommand,
  eventsAhead,
  StateMachine,
  verifyState,
} from '../../src/kv/index.ts';
import { isIn, keysRange, stateMetaKey } from '../../src/kv/key-layout.ts';
import { decodeMeta } from '../../src/kv/state-meta.ts';
import { del, put } from './commands.ts';
import { bytes, MapStore, runReading } from './map-store.ts';

const grant: Command = { type: 'leaseGrant', id: 7n, ttlMs: 60_000 };

let store: MapStore;
let machine: StateMachine;

function open(): StateMachine {
  return runReading(StateMachine.open({ cacheBytesMax: 1_000_000 }), store);
}

/** Applies commands as one batch; only its events go to the engine. */
function apply(...commands: readonly Command[]): void {
  const entries = commands.map((command, at) => ({
    index: machine.lastApplied.index + 1 + at,
    term: 1,
    command: encodeCommand(command),
  }));
  store.write(runReading(machine.apply(entries), store).events);
  store.flush();
}

function checkpoint(): number {
  const { sequence, writes } = machine.checkpoints.take();
  store.write(writes);
  store.flush();
  return sequence;
}

function currentRecords(): number {
  const all = keysRange({ key: bytes('\0'), rangeEnd: bytes('\0') });
  return store.records().filter(({ key }) => isIn(all, key)).length;
}

beforeEach(() => {
  store = new MapStore();
  machine = open();
});

describe('Checkpoints', () => {
  test('one stands for all outputs since the last', () => {
    apply(put('a', '1'), put('b', '1'));
    apply(put('a', '2'), grant);
    apply(put('a', '3'), del('b'));
    expect(currentRecords()).toBe(0);
    // Two keys, and the lease.
    expect(machine.checkpoints.count).toBe(3);

    checkpoint();

    expect(machine.checkpoints.count).toBe(0);
    verifyState(store.records());
    const meta = decodeMeta(store.get(stateMetaKey) as Uint8Array);
    expect(meta).toMatchObject({ appliedIndex: 6, revision: 6 });
    expect(currentRecords()).toBe(2);
  });

  test('what changes again and again, or is gone again, is written once', () => {
    apply(grant, { type: 'leaseKeepAlive', ids: [7n] });
    apply({ type: 'leaseKeepAlive', ids: [7n] });
    const { bytes: before } = machine.checkpoints;
    apply({ type: 'leaseKeepAlive', ids: [7n] });
    expect([machine.checkpoints.count, machine.checkpoints.bytes]).toEqual([1, before]);
    apply({ type: 'leaseRevoke', id: 7n });

    // The lease's record is deleted, whether it was ever there or not.
    expect(machine.checkpoints.count).toBe(1);
    expect(machine.checkpoints.bytes).toBeLessThan(before);
    checkpoint();
    expect(store.records().map(({ key }) => key)).toEqual([stateMetaKey]);
  });

  test('says how many bytes wait besides current records', () => {
    apply(put('a', 'much more than a lease takes, but history has it already'));
    expect(machine.checkpoints.bytes).toBe(0);
    apply(grant);
    expect(machine.checkpoints.bytes).toBeGreaterThan(8);
    checkpoint();
    expect(machine.checkpoints.bytes).toBe(0);
  });

  test('a key that was removed and put anew is there', () => {
    apply(put('a', '1'), del('a'));
    checkpoint();
    apply({ type: 'compact', revision: 3 }, put('b', '1'), { type: 'compact', revision: 4 });
    const plan = runReading(machine.planCompaction({ events: 10, bytes: 1000 }), store);
    runReading(machine.removeCompacted(plan), store);
    apply(put('a', '2'));

    checkpoint();

    verifyState(store.records());
    expect(currentRecords()).toBe(2);
  });

  test('they settle once, in order, and only after they were taken', () => {
    apply(put('a', '1'));
    checkpoint();
    apply(put('a', '2'));
    const second = checkpoint();
    machine.checkpoints.settled(second);
    expect(() => {
      machine.checkpoints.settled(second);
    }).toThrow('once and in order');
    expect(() => {
      machine.checkpoints.settled(second + 1);
    }).toThrow('was taken');
    expect(() => machine.checkpoints.take()).toThrow('no checkpoint has taken');
  });
});

describe('after a crash', () => {
  test('events that no checkpoint has followed go, and the log brings them again', () => {
    apply(put('a', '1'));
    checkpoint();
    apply(put('a', '2'), put('b', '1'));
    apply(del('a'));
    const { stateHash } = machine;
    verifyState(store.records());

    machine = open();
    expect(machine.revision).toBe(2);
    const ahead = runReading(eventsAhead(machine.revision), store);
    expect(ahead).toHaveLength(3);
    store.write(ahead);
    store.flush();
    expect(runReading(eventsAhead(machine.revision), store)).toEqual([]);
    apply(put('a', '2'), put('b', '1'), del('a'));
    checkpoint();

    expect(machine.stateHash).toEqual(stateHash);
    verifyState(store.records());
  });
});
