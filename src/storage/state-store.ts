/**
 * The state of a member on disk, in generations: each is a store of its own in a folder of its own,
 * and one small file names the current one.
 *
 * ```text
 * engine/current.json    generation, whether it is still being made, what it was installed from
 * engine/<generation>/   RocksDB
 * ```
 *
 * A snapshot of another member fills a new generation; replacing `current.json` is the switch,
 * atomic and durable. Whatever else lies beside the current generation was staged and never used,
 * or was replaced: it is removed at the next opening. A first generation is named as being made
 * before it is, so that one that was in use and is gone is never taken for one that never was.
 *
 * Whether a table is kept apart in the store is decided when a first generation is made, and stays
 * so for those that take its place: a build that does not know of it can go on with any folder that
 * such a build has made, and with no other.
 *
 * Invariant: no generation's files go while `current.json` may name it, on disk or after a power
 * cut: whoever removes has made it durable before that another one is named.
 */
import { dirname } from 'node:path';
import { assert, KvError } from '../base/index.ts';
import { corruptData } from './corruption.ts';
import { openRocksdbEngine, type RocksdbEngineOptions } from './engine-rocksdb.ts';
import type { FileSystem } from './file-system.ts';
import { type JsonFields, jsonTempSuffix, readJsonFile, writeJsonFile } from './json-file.ts';
import type { Engine, LogPosition, StagedState, StateStore } from './ports.ts';
import { storageError } from './storage-error.ts';

/** Of a state that is one table for the engine; and of one in which a table is kept apart. */
const FORMAT_VERSION = 1;
const FORMAT_VERSION_APART = 2;
const currentFileName = 'current.json';
const generationPattern = /^\d{10}$/;

/** Where the generations are kept. */
export interface StateStoreOptions {
  readonly folder: string;
  readonly fileSystem: FileSystem;
  /**
   * When true, the current generation is given up for a fresh, empty one, whatever became of it.
   * For a member whose log is sound and whose state is not: it fetches the state from its peers.
   */
  readonly rebuild?: boolean | undefined;
  /** What a state that is made anew keeps apart, see {@link RocksdbEngineOptions}. */
  readonly ascendingTable?: number | undefined;
  /** Opens the store of a generation; RocksDB outside tests. */
  readonly openEngine?:
    | ((folder: string, options: RocksdbEngineOptions) => Promise<Engine>)
    | undefined;
}

/** What `current.json` says. */
interface Current {
  readonly generation: number;
  /** False while a first generation is being made. */
  readonly isReady: boolean;
  readonly installed: LogPosition | undefined;
  /** The table that is kept apart in the store. */
  readonly ascendingTable: number | undefined;
}

/**
 * Opens the state in `folder`; an empty or missing folder becomes the first, empty generation.
 *
 * @throws {KvError} DATA_CORRUPT — the current generation is damaged or gone (`part: 'engine'`).
 * @throws {KvError} STORAGE_FAILED; DISK_FULL — the disk, or the native library, does not work.
 */
export async function openStateStore(options: StateStoreOptions): Promise<StateStore> {
  const folders = new GenerationFolders(options);
  let engine: Engine | undefined;
  try {
    await folders.make();
    const found = options.rebuild === true ? undefined : await folders.readCurrent();
    const current = found?.isReady === true ? found : await folders.create();
    engine = await folders.open(current, { mustExist: true });
    // Only under the lock of the current one: the others may be in use by whoever has that.
    await folders.removeAllBut(current.generation);
    return new FileStateStore(folders, current, engine);
  } catch (error) {
    await engine?.close();
    throw storageError(error, `the state in ${options.folder} could not be opened`, 'rejected');
  }
}

class FileStateStore implements StateStore {
  readonly #folders: GenerationFolders;
  #current: Current;
  #engine: Engine;
  #staged: FileStagedState | undefined;
  /** A staged generation whose activation has failed, nobody knows how far. */
  #mayBeNamed: number | undefined;
  /** Highest generation ever begun here; none is used twice. */
  #lastGeneration: number;
  /** Generations that were replaced, on their way out. */
  readonly #retiring = new Map<Engine, Promise<void>>();
  #isClosed = false;

