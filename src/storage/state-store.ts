/**
 * The state of a member on disk, in generations: each is a RocksDB store in a folder of its own, and
 * one small file names the current one.
 *
 * ```text
 * engine/current.json    generation, and the snapshot it was installed from
 * engine/<generation>/   RocksDB
 * ```
 *
 * A snapshot of another member fills a new generation; replacing `current.json` is the switch, atomic
 * and durable. Whatever else lies beside the current generation was staged and never used, or was
 * replaced: it is removed at the next opening.
 */
import { assert, KvError } from '../base/index.ts';
import { corruptData } from './corruption.ts';
import { openRocksdbEngine } from './engine-rocksdb.ts';
import type { FileSystem } from './file-system.ts';
import { type JsonFields, readJsonFile, writeJsonFile } from './json-file.ts';
import type { Engine, LogPosition, StagedState, StateStore } from './ports.ts';
import { storageError } from './storage-error.ts';

const FORMAT_VERSION = 1;
const currentFileName = 'current.json';

/** Where the generations are kept. */
export interface StateStoreOptions {
  readonly folder: string;
  readonly fileSystem: FileSystem;
}

/** What `current.json` says. */
interface Current {
  readonly generation: number;
  readonly installed: LogPosition | undefined;
}

/**
 * Opens the state in `folder`; an empty or missing folder becomes the first, empty generation.
 *
 * @throws {KvError} DATA_CORRUPT — the current generation is damaged or gone (`part: 'engine'`).
 * @throws {KvError} STORAGE_FAILED — the disk, or the native library, does not work.
 */
export async function openStateStore(options: StateStoreOptions): Promise<StateStore> {
  const { folder, fileSystem } = options;
  try {
    fileSystem.makeFolder(folder);
    const names = fileSystem.list(folder);
    const current = names.includes(currentFileName)
      ? await readCurrent(options)
      : await createFirst(options, names);
    removeOthers(options, current.generation);
    const engine = await openRocksdbEngine(generationFolder(folder, current.generation), {
      mustExist: names.includes(currentFileName),
    });
    return new FileStateStore(options, current, engine);
  } catch (error) {
    throw storageError(error, `the state in ${folder} could not be opened`, 'rejected');
  }
}

class FileStateStore implements StateStore {
  readonly #options: StateStoreOptions;
  #current: Current;
  #engine: Engine;
  #staged: FileStagedState | undefined;
  /** Highest generation ever begun here; none is used twice. */
  #lastGeneration: number;
  /** Generations that were replaced, on their way out. */
  readonly #retiring = new Set<Promise<void>>();
  #isClosed = false;

  constructor(options: StateStoreOptions, current: Current, engine: Engine) {
    this.#options = options;
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
    await this.#staged?.discard();
    const generation = ++this.#lastGeneration;
    const folder = generationFolder(this.#options.folder, generation);
    removeGeneration(this.#options.fileSystem, folder);
    const engine = await openRocksdbEngine(folder);
    const staged: FileStagedState = new FileStagedState(engine, {
      activate: async (position) => this.#activate(staged, generation, position),
      discard: async () => this.#discard(staged, folder),
    });
    this.#staged = staged;
    return staged;
  }

  async close(): Promise<void> {
    if (this.#isClosed) {
      return;
    }
    this.#isClosed = true;
    await this.#staged?.discard();
    await this.#engine.close();
    await Promise.all(this.#retiring);
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
    const current: Current = { generation, installed: { index, term } };
    await writeCurrent(this.#options, current);
    const { engine: old } = this;
    const oldFolder = generationFolder(this.#options.folder, this.#current.generation);
    this.#current = current;
    this.#engine = staged.engine;
    this.#staged = undefined;
    this.#retire(old, oldFolder);
  }

  /** The files go once nobody reads them any more; what a crash leaves goes at the next opening. */
  #retire(engine: Engine, folder: string): void {
    const retiring = engine
      .retire()
      .then(() => {
        removeGeneration(this.#options.fileSystem, folder);
      })
      .catch(() => undefined)
      .finally(() => {
        this.#retiring.delete(retiring);
      });
    this.#retiring.add(retiring);
  }

  async #discard(staged: FileStagedState, folder: string): Promise<void> {
    if (this.#staged === staged) {
      this.#staged = undefined;
      await staged.engine.close();
      removeGeneration(this.#options.fileSystem, folder);
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

function generationFolder(folder: string, generation: number): string {
  return `${folder}/${String(generation).padStart(10, '0')}`;
}

/** A folder with other content was not made by this version: it is left alone. */
async function createFirst(options: StateStoreOptions, names: readonly string[]): Promise<Current> {
  const foreign = names.find((name) => !isGeneration(name) && !name.endsWith('.tmp'));
  if (foreign !== undefined) {
    throw corruptData(
      'engine',
      `${options.folder}/${currentFileName}`,
      0,
      `it is missing, but there is ${foreign} beside it`,
    );
  }
  const current: Current = { generation: 1, installed: undefined };
  removeGeneration(options.fileSystem, generationFolder(options.folder, 1));
  const engine = await openRocksdbEngine(generationFolder(options.folder, 1));
  await engine.flush();
  await engine.close();
  await writeCurrent(options, current);
  return current;
}

async function readCurrent({ folder, fileSystem }: StateStoreOptions): Promise<Current> {
  const path = `${folder}/${currentFileName}`;
  const fields = await readJsonFile(path, fileSystem);
  const current = typeof fields === 'string' ? fields : currentOf(fields);
  if (typeof current === 'string') {
    throw corruptData('engine', path, 0, current);
  }
  return current;
}

function currentOf({ formatVersion, generation, installed }: JsonFields): Current | string {
  if (formatVersion !== FORMAT_VERSION) {
    throw new KvError('CONFIG_INVALID', {
      message:
        `the state has format version ${String(formatVersion)}, this program reads ` +
        `${FORMAT_VERSION}; start the version that wrote it`,
    });
  }
  if (typeof generation !== 'number' || !Number.isSafeInteger(generation) || generation < 1) {
    return 'it names no generation';
  }
  if (installed === null) {
    return { generation, installed: undefined };
  }
  const { index, term } = installed as { readonly index: unknown; readonly term: unknown };
  const isPosition = Number.isSafeInteger(index) && Number.isSafeInteger(term);
  return isPosition
    ? { generation, installed: { index: index as number, term: term as number } }
    : 'the position of its snapshot makes no sense';
}

async function writeCurrent(
  { folder, fileSystem }: StateStoreOptions,
  { generation, installed }: Current,
): Promise<void> {
  const fields = { formatVersion: FORMAT_VERSION, generation, installed: installed ?? null };
  await writeJsonFile(folder, currentFileName, fields, fileSystem);
}

function isGeneration(name: string): boolean {
  return /^\d{10}$/.test(name);
}

function removeOthers({ folder, fileSystem }: StateStoreOptions, generation: number): void {
  for (const name of fileSystem.list(folder)) {
    if (isGeneration(name) && Number(name) !== generation) {
      removeGeneration(fileSystem, `${folder}/${name}`);
    }
  }
}

function removeGeneration(fileSystem: FileSystem, folder: string): void {
  for (const name of fileSystem.list(folder)) {
    fileSystem.remove(`${folder}/${name}`);
  }
  fileSystem.remove(folder);
}
