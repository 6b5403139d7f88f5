import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { KvError } from '../../src/base/index.ts';
import {
  createMemoryEngine,
  type Engine,
  nodeFileSystem,
  openStateStore,
  type StateStore,
} from '../../src/storage/index.ts';
import { describeStateStore, putText, textsOf } from '../conformance/state-store.suite.ts';
import { writeJsonFile } from '../../src/storage/json-file.ts';
import { StateDisk } from '../harness/memory-state.ts';
import { matching } from './matching.ts';
import { MemoryFileSystem, systemError } from './memory-file-system.ts';
import { createTempDir } from './temp-dir.ts';

describeStateStore('FileStateStore', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-state-'));
  return Promise.resolve({
    open: async () => openStateStore({ folder, fileSystem: nodeFileSystem }),
    dispose: async () => {
      rmSync(folder, { recursive: true, force: true });
      return Promise.resolve();
    },
  });
});

describeStateStore('StateDisk of the tests', async () => {
  const disk = new StateDisk();
  return Promise.resolve({
    open: async () => Promise.resolve(disk.open()),
    dispose: async () => Promise.resolve(),
  });
});

const folder = '/member/engine';

/** Stores of generations on a disk in memory: a file stands for what RocksDB has flushed. */
class MemoryGenerations {
  readonly fileSystem: MemoryFileSystem;

  constructor(fileSystem: MemoryFileSystem) {
    this.fileSystem = fileSystem;
  }

  async open(rebuild = false): Promise<StateStore> {
    const { fileSystem } = this;
    return openStateStore({
      folder,
      fileSystem,
      rebuild,
      openEngine: async (path, { mustExist }) => this.#openEngine(path, mustExist === true),
    });
  }

  async #openEngine(path: string, mustExist: boolean): Promise<Engine> {
    const engine = createMemoryEngine();
    const isThere = this.fileSystem.list(path).includes('CURRENT');
    if (!isThere && mustExist) {
      throw new KvError('DATA_CORRUPT', {
        message: `${path} is gone`,
        details: { part: 'engine' },
      });
    }
    const file = this.fileSystem.open(`${path}/CURRENT`, isThere ? 'existing' : 'create');
    const stored = new Uint8Array(file.sizeBytes());
    await file.read(stored, 0);
    for (const text of new TextDecoder().decode(stored).split(',')) {
      const [key = '', value] = text.split('=');
      if (value !== undefined) {
        await putText(engine, key, value);
      }
    }
    const flush = async (): Promise<void> => {
      const bytes = new TextEncoder().encode((await textsOf(engine)).join(','));
      file.writeSync(bytes, bytes.length, 0);
      await file.sync();
      await this.fileSystem.syncDirectory(path);
    };
    return Object.assign(engine, { flush });
  }
}

async function activate(store: StateStore, text: string, index: number): Promise<void> {
  const staged = await store.stage();
  await putText(staged.engine, 'a', text);
  await staged.activate({ index, term: 1 });
}

/** What an opening finds. */
async function contentsOf(fileSystem: MemoryFileSystem): Promise<string> {
  const store = await new MemoryGenerations(fileSystem).open();
  const contents = `${String(store.installed?.index)}: ${(await textsOf(store.engine)).join()}`;
  await store.close();
  const generations = fileSystem.list(folder).filter((name) => name !== 'current.json');
  expect(generations.length).toBe(1);
  return contents;
}

describe('the state store after a power cut at any operation', { timeout: 60_000 }, () => {
  test.each([
    ['nothing unsynced survives', false],
    ['everything survives', true],
  ])('has the old generation or the new one: %s', async (_, survives) => {
    const expected = ['undefined: ', '10: a=first', '20: a=second'];
    const seen = new Set<string>();
    let isComplete = false;
    for (let stopAt = 1; !isComplete && stopAt < 200; stopAt++) {
      const fileSystem = new MemoryFileSystem();
      let operations = 0;
      fileSystem.onOperation = () => {
        operations++;
        if (operations >= stopAt) {
          throw systemError('EIO');
        }
      };
      let reached = 0;
      try {
        const store = await new MemoryGenerations(fileSystem).open();
        await activate(store, 'first', 10);
        reached = 1;
        await activate(store, 'second', 20);
        reached = 2;
        isComplete = true;
      } catch (error) {
        expect(error).toMatchObject({ message: matching('injected') });
      }
      const found = await contentsOf(fileSystem.crash(() => survives, survives));
      expect(expected.slice(reached, reached + 2)).toContain(found);
      seen.add(found);
    }
    expect(isComplete).toBe(true);
    expect([...seen].sort()).toEqual([...expected].sort());
  });
});

