import { expect, test } from 'vitest';
import { encodeCommand } from '../../src/kv/index.ts';
import { HistoryEvent } from '../../src/kv/history.ts';
import { RecentlyFound } from '../../src/replica/recently-found.ts';
import { put } from '../kv/commands.ts';
import { Machine } from '../kv/map-store.ts';

test('what was found last is known, in bounded bytes; what is longer than that is not', () => {
  const { events } = new Machine().apply(['a', 'b', 'c'].map((key) => encodeCommand(put(key, ''))));
  const [a, b, c] = events.map((record) => [new HistoryEvent(record)] as const);
  const found = (bytes: number) => ({ told: [], bytes });
  const known = new RecentlyFound(1000);
  if (a === undefined || b === undefined || c === undefined) {
    throw new Error('three events');
  }
  const bytes = a[0].bytes;

  known.add(a, found(400 - bytes));
  known.add(b, found(400 - bytes));
  expect([known.get(a)?.bytes, known.get(b)?.bytes]).toEqual([400 - bytes, 400 - bytes]);
  known.add(c, found(300 - bytes));
  expect([a, b, c].map((part) => known.get(part) !== undefined)).toEqual([false, true, true]);
  known.add(a, found(1001));

  expect([a, b, c].map((part) => known.get(part) !== undefined)).toEqual([false, true, true]);
});
