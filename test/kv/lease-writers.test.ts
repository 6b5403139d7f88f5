import { describe, expect, test } from 'vitest';
import { Access } from '../../src/kv/auth-table.ts';
import { LeaseWriters, writersMax } from '../../src/kv/lease-writers.ts';
import { bytes } from './map-store.ts';

function writerOf(...keys: readonly string[]): Access {
  return new Access(
    false,
    keys.map((key) => ({ access: 'write', key: bytes(key) })),
  );
}

describe('what is remembered of who may write all keys of a lease', () => {
  test('ends for whoever may not write a key that is attached', () => {
    const writers = new LeaseWriters();
    const ann = writerOf('a');
    const bob = writerOf('a', 'b');
    writers.remember(1n, ann, 5);
    writers.remember(1n, bob, 5);
    writers.attached(1n, bytes('a'));

    expect([ann, bob].map((each) => writers.includes(1n, each))).toEqual([true, true]);
    writers.attached(1n, bytes('b'));
    expect([ann, bob].map((each) => writers.includes(1n, each))).toEqual([false, true]);
    expect(writers.includes(2n, bob)).toBe(false);
  });

  test('ends with the lease, and with a change of users', () => {
    const writers = new LeaseWriters();
    const ann = writerOf('a');
    writers.remember(1n, ann, 5);
    writers.remember(2n, ann, 5);
    writers.forget(1n);

    expect([1n, 2n].map((lease) => writers.includes(lease, ann))).toEqual([false, true]);
    writers.remember(3n, ann, 6);
    expect([2n, 3n].map((lease) => writers.includes(lease, ann))).toEqual([false, true]);
  });

  test('is bounded: the newest writers of a lease are kept', () => {
    const writers = new LeaseWriters();
    const all = Array.from({ length: writersMax + 1 }, () => writerOf('a'));
    for (const each of all) {
      writers.remember(1n, each, 5);
    }

    expect(all.map((each) => writers.includes(1n, each))).toEqual([
      ...[false, ...all.slice(1).map(() => true)],
    ]);
  });
});
