import { expect, test } from 'vitest';
import { TableChanges } from '../../src/kv/table-changes.ts';
import type { StateWrite } from '../../src/kv/index.ts';
import { bytes, MapStore, runReading, text } from './map-store.ts';

test('what a batch has put and deleted lies over what the engine holds', () => {
  const store = new MapStore();
  const stored = ['a', 'b', 'c', 'd'].map((key) => ({ key: bytes(key), value: bytes('old') }));
  store.write(stored.map((record) => ({ type: 'put', ...record })));
  const writes: StateWrite[] = [];
  const changes = new TableChanges((write) => writes.push(write));
  changes.put(bytes('ab'), bytes('new'));
  changes.put(bytes('b'), bytes('newer'));
  changes.delete(bytes('a'));
  changes.delete(bytes('zz'));

  const first = (limit: number): readonly string[] =>
    runReading(changes.first({ gte: bytes('a'), lt: bytes('d') }, limit), store).map(
      ({ key, value }) => `${text(key)}=${text(value)}`,
    );
  expect(first(1)).toEqual(['ab=new']);
  expect(first(9)).toEqual(['ab=new', 'b=newer', 'c=old']);
  const values = runReading(changes.get(['a', 'b', 'c', 'x', 'zz'].map(bytes)), store);
  const shown = values.map((value) => (value === undefined ? '-' : text(value)));
  expect(shown).toEqual(['-', 'newer', 'old', '-', '-']);
  expect(writes.map(({ type, key }) => `${type} ${text(key)}`)).toEqual([
    ...['put ab', 'put b', 'delete a', 'delete zz'],
  ]);
});
