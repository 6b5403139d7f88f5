import { beforeEach, describe, expect, test } from 'vitest';
import {
  type Command,
  type CommandResult,
  encodeCommand,
  verifyState,
} from '../../src/kv/index.ts';
import { attachmentsRange, isIn, leaseKey } from '../../src/kv/key-layout.ts';
import { attachedKeys, decodeLease, leaseWrite, remainingMs } from '../../src/kv/leases.ts';
import { del, put, range, txn } from './commands.ts';
import { Machine, type MapStore, runReading, text } from './map-store.ts';

let machine: Machine;

beforeEach(() => {
  machine = new Machine();
});

const grant = (id: bigint, ttlMs: number): Command => ({ type: 'leaseGrant', id, ttlMs });
const revoke = (id: bigint): Command => ({ type: 'leaseRevoke', id });
const renew = (...ids: bigint[]): Command => ({ type: 'leaseKeepAlive', ids });
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

function keysOf(lease: bigint, store: MapStore = machine.store): readonly string[] {
  return runReading(attachedKeys(lease), store).map((key) => text(key));
}

/** The keys that exist. */
function keys(): readonly string[] {
  const outcome = machine.read(range('a', 'z'));
  return outcome.kind === 'ok' ? outcome.result.kvs.map(({ key }) => text(key)) : [];
}

function restart(): void {
  machine = new Machine({ store: machine.store });
}

describe('a lease', () => {
  test('ends with the first stamp at its deadline, counted from the second stamp', () => {
    run(time(1000), grant(7n, 500), put('a', '1', { lease: 7n }));
    run(time(1100), time(1200));
    run(time(1699));
    expect(keys()).toEqual(['a']);
    expect(run(time(1700))).toMatchObject({ kind: 'ok', result: { ended: 1 }, revision: 3 });
    expect(keys()).toEqual([]);
    expect(machine.machine.leases.size).toBe(0);
  });

  test('ends with a great many keys as one revision, not in one turn', () => {
    run(time(1), grant(7n, 500));
    const names = Array.from({ length: 1100 }, (_, at) => `k${String(at).padStart(4, '0')}`);
    machine.run(...names.map((name) => put(name, '1', { lease: 7n, ttlMs: 900 })));
    machine.settle();
    machine.store.needs.length = 0;

    expect(run(revoke(7n))).toMatchObject({ kind: 'ok', revision: 1102 });
    expect(keys()).toEqual([]);
    const pauses = machine.store.needs.filter((need) => need.type === 'get' && !need.keys.length);
    expect(pauses.length).toBe(2);
  });

  test('is given a great many keys by one batch', () => {
    const puts = Array.from({ length: 130 }, (_, i) =>
      txn(
        [],
        Array.from({ length: 1000 }, (_, j) => put(`key ${i} ${j}`, '', { lease: 7n })),
      ),
    );

    machine.apply([grant(7n, 60_000), ...puts].map(encodeCommand));

    machine.settle();
    const attached = machine.store.records().filter(({ key }) => isIn(attachmentsRange(7n), key));
    expect(attached).toHaveLength(130_000);
  });

  test('that is renewed lasts its full time from the second stamp on', () => {
    run(grant(7n, 500), time(5), time(10), time(499));
    expect(run(renew(7n, 8n))).toMatchObject({ result: { ttlsMs: [500, 0] } });
    run(time(550), time(600), time(1099));
    expect(machine.machine.leases.hasLease(7n)).toBe(true);
    run(time(1100));
    expect(machine.machine.leases.hasLease(7n)).toBe(false);
  });

  test('keeps what remains of it through a restart, with a deadline or without', () => {
    run(grant(7n, 500), time(50), time(100), grant(8n, 500));
    restart();
    expect(machine.machine.time).toEqual({ timeMs: 100, isNeeded: true, nextDeadlineMs: 600 });
    run(time(200));
    restart();
    run(time(300));
    restart();
    expect(machine.machine.time.nextDeadlineMs).toBe(600);
    run(time(799));
    expect([7n, 8n].map((id) => machine.machine.leases.hasLease(id))).toEqual([false, true]);
    run(time(800));
    expect(machine.machine.time).toMatchObject({ isNeeded: false, nextDeadlineMs: undefined });
  });

  test('takes its keys with it as one revision, in byte order', () => {
    run(grant(-1n, 500), txn([], [put('b', '1', { lease: -1n }), put('a', '1', { lease: -1n })]));
    const [result] = machine.run(revoke(-1n));
    expect(result).toEqual({ kind: 'ok', revision: 3, result: { type: 'leaseRevoke' } });
    expect(machine.run(revoke(-1n))).toMatchObject([{ code: 'LEASE_NOT_FOUND' }]);
    machine.settle();
    verifyState(machine.store.records());
    expect(keys()).toEqual([]);
  });

  test('holds the keys whose newest change names it, also within one batch', () => {
    run(grant(1n, 500), grant(2n, 500), put('a', '1', { lease: 1n }), put('b', '1', { lease: 1n }));
    expect(keysOf(1n)).toEqual(['a', 'b']);
    machine.run(
      put('a', '2', { lease: 2n }),
      put('b', '2'),
      put('c', '1', { lease: 1n }),
      revoke(1n),
    );
    machine.settle();
    expect(keys()).toEqual(['a', 'b']);
    run(put('a', '3', { ignoreLease: true }), revoke(2n));
    expect(keys()).toEqual(['b']);
  });

  test('lets go of a deleted key', () => {
    run(grant(1n, 500), put('a', '1', { lease: 1n }), del('a'), put('a', '2'), revoke(1n));
    expect(keys()).toEqual(['a']);
  });

  test('is granted once, and no put names one that is not there', () => {
    run(grant(1n, 500));
    expect(run(grant(1n, 900))).toMatchObject({ kind: 'refused', code: 'LEASE_EXISTS' });
    expect(run(put('a', '1', { lease: 2n }))).toMatchObject({ code: 'LEASE_NOT_FOUND' });
    expect(run(grant(2n, 1), put('a', '1', { lease: 2n }))).toMatchObject({ kind: 'ok' });
  });
});

