/**
 * Flipped bytes in the files of a closed RocksDB store: whatever it is, the store holds what was
 * written, or an exact earlier prefix of its batches not behind the last flush (the log has the
 * rest), or says DATA_CORRUPT. It never holds anything else. Of a table that is kept apart it may
 * hold what the next batch has written of it.
 */
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { createPrng, KvError, type Prng } from '../../src/base/index.ts';
import { type Engine, type EngineOperation, openRocksdbEngine } from '../../src/storage/index.ts';
import { createTempDir } from './temp-dir.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (value: Uint8Array | undefined): string => new TextDecoder().decode(value);

const batchCount = 60;
const flushes: ReadonlySet<number> = new Set([20, 40]);
const lastFlush = 40;
/** Says how many batches there are, as the applied index does. */
const counterKey = 'counter';
/** Leading byte of the keys that only ascend. */
const historyTable = 'h'.charCodeAt(0);

type Contents = ReadonlyMap<string, string>;

/** A store in `folder`, and what it held after each batch. */
async function fill(
  folder: string,
  prng: Prng,
  ascendingTable: number | undefined,
): Promise<readonly Contents[]> {
  const states: Contents[] = [new Map()];
  const engine = await openRocksdbEngine(folder, { ascendingTable });
  for (let number = 1; number <= batchCount; number++) {
    const state = new Map(states.at(-1));
    state.set(counterKey, String(number));
    for (let i = 0; i < 8; i++) {
      const value = `${number}/${i} `.repeat(prng.nextInt(1, 50));
      state.set(`key${String(prng.nextInt(0, 200)).padStart(4, '0')}`, value);
      state.set(`history${String(number).padStart(4, '0')}${i}`, value);
    }
    const previous = states.at(-1);
    const changed = [...state].filter(([key, value]) => previous?.get(key) !== value);
    await engine.write(
      changed.map(
        ([key, value]): EngineOperation => ({ type: 'put', key: bytes(key), value: bytes(value) }),
      ),
    );
    states.push(state);
    if (flushes.has(number)) {
      await engine.flush();
    }
  }
  await engine.close();
  return states;
}

async function readAll(engine: Engine, keys: readonly string[]): Promise<Map<string, string>> {
  const records = await engine.scan({ gte: bytes('a'), lt: bytes('z'), limit: 10_000 });
  const contents = new Map(records.map(({ key, value }) => [text(key), text(value)]));
  // Point reads take another way through the files: filters, and single blocks.
  const values = await engine.getMany(keys.map(bytes));
  for (const [i, key] of keys.entries()) {
    const value = values[i];
    expect(value === undefined ? undefined : text(value)).toBe(contents.get(key));
  }
  return contents;
}

/** What is ahead of the batches that `contents` counts goes out of it. */
function dropAhead(contents: Map<string, string>, next: Contents, count: number): void {
  const ahead = [...contents.keys()].filter(
    (key) => key.startsWith('history') && Number(key.slice(7, 11)) > count,
  );
  for (const key of ahead) {
    expect(contents.get(key)).toBe(next.get(key));
    contents.delete(key);
  }
  expect([0, 8]).toContain(ahead.length);
}

/** `right`, `prefix`, or the part that is damaged; anything else fails the test. */
async function outcomeOf(
  folder: string,
  states: readonly Contents[],
  ascendingTable: number | undefined,
): Promise<string> {
  let engine: Engine | undefined;
  try {
    engine = await openRocksdbEngine(folder, { mustExist: true, ascendingTable });
    const contents = await readAll(engine, [...(states.at(-1) ?? new Map()).keys()]);
    const count = Number(contents.get(counterKey) ?? 0);
    if (ascendingTable !== undefined) {
      dropAhead(contents, states[count + 1] ?? new Map<string, string>(), count);
    }
    expect(contents).toEqual(states[count]);
    expect(count).toBeGreaterThanOrEqual(lastFlush);
    return count === batchCount ? 'right' : 'prefix';
  } catch (error) {
    if (!(error instanceof KvError)) {
      throw error;
    }
    expect(error.code).toBe('DATA_CORRUPT');
    expect(error.details['part']).toBe('engine');
    expect(error.message).toContain(folder);
    expect(error.message).toMatch(/Remedy: .*the state is rebuilt/);
    return 'damaged';
  } finally {
    await engine?.close();
  }
}

function filesOf(folder: string): string[] {
  return readdirSync(folder).filter((name) => !name.startsWith('LOG') && name !== 'LOCK');
}

