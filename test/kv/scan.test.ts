import { describe, expect, test } from 'vitest';
import { keysKey } from '../../src/kv/key-layout.ts';
import type { Need, Reading, StoredRecord } from '../../src/kv/index.ts';
import { ChunkedScan } from '../../src/kv/scan.ts';
import { bytes, MapStore, runReading } from './map-store.ts';

const range = { gte: keysKey(bytes('a')), lt: keysKey(bytes('b')) };

function storeOf(count: number, valueBytes: number): MapStore {
  const store = new MapStore();
  const keys = Array.from({ length: count }, (_, at) => `a${String(at).padStart(6, '0')}`);
  store.write(
    ['Z', ...keys, 'b'].map((key) => {
      return { type: 'put', key: keysKey(bytes(key)), value: new Uint8Array(valueBytes) };
    }),
  );
  store.flush();
  return store;
}

function* scanAll(chunks: (readonly StoredRecord[])[]): Reading<void> {
  const scan = new ChunkedScan(range);
  while (!scan.isDone) {
    const { need } = scan;
    const records = scan.take(yield need);
    chunks.push(records);
    const isFull = need.type === 'scan' && records.length === need.limit;
    expect(scan.lastKey).toEqual(isFull ? records.at(-1)?.key : undefined);
  }
}

function limitsOf(needs: readonly Need[]): readonly number[] {
  return needs.map((need) => (need.type === 'scan' ? need.limit : 0));
}

describe('ChunkedScan', () => {
  test.each([0, 1, 63, 64, 65, 5000])('gives %d records once and in order', (count) => {
    const store = storeOf(count, 1);
    const chunks: (readonly StoredRecord[])[] = [];
    runReading(scanAll(chunks), store);
    expect(chunks.flat().map(({ key }) => key)).toEqual(
      store
        .records()
        .slice(1, -1)
        .map(({ key }) => key),
    );
  });

  test('chunks of small records grow up to a bound', () => {
    const store = storeOf(5000, 1);
    runReading(scanAll([]), store);
    expect(limitsOf(store.needs)).toEqual([64, 512, 2048, 2048, 2048]);
  });

  test('chunks of large records stay few', () => {
    const store = storeOf(100, 100_000);
    runReading(scanAll([]), store);
    expect(limitsOf(store.needs)).toEqual([64, 10, 10, 10, 10]);
  });

  test('nothing is taken after the end', () => {
    const scan = new ChunkedScan(range);
    scan.take({ type: 'scan', records: [] });
    expect(() => scan.take({ type: 'scan', records: [] })).toThrow('ends once');
  });
});
