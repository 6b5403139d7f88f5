/** Keys that have a time to live of their own. */
import { beforeEach, describe, expect, test } from 'vitest';
import {
  type Command,
  type CommandResult,
  encodeCommand,
  HistoryEvent,
  readExpiries,
  ttlNone,
  verifyState,
} from '../../src/kv/index.ts';
import { expiryTable } from '../../src/kv/key-layout.ts';
import { del, put, range, txn } from './commands.ts';
import { bytes, Machine, runReading, text } from './map-store.ts';

let machine: Machine;

beforeEach(() => {
  machine = new Machine({ cacheBytesMax: 0 });
});

const time = (timeMs: number): Command => ({ type: 'advanceTime', timeMs, keepAnswersMs: 1000 });

/** Runs commands one by one and settles them; returns the result of the last. */
function run(...commands: Command[]): CommandResult | undefined {
  let result: CommandResult | undefined;
  for (const command of commands) {
    [result] = machine.run(command);
    machine.settle();
    verifyState(machine.store.records());
  }
  return result;
}

/** The keys that exist. */
function keys(): readonly string[] {
  const outcome = machine.read(range('a', 'z'));
  return outcome.kind === 'ok' ? outcome.result.kvs.map(({ key }) => text(key)) : [];
}

function deadlineOf(key: string): number | undefined {
  const [expiry] = runReading(readExpiries([bytes(key)]), machine.store);
  return expiry?.deadlineMs;
}

describe('a key with a time to live', () => {
  test('ends with the first stamp at its deadline, counted from the second stamp', () => {
    run(time(1000), put('a', '1', { ttlMs: 500 }), put('b', '1'), time(1100), time(1200));
    run(time(1699));
    expect(keys()).toEqual(['a', 'b']);
    expect(run(time(1700))).toMatchObject({ kind: 'ok', result: { ended: 1 }, revision: 4 });
    expect(keys()).toEqual(['b']);
    expect(machine.machine.time.isNeeded).toBe(false);
  });

  test('tells its time, and its end is told apart from a deletion', () => {
    run(put('a', '1', { ttlMs: 500 }), put('b', '1'), time(1), time(2));
    expect(machine.read(range('a'))).toMatchObject({ result: { kvs: [{ ttlMs: 500 }] } });
    const ends = [del('b'), time(502)].flatMap((each) => {
      const { events } = machine.apply([encodeCommand(each)]);
      return events.map((event) => new HistoryEvent(event));
    });
    machine.settle();
    expect(ends.map((event) => [text(event.key), event.isDelete, event.isExpiry])).toEqual([
      ['b', true, false],
      ['a', true, true],
    ]);
  });

  test('lasts without end once it is put again without a time', () => {
    run(put('a', '1', { ttlMs: 500 }), time(1), time(2), put('a', '2'), time(5000));
    expect(keys()).toEqual(['a']);
    expect(machine.store.records().filter(({ key }) => key[0] === expiryTable)).toEqual([]);
  });

  test('begins its time anew with a put that brings one, also within one batch', () => {
    run(put('a', '1', { ttlMs: 500 }), time(1), time(2), put('a', '2', { ttlMs: 300 }));
    run(time(399), time(400));
    expect(deadlineOf('a')).toBe(700);
    const stamps = [time(449), time(450)];
    machine.run(put('a', '3', { ttlMs: 50 }), time(401), time(402));
    machine.run(put('a', '4', { ttlMs: 10 }), ...stamps);
    machine.settle();
    expect(deadlineOf('a')).toBe(460);
    run(time(459));
    expect(keys()).toEqual(['a']);
    run(time(460));
    expect(keys()).toEqual([]);
  });

  test('that is refreshed on write begins anew with every put, until one says otherwise', () => {
    run(put('a', '1', { ttlMs: 500, ttlRefreshOnWrite: true }), time(1), time(2));
    run(put('a', '2'), time(300), txn([], [put('a', '3')]), time(350), time(400));
    expect(deadlineOf('a')).toBe(900);
    run(put('a', '', { ignoreValue: true }), time(450), time(500));
    expect(deadlineOf('a')).toBe(1000);
    run(put('a', '4', { ttlMs: ttlNone }), put('a', '5'));
    expect(deadlineOf('a')).toBeUndefined();
    run(put('a', '6', { ttlMs: 500, ttlRefreshOnWrite: true }), put('a', '7', { ttlMs: 100 }));
    run(put('a', '8'), time(9000), time(9999));
    expect(keys()).toEqual(['a']);
  });

  test('takes its time along when it is deleted, by whatever', () => {
    run({ type: 'leaseGrant', id: 1n, ttlMs: 100 });
    const timed = (key: string): Command => put(key, '1', { ttlMs: 500 });
    run(timed('a'), timed('b'), timed('c'), put('d', '1', { ttlMs: 500, lease: 1n }));
    run(time(1), time(2), del('a'), txn([], [del('b', 'c')]), time(102));
    expect(keys()).toEqual(['c']);
    run(time(502));
    expect(keys()).toEqual([]);
    expect(machine.store.records().filter(({ key }) => key[0] === expiryTable)).toEqual([]);
  });

  test('ends before its lease when its own time is up first', () => {
    run({ type: 'leaseGrant', id: 1n, ttlMs: 900 }, put('a', '1', { ttlMs: 500, lease: 1n }));
    run(time(1), time(2), time(502));
    expect(keys()).toEqual([]);
    expect(run(time(902))).toMatchObject({ result: { ended: 1 }, revision: 3 });
  });

  test('keeps its deadline, or its place among those that wait, through a restart', () => {
    run(put('a', '1', { ttlMs: 500 }), time(50), time(100), put('b', '1', { ttlMs: 500 }));
    machine = new Machine({ store: machine.store });
    expect(machine.machine.time).toEqual({ timeMs: 100, isNeeded: true, nextDeadlineMs: 600 });
    run(time(200), time(300), time(600));
    expect(keys()).toEqual(['b']);
    run(time(799));
    expect(keys()).toEqual(['b']);
    run(time(800));
    expect(keys()).toEqual([]);
  });
});

test('a stamp ends a bounded number of keys, the first due first, as revisions', () => {
  const puts = Array.from({ length: 600 }, (_, at) =>
    put(`k${String(at).padStart(3, '0')}`, '', { ttlMs: 1000 - at }),
  );
  machine.run(...puts, time(1), time(2));
  const { revision } = machine.machine;
  const ended: unknown[] = [];
  for (let left = 600; left > 0; left = keys().length) {
    const [result] = machine.run(time(2000));
    machine.settle();
    ended.push(result?.kind === 'ok' && 'ended' in result.result && result.result.ended);
    expect(keys().every((key) => key < 'k344' || left < 600)).toBe(true);
  }
  expect(ended).toEqual([256, 256, 88]);
  expect(machine.machine.revision).toBe(revision + 600);
  verifyState(machine.store.records());
});

test('no key ends while a member is known to be corrupt', () => {
  run(put('a', '1', { ttlMs: 500 }), time(1), time(2));
  run({ type: 'alarm', action: 'activate', alarm: 'corrupt', memberId: 1 }, time(1000));
  expect(machine.machine.time.nextDeadlineMs).toBeUndefined();
  expect(keys()).toEqual(['a']);
  run({ type: 'alarm', action: 'deactivate', alarm: 'corrupt', memberId: 1 }, time(1001));
  expect(keys()).toEqual([]);
});