describe('time', () => {
  test('never goes back', () => {
    run(time(100), time(50));
    expect(machine.machine.time.timeMs).toBe(100);
  });

  test('ends a bounded number of leases with one stamp, the first due first', () => {
    const ids = Array.from({ length: 600 }, (_, at) => BigInt(at + 1));
    machine.run(...ids.map((id) => grant(id, 1000 - Number(id))), time(1), time(2));
    const ended: number[] = [];
    for (let left = ids.length; left > 0; ) {
      const [result] = machine.run(time(2000));
      const { ended: now } = (result as { result: { ended: number } }).result;
      ended.push(now);
      left -= now;
      expect(machine.machine.leases.size).toBe(left);
      expect(machine.machine.leases.hasLease(1n)).toBe(left > 0);
    }
    expect(ended).toEqual([256, 256, 88]);
  });

  test('ends nothing while a member is known to be corrupt', () => {
    run(grant(1n, 500), time(1), time(2));
    run({ type: 'alarm', action: 'activate', alarm: 'corrupt', memberId: 1 }, time(1000));
    expect(machine.machine.time).toMatchObject({ timeMs: 1000, nextDeadlineMs: undefined });
    expect(machine.machine.leases.size).toBe(1);
    run({ type: 'alarm', action: 'deactivate', alarm: 'corrupt', memberId: 1 }, time(1001));
    expect(machine.machine.leases.size).toBe(0);
  });

  test('is needed only while there are leases', () => {
    expect(machine.machine.time.isNeeded).toBe(false);
    run(grant(1n, 5));
    expect(machine.machine.time.isNeeded).toBe(true);
  });
});

describe('the record of a lease', () => {
  const lease = {
    ...{ id: -3n, ttlMs: 5000, deadlineMs: 2 ** 40, sinceMs: 77, mayHoldKeys: false },
    owner: undefined,
  };

  test.each([
    lease,
    { ...lease, deadlineMs: undefined },
    { ...lease, owner: 'ann' },
    { ...lease, deadlineMs: undefined, owner: 'ann' },
  ])('survives the round trip %#', (each) => {
    const write = leaseWrite(each);
    expect(write.type === 'put' && decodeLease(write)).toEqual(each);
  });

  test('is what it was before leases had owners, if it has none', () => {
    expect(leaseWrite({ ...lease, ttlMs: 5, deadlineMs: 6 })).toMatchObject({
      value: Uint8Array.of(1, 5, 7, 77),
    });
    expect(leaseWrite({ ...lease, ttlMs: 5, deadlineMs: 6, owner: 'a' })).toMatchObject({
      value: Uint8Array.of(2, 5, 7, 77, 1, 97),
    });
  });

  test('of an unknown format is refused', () => {
    const record = { key: leaseKey(1n), value: Uint8Array.of(9) };
    expect(() => decodeLease(record)).toThrow('unknown format 9');
  });

  test('tells what remains: all of it before the first stamp, and never less than nothing', () => {
    expect(remainingMs({ ...lease, deadlineMs: undefined }, 7)).toBe(5000);
    expect(remainingMs({ ...lease, deadlineMs: 100 }, 40)).toBe(60);
    expect(remainingMs({ ...lease, deadlineMs: 100 }, 140)).toBe(0);
  });
});