  constructor(folders: GenerationFolders, current: Current, engine: Engine) {
    this.#folders = folders;
    this.#current = current;
    this.#engine = engine;
    this.#lastGeneration = current.generation;
  }

  get engine(): Engine {
    return this.#engine;
  }

  get installed(): LogPosition | undefined {
    return this.#current.installed;
  }

  async stage(): Promise<StagedState> {
    assert(!this.#isClosed, 'the state store is open');
    const generation = ++this.#lastGeneration;
    await this.#staged?.discard();
    try {
      await this.#folders.remove(generation);
      const { ascendingTable } = this.#current;
      const engine = await this.#folders.open({ generation, ascendingTable }, { mustExist: false });
      const staged: FileStagedState = new FileStagedState(engine, {
        activate: async (position) => this.#activate(staged, generation, position),
        discard: async () => this.#discard(staged, generation),
      });
      this.#staged = staged;
      return staged;
    } catch (error) {
      throw storageError(error, 'no generation of the state could be begun', 'rejected');
    }
  }

  async close(): Promise<void> {
    if (this.#isClosed) {
      return;
    }
    this.#isClosed = true;
    try {
      await this.#staged?.discard();
    } finally {
      await this.#engine.close();
      // Their snapshots end here: whoever still reads them is told so.
      await Promise.all([...this.#retiring].flatMap(([old, gone]) => [old.close(), gone]));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #activate(
    staged: FileStagedState,
    generation: number,
    { index, term }: LogPosition,
  ): Promise<void> {
    assert(this.#staged === staged, 'what is activated is what was staged last');
    await staged.engine.flush();
    const { ascendingTable } = this.#current;
    const current = { generation, isReady: true, installed: { index, term }, ascendingTable };
    this.#mayBeNamed = generation;
    try {
      await this.#folders.writeCurrent(current);
    } catch (error) {
      // The rename may have happened: only the next opening can tell which generation it is.
      throw storageError(error, 'the state could not be switched', 'unknown');
    }
    const { engine: old } = this;
    const { generation: oldGeneration } = this.#current;
    this.#current = current;
    this.#engine = staged.engine;
    this.#staged = undefined;
    this.#mayBeNamed = undefined;
    this.#retire(old, oldGeneration);
  }

  /** The files go once nobody reads them any more; what fails to go does at the next opening. */
  #retire(engine: Engine, generation: number): void {
    const retiring = engine
      .retire()
      .then(async () => this.#folders.remove(generation))
      .catch(() => undefined)
      .finally(() => this.#retiring.delete(engine));
    this.#retiring.set(engine, retiring);
  }

  async #discard(staged: FileStagedState, generation: number): Promise<void> {
    if (this.#staged === staged) {
      this.#staged = undefined;
      await staged.engine.close();
      if (this.#mayBeNamed === generation) {
        // If this fails its files stay, for the next opening to choose.
        await this.#folders.writeCurrent(this.#current);
        this.#mayBeNamed = undefined;
      }
      await this.#folders.remove(generation);
    }
  }
}

class FileStagedState implements StagedState {
  readonly engine: Engine;
  readonly #actions: Pick<StagedState, 'activate' | 'discard'>;

  constructor(engine: Engine, actions: Pick<StagedState, 'activate' | 'discard'>) {
    this.engine = engine;
    this.#actions = actions;
  }

  async activate(position: LogPosition): Promise<void> {
    await this.#actions.activate(position);
  }

  async discard(): Promise<void> {
    await this.#actions.discard();
  }
}

/** The files: one that names the current generation, and a folder for each. */
class GenerationFolders {
  readonly #options: StateStoreOptions;

  constructor(options: StateStoreOptions) {
    this.#options = options;
  }

  /**
   * Makes the folder where it is absent. Also what a process before this one has named in it is
   * durable then, and may be acted upon.
   */
  async make(): Promise<void> {
    const { folder, fileSystem } = this.#options;
    fileSystem.makeFolder(folder);
    await fileSystem.syncDirectory(dirname(folder));
    await fileSystem.syncDirectory(folder);
  }

  async open(
    { generation, ascendingTable }: Pick<Current, 'generation' | 'ascendingTable'>,
    { mustExist }: { readonly mustExist: boolean },
  ): Promise<Engine> {
    const openEngine = this.#options.openEngine ?? openRocksdbEngine;
    return openEngine(this.#folderOf(generation), { mustExist, ascendingTable });
  }

  async remove(generation: number): Promise<void> {
    await this.#options.fileSystem.removeFolder(this.#folderOf(generation));
  }

  async removeAllBut(generation: number): Promise<void> {
    const { folder, fileSystem } = this.#options;
    for (const name of fileSystem.list(folder)) {
      if (name.endsWith(jsonTempSuffix)) {
        fileSystem.remove(`${folder}/${name}`);
      }
      if (generationPattern.test(name) && Number(name) !== generation) {
        await this.remove(Number(name));
      }
    }
  }

  /** Makes a first generation, durably empty. */
  async create(): Promise<Current> {
    const { ascendingTable } = this.#options;
    const current = { generation: 1, isReady: true, installed: undefined, ascendingTable };
    await this.writeCurrent({ ...current, isReady: false });
    await this.remove(current.generation);
    const engine = await this.open(current, { mustExist: false });
    try {
      await engine.flush();
    } finally {
      await engine.close();
    }
    await this.writeCurrent(current);
    return current;
  }

  /** Undefined when there has never been a generation. */
  async readCurrent(): Promise<Current | undefined> {
    const { folder, fileSystem } = this.#options;
    const path = `${folder}/${currentFileName}`;
    const names = fileSystem.list(folder);
    if (!names.includes(currentFileName)) {
      const other = names.find((name) => !name.endsWith(jsonTempSuffix));
      if (other !== undefined) {
        const what = `the file is missing, but there is ${other} beside it`;
        throw corruptData('engine', path, 0, what);
      }
      return undefined;
    }
    const fields = await readJsonFile(path, fileSystem);
    const current = typeof fields === 'string' ? fields : currentOf(fields, path);
    if (typeof current === 'string') {
      throw corruptData('engine', path, 0, current);
    }
    return current;
  }

  async writeCurrent({ generation, isReady, installed, ascendingTable }: Current): Promise<void> {
    const { folder, fileSystem } = this.#options;
    const state = isReady ? 'ready' : 'initializing';
    const formatVersion = ascendingTable === undefined ? FORMAT_VERSION : FORMAT_VERSION_APART;
    const fields = { formatVersion, generation, state, installed, ascendingTable };
    // The folder of the generation is durable before it is named.
    await fileSystem.syncDirectory(folder);
    await writeJsonFile(folder, currentFileName, fields, fileSystem);
  }

  #folderOf(generation: number): string {
    return `${this.#options.folder}/${String(generation).padStart(10, '0')}`;
  }
}

/** A string says what is wrong. */
function currentOf(fields: JsonFields, path: string): Current | string {
  const { formatVersion, generation, state, installed, ascendingTable } = fields;
  if (formatVersion !== FORMAT_VERSION && formatVersion !== FORMAT_VERSION_APART) {
    throw new KvError('CONFIG_INVALID', {
      message:
        `${path} has format version ${String(formatVersion)}, ` +
        `this program reads ${FORMAT_VERSION} and ${FORMAT_VERSION_APART}. ` +
        'Start the version that wrote it.',
    });
  }
  if ((formatVersion === FORMAT_VERSION_APART) !== isTable(ascendingTable)) {
    return 'what it says of a table that is kept apart does not go with its format version';
  }
  const isNamed = Number.isSafeInteger(generation) && (generation as number) > 0;
  if (!isNamed || (state !== 'ready' && state !== 'initializing')) {
    return 'it lacks the generation or its state';
  }
  const current = {
    generation: generation as number,
    isReady: state === 'ready',
    ascendingTable: ascendingTable as number | undefined,
  };
  if (installed === undefined) {
    return { ...current, installed };
  }
  const { index, term } = Object(installed) as {
    readonly index?: unknown;
    readonly term?: unknown;
  };
  const isPosition = Number.isSafeInteger(index) && Number.isSafeInteger(term);
  return isPosition
    ? { ...current, installed: { index: index as number, term: term as number } }
    : 'the position of its snapshot is not readable';
}

function isTable(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) < 0xff;
}
