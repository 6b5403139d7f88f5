import { describe, expect, test } from 'vitest';
import { compareBytes, createPrng } from '../../src/base/index.ts';
import * as kv from '../../src/kv/index.ts';
import { keysTable, revisionOf, revisionsTable } from '../../src/kv/key-layout.ts';
import { del, put, txn } from './commands.ts';
import { Machine, runReading } from './map-store.ts';
import { hashKvIgnoresProgress, hashKvIsOfOneRevision, Member, randomLog } from './properties.ts';

const seeds = Array.from({ length: 25 }, (_, seed) => seed);

function hashOf(machine: Machine, revision = 0): kv.HashKvOutcome {
  const { revision: newest, compactRevision } = machine.machine;
  const at = { revision: newest, compactRevision };
  return runReading(kv.hashKv(revision, at), machine.store);
}

function numberOf(outcome: kv.HashKvOutcome): number {
  return outcome.kind === 'ok' ? outcome.hash : -1;
}

describe('hashKv', () => {
  test.each(seeds)('is equal whatever the batches and the progress of removal: seed %d', (seed) => {
    hashKvIgnoresProgress(kv, seed);
  });

  test.each(seeds)('is of one revision, whatever was applied since: seed %d', (seed) => {
    hashKvIsOfOneRevision(kv, seed);
  });

  test('says what it is of', () => {
    const machine = new Machine();
    machine.run(put('a', '1'), put('a', '2'), put('a', '3'), { type: 'compact', revision: 2 });
    expect(hashOf(machine)).toMatchObject({ kind: 'ok', hashRevision: 4, compactRevision: 2 });
    expect(hashOf(machine, 3)).toMatchObject({ kind: 'ok', hashRevision: 3, compactRevision: 2 });
    expect(hashOf(machine, -1)).toEqual(hashOf(machine));
    const number = numberOf(hashOf(machine));
    expect(Number.isInteger(number) && number >= 0 && number < 2 ** 32).toBe(true);
  });

  test('refuses revisions before the compacted one, and future ones', () => {
    const machine = new Machine();
    machine.run(put('a', '1'), put('a', '2'), put('a', '3'), { type: 'compact', revision: 3 });
    expect([2, 3, 5].map((revision) => hashOf(machine, revision))).toEqual([
      { kind: 'refused', code: 'COMPACTED' },
      expect.objectContaining({ kind: 'ok', hashRevision: 3, compactRevision: 3 }),
      { kind: 'refused', code: 'FUTURE_REVISION' },
    ]);
    machine.run({ type: 'compact', revision: 4 });
    expect(hashOf(machine, 3)).toEqual({ kind: 'refused', code: 'COMPACTED' });
    expect(hashOf(machine, 4)).toEqual(hashOf(machine));
  });

  test('does not count what a compaction has yet to remove', () => {
    const machine = new Machine();
    machine.run(
      ...[put('a', '1'), put('a', '2'), put('b', '1'), del('b'), put('a', '3'), put('b', '2')],
      { type: 'compact', revision: 6 },
    );
    const before = numberOf(hashOf(machine));
    machine.compactStep(1000);
    expect(machine.machine.hasCompactionWork).toBe(false);
    expect(numberOf(hashOf(machine))).toBe(before);
  });

  test('sees a change of any byte of what clients can read', () => {
    const machine = new Machine();
    const spread = (round: number): kv.Command[] =>
      ['a', 'b', 'c', 'd'].map((key) => put(key, `${key} ${round}`));
    machine.run(...spread(1), ...spread(2), del('d'), txn([], [put('a', 'x'), put('e', 'y')]));
    machine.run({ type: 'compact', revision: 10 }, ...spread(3).slice(2));
    machine.settle();
    while (machine.machine.hasCompactionWork) {
      machine.compactStep(100);
      machine.settle();
    }
    const expected = numberOf(hashOf(machine));
    const records = machine.store.records().filter(({ key }) => {
      return key[0] === keysTable || key[0] === revisionsTable;
    });
    const unseen: string[] = [];
    for (const record of records) {
      const value = record.value.slice();
      // The last byte is the value's, or, in an event, the key's.
      const at = value.length - 1;
      value[at] = (value[at] as number) ^ 1;
      machine.store.write([{ type: 'put', key: record.key, value }]);
      if (numberOf(hashOf(machine)) === expected) {
        const { main, sub } = revisionOf(record.key);
        unseen.push(`${main}.${sub}`);
      }
      machine.store.write([{ type: 'put', ...record }]);
    }
    expect(records.length).toBeGreaterThan(10);
    // The event of `b`, unchanged since the compaction: its current record is read instead of it.
    expect(unseen).toEqual(['7.0']);
    expect(numberOf(hashOf(machine))).toBe(expected);
  });

  test('reads in chunks', () => {
    const machine = new Machine();
    for (let at = 0; at < 6000; at += 500) {
      const keys = Array.from({ length: 500 }, (_, key) => put(`key ${at + key}`, '1'));
      machine.run(...keys, ...keys.slice(0, 50));
    }
    machine.settle();
    machine.store.needs.length = 0;
    hashOf(machine);
    const sizes = machine.store.needs.map((need) => {
      return need.type === 'scan' ? need.limit : need.keys.length;
    });
    expect(Math.max(...sizes)).toBe(2048);
  });
});

describe('hashState', () => {
  test('is over every record, the meta records included', () => {
    const member = new Member(kv);
    member.apply(randomLog(kv, createPrng(1), 50));
    const before = runReading(kv.hashState(), member.store);
    expect(runReading(kv.hashState(), member.store)).toBe(before);
    for (const record of member.store.records()) {
      member.store.write([{ type: 'delete', key: record.key }]);
      expect(runReading(kv.hashState(), member.store)).not.toBe(before);
      member.store.write([{ type: 'put', ...record }]);
    }
    expect(runReading(kv.hashState(), member.store)).toBe(before);
  });

  test('goes over the records in key order', () => {
    const member = new Member(kv);
    member.apply(randomLog(kv, createPrng(2), 50));
    member.store.needs.length = 0;
    runReading(kv.hashState(), member.store);
    const starts = member.store.needs.map((need) => (need.type === 'scan' ? need.gte : need.keys));
    expect([...starts].sort((a, b) => compareBytes(a as Uint8Array, b as Uint8Array))).toEqual(
      starts,
    );
  });
});