/** Two states, one after the other; tells how many are in place. */
async function activateTwo(
  fileSystem: MemoryFileSystem,
): Promise<{ reached: number; store: StateStore | undefined }> {
  let reached = 0;
  let store: StateStore | undefined;
  try {
    store = await new MemoryGenerations(fileSystem).open();
    await activate(store, 'first', 10);
    reached = 1;
    await activate(store, 'second', 20);
    reached = 2;
  } catch (error) {
    expect(error).toMatchObject({ message: matching('injected') });
  }
  return { reached, store };
}

describe('the state store after one operation that fails', { timeout: 60_000 }, () => {
  test.each([
    ['nothing unsynced survives', false],
    ['everything survives', true],
  ])('is closed in good order, and then whole after a power cut: %s', async (_, survives) => {
    const expected = ['undefined: ', '10: a=first', '20: a=second'];
    for (let failing = 1; failing < 200; failing++) {
      const fileSystem = new MemoryFileSystem();
      let operations = 0;
      fileSystem.onOperation = () => {
        operations++;
        if (operations === failing) {
          throw systemError('EIO');
        }
      };
      const { reached, store } = await activateTwo(fileSystem);
      await store?.close();
      const found = await contentsOf(fileSystem.crash(() => survives, survives));
      expect(expected.slice(reached, reached + 2)).toContain(found);
      if (operations < failing) {
        return;
      }
    }
    expect.unreachable('the workload has fewer operations');
  });
});

describe('the state store after a process that was killed', { timeout: 60_000 }, () => {
  test('keeps, through a power cut, what the next process has found', async () => {
    const seen = new Set<string>();
    for (let killedAt = 1; killedAt < 200; killedAt++) {
      const fileSystem = new MemoryFileSystem();
      let operations = 0;
      let killed: MemoryFileSystem | undefined;
      fileSystem.onOperation = () => {
        operations++;
        if (operations === killedAt) {
          killed = fileSystem.killed();
        }
      };
      await activateTwo(fileSystem);
      if (killed === undefined) {
        expect([...seen].sort()).toEqual(['10: a=first', '20: a=second', 'undefined: ']);
        return;
      }
      const found = await contentsOf(killed);
      expect(await contentsOf(killed.crash(() => false, false))).toBe(found);
      seen.add(found);
    }
    expect.unreachable('the workload has fewer operations');
  });
});

