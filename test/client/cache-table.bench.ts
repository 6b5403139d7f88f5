/**
 * Ranges of a cache that changes: `npx vitest bench --run test/client/cache-table.bench.ts`.
 */
import { bench, describe } from 'vitest';
import { CacheTable } from '../../src/client/cache-table.ts';
import type { Entry } from '../../src/client/kv-types.ts';
import { decodeText } from './fake-store.ts';

const keysInAll = 10_000;
const nameOf = (i: number): string => `flags/${String(i).padStart(6, '0')}`;

function entry(key: string, modRevision: number): Entry<Uint8Array> {
  const keyBytes = Buffer.from(key);
  return {
    ...{ key, keyBytes, value: Buffer.alloc(256), modRevision },
    ...{ createRevision: 1, version: 1, lease: 0n, ttlMs: 0 },
  };
}

describe(`a table of ${keysInAll} keys`, () => {
  const table = new CacheTable(decodeText);
  table.replace(
    1,
    Array.from({ length: keysInAll }, (_, i) => entry(nameOf(i), 1)),
  );
  let revision = 1;

  bench('one change, then a range of 100', () => {
    const key = nameOf((++revision * 7919) % keysInAll);
    const head = { key, keyBytes: Buffer.from(key), revision, previous: undefined };
    table.apply(revision, [{ ...head, type: 'put', entry: entry(key, revision) }]);
    table.getRange({ prefix: 'flags/0042' });
  });

  bench('a range of 100', () => {
    table.getRange({ prefix: 'flags/0042' });
  });
});