describe.each([
  ['one family', undefined],
  ['a table kept apart', historyTable],
])('RocksdbEngine of %s after damage', { timeout: 120_000 }, (_, ascendingTable) => {
  async function outcomesOf(
    places: (folder: string) => Iterable<{ name: string; at: number; flip: number }>,
  ): Promise<Map<string, number>> {
    const root = createTempDir();
    const [intact, work] = [join(root, 'intact'), join(root, 'work')];
    const states = await fill(intact, createPrng(31), ascendingTable);
    const outcomes = new Map<string, number>();
    for (const { name, at, flip } of places(intact)) {
      rmSync(work, { recursive: true, force: true });
      cpSync(intact, work, { recursive: true });
      const content = readFileSync(join(work, name));
      content[at] = (content[at] ?? 0) ^ flip;
      writeFileSync(join(work, name), content);
      const found = await outcomeOf(work, states, ascendingTable);
      const outcome = `${name.replace(/[-\d]+/, '*')}: ${found}`;
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
    return outcomes;
  }

  test('a flipped byte anywhere never makes a wrong value', async () => {
    const prng = createPrng(60);
    const outcomes = await outcomesOf(function* (folder) {
      for (const name of filesOf(folder)) {
        const { length } = readFileSync(join(folder, name));
        for (let i = 0; i < 14 && length > 0; i++) {
          yield { name, at: prng.nextInt(0, length), flip: 1 << prng.nextInt(0, 8) };
        }
      }
    });

    expect([...outcomes.keys()].sort()).toEqual(
      expect.arrayContaining(['*.log: prefix', '*.sst: damaged', 'IDENTITY: right']) as unknown,
    );
  });

  test('every byte of the manifest, and of the file that names it, is covered', async () => {
    const outcomes = await outcomesOf(function* (folder) {
      for (const name of filesOf(folder)) {
        const { length } = readFileSync(join(folder, name));
        const isSmall = name.startsWith('MANIFEST') || name === 'CURRENT';
        for (let at = 0; isSmall && at < length; at++) {
          yield { name, at, flip: at % 2 === 0 ? 1 << (at % 8) : 0xff };
        }
      }
    });

    expect([...outcomes.keys()].sort()).toEqual(['CURRENT: damaged', 'MANIFEST*: damaged']);
  });

  test('a store with a file missing is refused', async () => {
    const root = createTempDir();
    const [intact, work] = [join(root, 'intact'), join(root, 'work')];
    const states = await fill(intact, createPrng(31), ascendingTable);
    for (const name of filesOf(intact).filter((it) => /sst$|^MANIFEST|^CURRENT/.test(it))) {
      rmSync(work, { recursive: true, force: true });
      cpSync(intact, work, { recursive: true });
      rmSync(join(work, name));

      expect(await outcomeOf(work, states, ascendingTable)).toBe('damaged');
    }
  });

  test('damage that a write meets is told as damage, and nothing is written any more', async () => {
    const folder = createTempDir();
    await fill(folder, createPrng(31), ascendingTable);
    const table = join(folder, filesOf(folder).find((name) => name.endsWith('.sst')) ?? '');
    const content = readFileSync(table);
    content[100] = (content[100] ?? 0) ^ 1;
    writeFileSync(table, content);
    const engine = await openRocksdbEngine(folder, { ascendingTable });
    const damaged = { code: 'DATA_CORRUPT', details: { part: 'engine', file: table } };

    await expect(engine.compactRange()).rejects.toMatchObject(damaged);
    const put = { type: 'put', key: bytes('a'), value: bytes('b') } as const;
    await expect(engine.write([put])).rejects.toMatchObject(damaged);
    await expect(engine.write([put])).rejects.toMatchObject(damaged);
    await engine.close();
  });
});

describe('a RocksdbEngine with a table kept apart, flushed alone', { timeout: 60_000 }, () => {
  const eventBytes = 1024 * 1024;
  const events = 24;

  /** Both families in one log, the second one in a file as well. */
  async function fillUntilFlushed(folder: string): Promise<void> {
    const engine = await openRocksdbEngine(folder, { ascendingTable: historyTable });
    const manifest = filesOf(folder).find((name) => name.startsWith('MANIFEST')) ?? '';
    const manifestBytes = (): number => readFileSync(join(folder, manifest)).length;
    const bytesBefore = manifestBytes();
    for (let number = 1; number <= events; number++) {
      await engine.write([
        { type: 'put', key: bytes(counterKey), value: bytes(String(number)) },
        { type: 'put', key: bytes(`history${1000 + number}`), value: new Uint8Array(eventBytes) },
      ]);
    }
    while (manifestBytes() === bytesBefore) {
      await sleep(5);
    }
    await engine.close();
  }

  async function open(folder: string): Promise<number> {
    const engine = await openRocksdbEngine(folder, { ascendingTable: historyTable });
    try {
      return Number(text((await engine.getMany([bytes(counterKey)]))[0]));
    } finally {
      await engine.close();
    }
  }

  test.each(['a byte flipped', 'its end lost'])(
    'is refused when the other table would fall behind it: %s',
    async (damage) => {
      const folder = createTempDir();
      await fillUntilFlushed(folder);
      const [oldest = ''] = filesOf(folder).filter((name) => name.endsWith('.log'));
      const path = join(folder, oldest);
      const content = readFileSync(path);
      expect(content.length).toBeGreaterThan(14 * eventBytes);
      const at = 4 * eventBytes;
      content[at] = (content[at] ?? 0) ^ 1;
      writeFileSync(path, damage === 'its end lost' ? content.subarray(0, at) : content);

      await expect(open(folder)).rejects.toMatchObject({
        code: 'DATA_CORRUPT',
        details: { part: 'engine', file: path },
      });
      expect(readFileSync(path).length).toBeGreaterThan(0);
    },
  );

  test('falls back to a prefix when what is lost was never flushed', async () => {
    const folder = createTempDir();
    await fillUntilFlushed(folder);
    const newest =
      filesOf(folder)
        .filter((name) => name.endsWith('.log'))
        .at(-1) ?? '';
    const path = join(folder, newest);
    const content = readFileSync(path);
    const end = content.findLastIndex((byte) => byte !== 0);
    content[end] = (content[end] ?? 0) ^ 1;
    writeFileSync(path, content);

    const count = await open(folder);
    expect(count).toBeGreaterThan(14);
    expect(count).toBeLessThan(events);
  });
});
