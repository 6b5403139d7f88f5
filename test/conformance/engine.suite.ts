/**
 * What every Engine must do, whatever is behind it. Each test gets a fresh engine from the factory;
 * a deliberately naive twin (a sorted array rebuilt for each question) says what the answers must
 * be.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { compareBytes, createPrng, type Prng } from '../../src/base/index.ts';
import type { Engine, EngineOperation } from '../../src/storage/index.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (value: Uint8Array | undefined): string | undefined =>
  value === undefined ? undefined : new TextDecoder().decode(value);
const put = (key: string, value: string): EngineOperation => ({
  type: 'put',
  key: bytes(key),
  value: bytes(value),
});
const remove = (key: string): EngineOperation => ({ type: 'delete', key: bytes(key) });
const removeRange = (key: string, end: string): EngineOperation => ({
  type: 'deleteRange',
  key: bytes(key),
  end: bytes(end),
});

/** Runs the suite; `open` gives an engine that is empty. */
export function describeEngine(name: string, open: () => Promise<Engine>): void {
  describe(`${name} as an Engine`, { timeout: 60_000 }, () => {
    let engine: Engine;
    beforeEach(async () => {
      engine = await open();
    });
    afterEach(async () => {
      await engine.close();
    });

    const get = async (...keys: string[]): Promise<(string | undefined)[]> =>
      (await engine.getMany(keys.map(bytes))).map(text);
    const keysIn = async (
      gte: string,
      lt: string,
      options: { limit?: number; reverse?: boolean } = {},
    ): Promise<string[]> => {
      const range = { gte: bytes(gte), lt: bytes(lt), limit: 1000, ...options };
      return (await engine.scan(range)).map(({ key }) => text(key) ?? '');
    };

    test('getMany answers in the order of the keys, undefined where one is absent', async () => {
      await engine.write([put('a', '1'), put('b', '2')]);

      expect(await get('b', 'x', 'a', 'b')).toEqual(['2', undefined, '1', '2']);
      expect(await engine.getMany([])).toEqual([]);
    });

    test('an empty value is a value', async () => {
      await engine.write([put('empty', '')]);

      expect(await get('empty')).toEqual(['']);
    });

    test('later operations of a batch win over earlier ones of the same key', async () => {
      await engine.write([put('a', '1'), put('a', '2'), put('b', '1'), remove('b'), put('c', '1')]);
      await engine.write([removeRange('a', 'z'), put('c', '3')]);

      expect(await get('a', 'b', 'c')).toEqual([undefined, undefined, '3']);
    });

    test('deleteRange removes [key, end) and leaves its neighbours', async () => {
      await engine.write(['a', 'b', 'ba', 'c'].map((key) => put(key, key)));
      await engine.write([removeRange('b', 'c')]);

      expect(await keysIn('a', 'z')).toEqual(['a', 'c']);
    });

    test('an empty batch and an empty range change nothing', async () => {
      await engine.write([put('a', '1')]);
      await engine.write([]);
      await engine.write([removeRange('a', 'a')]);

      expect(await get('a')).toEqual(['1']);
    });

    test('a scan is half-open, in byte order, limited, and goes both ways', async () => {
      const keys = ['a', 'aa', 'ab', 'b', 'c'];
      await engine.write(keys.map((key) => put(key, key)));

      expect(await keysIn('a', 'b')).toEqual(['a', 'aa', 'ab']);
      expect(await keysIn('a', 'z', { limit: 2 })).toEqual(['a', 'aa']);
      expect(await keysIn('a', 'c', { reverse: true })).toEqual(['b', 'ab', 'aa', 'a']);
      expect(await keysIn('a', 'c', { limit: 1, reverse: true })).toEqual(['b']);
      expect(await keysIn('b', 'b')).toEqual([]);
      expect(await keysIn('a', 'z', { limit: 0 })).toEqual([]);
    });

    test('keys order by unsigned bytes', async () => {
      const raw = [[0xff], [0x7f], [0x80], [0x00], [0x00, 0x00]].map((b) => Uint8Array.from(b));
      await engine.write(raw.map((key) => ({ type: 'put', key, value: key })));

      const records = await engine.scan({
        gte: Uint8Array.of(0),
        lt: Uint8Array.of(0xff, 0xff),
        limit: 10,
      });

      expect(records.map(({ key }) => [...key])).toEqual([
        [0x00],
        [0x00, 0x00],
        [0x7f],
        [0x80],
        [0xff],
      ]);
    });

    test('a scan longer than any internal chunk comes back whole', async () => {
      const count = 2500;
      const key = (i: number): string => `k${String(i).padStart(5, '0')}`;
      await engine.write(Array.from({ length: count }, (_, i) => put(key(i), String(i))));

      for (const limit of [511, 512, 513, 1026, count, count + 1, Number.POSITIVE_INFINITY]) {
        const found = await keysIn('k', 'l', { limit });
        expect(found.length).toBe(Math.min(limit, count));
        expect(found.at(-1)).toBe(key(found.length - 1));
      }
    });

    test('a scan ends with the record by which it reaches bytesMax', async () => {
      const keys = Array.from({ length: 300 }, (_, i) => `k${String(i).padStart(4, '0')}`);
      await engine.write(keys.map((key) => put(key, '12345')));
      const counted = async (bytesMax: number, reverse: boolean): Promise<number> =>
        (await engine.scan({ gte: bytes('k'), lt: bytes('l'), limit: 250, bytesMax, reverse }))
          .length;

      for (const reverse of [false, true]) {
        expect(await counted(1, reverse)).toBe(1);
        expect(await counted(10, reverse)).toBe(1);
        expect(await counted(11, reverse)).toBe(2);
        expect(await counted(1290, reverse)).toBe(129);
        expect(await counted(2000, reverse)).toBe(200);
        expect(await counted(1_000_000, reverse)).toBe(250);
      }
    });

    test('scans limited in bytes, each from where the last ended, find everything', async () => {
      const prng = createPrng(9);
      const written = Array.from({ length: 500 }, (_, i) => ({
        key: `k${String(i).padStart(4, '0')}`,
        value: 'x'.repeat(prng.nextInt(0, 300)),
      }));
      await engine.write(written.map(({ key, value }) => put(key, value)));
      const found: string[] = [];
      let gte = bytes('k');
      for (;;) {
        const records = await engine.scan({ gte, lt: bytes('l'), limit: 100, bytesMax: 4000 });
        const last = records.at(-1);
        if (last === undefined) {
          break;
        }
        found.push(...records.map(({ key, value }) => `${text(key) ?? ''}=${text(value) ?? ''}`));
        gte = bytes(`${text(last.key) ?? ''}\0`);
      }

      expect(found).toEqual(written.map(({ key, value }) => `${key}=${value}`));
    });

    test('compacting changes nothing of what is read', async () => {
      await engine.write(Array.from({ length: 50 }, (_, i) => put(`k${10 + i}`, 'x')));
      await engine.write([removeRange('k20', 'k50')]);
      await engine.flush();
      const before = await keysIn('k', 'l');
      const snapshot = engine.snapshot();
      await Promise.all([engine.compactRange(), engine.write([put('a', '1')])]);

      expect(await keysIn('k', 'l')).toEqual(before);
      expect(await get('a')).toEqual(['1']);
      snapshot.close();
    });

    test('an engine that retires closes after its last snapshot', async () => {
      await engine.write([put('a', '1')]);
      const [first, second] = [engine.snapshot(), engine.snapshot()];
      let isRetired = false;
      const retiring = engine.retire().then(() => {
        isRetired = true;
      });
      first.close();
      expect((await second.getMany([bytes('a')])).map(text)).toEqual(['1']);
      expect(isRetired).toBe(false);

      second.close();
      await retiring;
      await expect(get('a')).rejects.toThrow('the engine is open');
    });

    test('an engine that retires is closed all the same, and its snapshots end', async () => {
      const snapshot = engine.snapshot();
      const retiring = engine.retire();
      await engine.close();
      await retiring;

      await expect(snapshot.getMany([bytes('a')])).rejects.toMatchObject({ code: 'STOPPED' });
      await expect(
        snapshot.scan({ gte: bytes('a'), lt: bytes('b'), limit: 1 }),
      ).rejects.toMatchObject({ code: 'STOPPED' });
      snapshot.close();
    });

    test('writes take effect in the order of the calls, also when not waited for', async () => {
      const writes = Array.from({ length: 200 }, async (_, i) =>
        engine.write([put('key', String(i)), put(`key${i}`, String(i))]),
      );
      await Promise.all(writes);

      expect(await get('key', 'key0', 'key199')).toEqual(['199', '0', '199']);
    });

    test('a snapshot keeps to its state while writes go on, and closes twice', async () => {
      await engine.write([put('a', '1'), put('b', '1')]);
      const snapshot = engine.snapshot();
      await engine.write([put('a', '2'), remove('b'), put('c', '2')]);

      expect((await snapshot.getMany([bytes('a'), bytes('b'), bytes('c')])).map(text)).toEqual([
        '1',
        '1',
        undefined,
      ]);
      const records = await snapshot.scan({ gte: bytes('a'), lt: bytes('z'), limit: 10 });
      expect(records.map(({ value }) => text(value))).toEqual(['1', '1']);
      expect(await get('a', 'b', 'c')).toEqual(['2', undefined, '2']);
      snapshot.close();
      snapshot.close();
    });

    test('an engine closes while a snapshot of it is open', async () => {
      await engine.write([put('a', '1')]);
      engine.snapshot();

      await engine.close();
      await engine.close();
    });

    test('arrays handed in or out may be changed by the caller afterwards', async () => {
      const key = bytes('key');
      const value = bytes('old');
      await engine.write([{ type: 'put', key, value }]);
      value.set(bytes('new'));
      const [first] = await engine.getMany([key]);
      first?.fill(0);
      const [record] = await engine.scan({ gte: bytes('a'), lt: bytes('z'), limit: 1 });
      record?.key.fill(0);
      record?.value.fill(0);

      expect(await get('key')).toEqual(['old']);
    });

    test('flush resolves, after writes that were not waited for too', async () => {
      const writing = engine.write([put('a', '1')]);
      await engine.flush();
      await writing;

      expect(await get('a')).toEqual(['1']);
      expect(await engine.sizeBytes()).toBeGreaterThan(0);
    });

    test('agrees with a naive twin over random batches', async () => {
      const prng = createPrng(20);
      const key = (): string => `${'abc'[prng.nextInt(0, 3)] ?? ''}${prng.nextInt(0, 20)}`;
      const twin = new Map<string, string>();
      for (let round = 0; round < 60; round++) {
        const batch = Array.from({ length: prng.nextInt(1, 12) }, (_, i) =>
          randomOperation(prng, key, `${round}/${i}`),
        );
        for (const operation of batch) {
          applyToTwin(twin, operation);
        }
        await engine.write(batch);

        const [lo = '', hi = ''] = [key(), key()].sort();
        const reverse = prng.nextInt(0, 2) === 1;
        const limit = prng.nextInt(1, 40);
        const expected = [...twin.entries()]
          .filter(([name]) => name >= lo && name < hi)
          .sort(([a], [b]) => compareBytes(bytes(a), bytes(b)) * (reverse ? -1 : 1))
          .slice(0, limit);
        const found = await engine.scan({ gte: bytes(lo), lt: bytes(hi), limit, reverse });
        expect(found.map((record) => [text(record.key), text(record.value)])).toEqual(expected);
      }
    });
  });
}

function randomOperation(prng: Prng, key: () => string, value: string): EngineOperation {
  const kind = prng.nextInt(0, 10);
  if (kind === 0) {
    const [lo = '', hi = ''] = [key(), key()].sort();
    return removeRange(lo, hi);
  }
  return kind < 4 ? remove(key()) : put(key(), value);
}

function applyToTwin(twin: Map<string, string>, operation: EngineOperation): void {
  const key = text(operation.key) ?? '';
  switch (operation.type) {
    case 'put':
      twin.set(key, text(operation.value) ?? '');
      break;
    case 'delete':
      twin.delete(key);
      break;
    case 'deleteRange': {
      const end = text(operation.end) ?? '';
      for (const name of [...twin.keys()].filter((it) => it >= key && it < end)) {
        twin.delete(name);
      }
      break;
    }
  }
}
