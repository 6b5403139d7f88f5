import { expect, test } from 'vitest';
import { Attachments } from '../../src/kv/attachments.ts';
import { attachmentKey, LeaseTable } from '../../src/kv/leases.ts';
import type { StateWrite } from '../../src/kv/index.ts';
import { bytes, MapStore, runReading, text } from './map-store.ts';

test('what a batch has attached and detached counts, before the engine knows of it', () => {
  const leases = new LeaseTable();
  for (const id of [1n, 2n]) {
    leases.grant({ id, ttlMs: 1000, sinceMs: 0, owner: undefined });
  }
  const store = new MapStore();
  const writes: StateWrite[] = [];
  const before = new Attachments(leases, writes);
  before.move(bytes('a'), 0n, 1n);
  before.move(bytes('b'), 0n, 1n);
  store.write(writes.splice(0));

  const attachments = new Attachments(leases, writes);
  attachments.move(bytes('a'), 1n, 2n);
  attachments.move(bytes('c'), 0n, 1n);
  attachments.move(bytes('b'), 1n, 1n);
  const keysOf = (id: bigint): readonly string[] =>
    runReading(attachments.keysOf(id), store).map((key) => text(key));

  const seen: string[] = [];
  const isNotB = (key: Uint8Array): boolean => seen.push(text(key)) > 0 && text(key) !== 'b';

  expect(keysOf(1n)).toEqual(['b', 'c']);
  expect(runReading(attachments.everyKey(1n, isNotB), store)).toBe(false);
  expect(seen.sort()).toEqual(['b', 'c']);
  expect(runReading(attachments.everyKey(2n, isNotB), store)).toBe(true);
  expect(runReading(attachments.everyKey(3n, isNotB), store)).toBe(true);
  expect(keysOf(2n)).toEqual(['a']);
  expect(keysOf(3n)).toEqual([]);
  expect(writes.map(({ type, key }) => [type, text(key)])).toEqual([
    ['delete', text(attachmentKey(1n, bytes('a')))],
    ['put', text(attachmentKey(2n, bytes('a')))],
    ['put', text(attachmentKey(1n, bytes('c')))],
  ]);
});
