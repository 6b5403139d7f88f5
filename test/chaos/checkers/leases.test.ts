import { describe, expect, test } from 'vitest';
import { checkLeases } from '../../../chaos/checkers/leases.ts';
import type { HistoryLine } from '../../../chaos/history.ts';
import { call, clock, deleteEvent, messages, putEvent, stream, view, watch } from './planted.ts';

const lease = '7';
const granted = { type: 'lease', lease, ttlSeconds: 2 } as const;
const grant = call(0, [0, 1], { type: 'leaseGrant', ttlSeconds: 2 }, granted);

function attach(key: string, revision: number, at = 10): HistoryLine {
  const request = { type: 'putWithLease', key, value: 'v', lease } as const;
  return call(0, [at, at + 1], request, { type: 'done' }, { revision });
}

function keepAlive(at: number, ttlSeconds = 2): HistoryLine {
  const request = { type: 'leaseKeepAlive', lease } as const;
  return call(0, [at, at + 1], request, { type: 'lease', lease, ttlSeconds });
}

/** Puts of a and b at revisions 2 and 3, and deletions seen at these times. */
function account(
  deletions: readonly { readonly atMs: number; readonly keys: readonly string[] }[],
) {
  const { startRevision, end, responses } = stream([
    [putEvent(2, 'a', 'v')],
    [putEvent(3, 'b', 'v')],
  ]);
  const gone = deletions.map(({ atMs, keys }, i) => ({
    atMs,
    revision: 4 + i,
    events: keys.map((key) => deleteEvent(4 + i, key)),
  }));
  return watch('n1', { startRevision, end, responses: [...responses, ...gone] });
}

const late = call(9, [60_000, 60_001], { type: 'leaseTimeToLive', lease: '1' }, { type: 'done' });
const begun = [grant, attach('a', 2), attach('b', 3)];

describe('checkLeases', () => {
  test('accepts an end after the TTL of the last keep-alive', () => {
    const lines = [...begun, keepAlive(1000), account([{ atMs: 3100, keys: ['a', 'b'] }]), late];

    expect(checkLeases(view(lines))).toEqual([]);
  });

  test('rejects an early end, but not one that was asked for', () => {
    const lines = [...begun, keepAlive(1000), account([{ atMs: 2500, keys: ['a', 'b'] }]), late];
    const revoke = call(0, [2400, 2401], { type: 'leaseRevoke', lease }, { type: 'done' });

    expect(messages(checkLeases(view(lines)))[0]).toMatch(/a was gone 400 ms before/);
    expect(checkLeases(view([...lines, revoke]))).toEqual([]);
  });

  test('rejects keys that outlive their lease', () => {
    expect(messages(checkLeases(view([...begun, account([]), late])))).toEqual([
      'a outlives its lease 7',
      'b outlives its lease 7',
    ]);
  });

  test('counts by the fastest and the slowest clock of the members', () => {
    const early = [...begun, keepAlive(1000), account([{ atMs: 2500, keys: ['a', 'b'] }]), late];
    // Of 2 s and what is allowed after it, 6 s, a clock at half the speed makes 12.
    const end = call(9, [9000, 9001], { type: 'leaseTimeToLive', lease: '1' }, { type: 'done' });
    const kept = [...begun, account([]), end];

    expect(checkLeases(view([...early, clock('n1', 1.3)]))).toEqual([]);
    expect(messages(checkLeases(view([...early, clock('n1', 1.2)])))[0]).toMatch(/before its/);
    expect(checkLeases(view([...kept, clock('n1', 0.5)]))).toEqual([]);
    expect(messages(checkLeases(view(kept)))[0]).toMatch(/a outlives its lease/);
  });

  test('rejects keys of one lease that go one after the other', () => {
    const ends = [
      { atMs: 3100, keys: ['a'] },
      { atMs: 3200, keys: ['b'] },
    ];

    expect(messages(checkLeases(view([...begun, account(ends), late])))).toEqual([
      'the keys of lease 7 went at several revisions: 4, 5',
    ]);
  });

  test('rejects a put on a lease that had ended', () => {
    const lines = [...begun, account([{ atMs: 3100, keys: ['a', 'b'] }]), attach('a', 9), late];

    expect(messages(checkLeases(view(lines))).join('\n')).toMatch(/a lease that had ended at 4/);
  });

  test('rejects more time than was granted', () => {
    const lines = [...begun, keepAlive(100, 3), account([{ atMs: 3100, keys: ['a', 'b'] }]), late];

    expect(messages(checkLeases(view(lines)))).toEqual(['lease 7 has 3 s left, more than granted']);
  });
});