describe('the state store', { timeout: 60_000 }, () => {
  test('removes the files of the old generation once its last snapshot is closed', async () => {
    const path = createTempDir();
    const store = await openStateStore({ folder: path, fileSystem: nodeFileSystem });
    await putText(store.engine, 'a', 'old');
    const snapshot = store.engine.snapshot();
    await activate(store, 'new', 3);
    expect(readdirSync(path)).toEqual(['0000000001', '0000000002', 'current.json']);

    snapshot.close();
    await store.close();
    expect(readdirSync(path)).toEqual(['0000000002', 'current.json']);
  });

  test('closing ends a snapshot of an old generation, and says so to its reader', async () => {
    const path = createTempDir();
    const store = await openStateStore({ folder: path, fileSystem: nodeFileSystem });
    const snapshot = store.engine.snapshot();
    await activate(store, 'new', 3);
    await store.close();

    await expect(textsOf(snapshot)).rejects.toMatchObject({ code: 'STOPPED' });
    expect(readdirSync(path)).toEqual(['0000000002', 'current.json']);
  });

  test('a generation that is gone is refused, and rebuilt when asked to', async () => {
    const generations = new MemoryGenerations(new MemoryFileSystem());
    const store = await generations.open();
    await activate(store, 'x', 10);
    await store.close();
    await generations.fileSystem.removeFolder(`${folder}/0000000002`);

    await expect(generations.open()).rejects.toMatchObject({
      code: 'DATA_CORRUPT',
      details: { part: 'engine' },
    });
    const rebuilt = await generations.open(true);
    expect(rebuilt.installed).toBeUndefined();
    expect(await textsOf(rebuilt.engine)).toEqual([]);
    await rebuilt.close();
    expect(await contentsOf(generations.fileSystem)).toBe('undefined: ');
  });

  test('a real generation that is gone is refused, too, and names the folder', async () => {
    const path = createTempDir();
    await (await openStateStore({ folder: path, fileSystem: nodeFileSystem })).close();
    rmSync(join(path, '0000000001'), { recursive: true });

    await expect(
      openStateStore({ folder: path, fileSystem: nodeFileSystem }),
    ).rejects.toMatchObject({
      code: 'DATA_CORRUPT',
      details: { part: 'engine', file: join(path, '0000000001') },
    });
  });

  test('generations without the file that names one are refused', async () => {
    const path = createTempDir();
    await (await openStateStore({ folder: path, fileSystem: nodeFileSystem })).close();
    rmSync(join(path, 'current.json'));
    const damaged = {
      code: 'DATA_CORRUPT',
      message: matching('the file is missing, but there is 0000000001 beside it'),
    };

    await expect(
      openStateStore({ folder: path, fileSystem: nodeFileSystem }),
    ).rejects.toMatchObject(damaged);
    expect(readdirSync(path)).toEqual(['0000000001']);
  });

  test('any flipped byte of the file that names the generation is found', async () => {
    const path = createTempDir();
    const store = await openStateStore({ folder: path, fileSystem: nodeFileSystem });
    await activate(store, 'x', 10);
    await store.close();
    const file = join(path, 'current.json');
    const original = readFileSync(file);
    for (let at = 0; at < original.length; at++) {
      const damaged = Buffer.from(original);
      damaged[at] = (damaged[at] ?? 0) ^ (1 << (at % 8));
      writeFileSync(file, damaged);
      const opening = openStateStore({ folder: path, fileSystem: nodeFileSystem });
      await expect(opening).rejects.toMatchObject({ message: matching('current.json') });
    }
    writeFileSync(file, original);
    const again = await openStateStore({ folder: path, fileSystem: nodeFileSystem });
    expect(await textsOf(again.engine)).toEqual(['a=x']);
    await again.close();
  });
});

describe('a table that is kept apart in the store', () => {
  const ascendingTable = 0x72;
  const put = { type: 'put', key: Uint8Array.of(0x72, 1), value: Uint8Array.of(1) } as const;
  const open = async (path: string, table?: number): Promise<StateStore> =>
    openStateStore({ folder: path, fileSystem: nodeFileSystem, ascendingTable: table });
  const current = (path: string): string => readFileSync(join(path, 'current.json'), 'utf8');

  test.each([
    ['a folder that was made without one never has one', undefined, ascendingTable, 1],
    ['a folder that was made with one always has it', ascendingTable, undefined, 2],
  ])('%s', async (_, first, later, formatVersion) => {
    const path = createTempDir();
    await (await open(path, first)).close();
    expect(JSON.parse(current(path))).toMatchObject({ formatVersion, generation: 1 });

    for (const generation of [2, 3]) {
      const store = await open(path, later);
      const staged = await store.stage();
      await staged.engine.write([put]);
      await staged.activate({ index: 5, term: 1 });
      await store.close();
      expect(JSON.parse(current(path))).toMatchObject({ formatVersion, generation });
    }
    const store = await open(path, later);
    expect(await store.engine.getMany([put.key])).toEqual([Buffer.from([1])]);
    await store.close();
  });

  test('a state that is rebuilt is made anew', async () => {
    const path = createTempDir();
    await (await open(path)).close();
    const options = { folder: path, fileSystem: nodeFileSystem, rebuild: true, ascendingTable };
    await (await openStateStore(options)).close();

    expect(JSON.parse(current(path))).toMatchObject({ formatVersion: 2, ascendingTable });
  });

  test.each([
    ['format version 3', { formatVersion: 3, ascendingTable }, 'CONFIG_INVALID'],
    ['version 1 with a table', { formatVersion: 1, ascendingTable }, 'DATA_CORRUPT'],
    ['version 2 without one', { formatVersion: 2 }, 'DATA_CORRUPT'],
    ['version 2 with one that is none', { formatVersion: 2, ascendingTable: 255 }, 'DATA_CORRUPT'],
  ])('refuses %s', async (_, fields, code) => {
    const path = createTempDir();
    const state = { ...fields, generation: 1, state: 'ready' };
    await writeJsonFile(path, 'current.json', state, nodeFileSystem);

    await expect(open(path, ascendingTable)).rejects.toMatchObject({ code });
    expect(JSON.parse(current(path))).toMatchObject(fields);
  });
});
