/**
 * A member's data directory: whose it is, that only one process uses it, and that nothing of it is
 * gone.
 *
 * ```text
 * member.json   identity: cluster, member, name, format; replaced atomically
 * lock          process id of the holder (data-lock.ts)
 * wal/          the log
 * engine/       the state
 * ```
 *
 * A member's vote is in its log. So a directory is made in three synced steps (identity marked as
 * `initializing`, log, identity marked as `ready`): a log that is missing behind a `ready` identity
 * was lost, and is never quietly replaced by an empty one that could vote a second time (Raft
 * thesis §3.8).
 */
import { dirname, join, resolve } from 'node:path';
import { KvError } from '../base/index.ts';
import type { NodeId } from '../raft/index.ts';
import { corruptLog } from './corruption.ts';
import { type DataLock, lockFileName, lockFolder } from './data-lock.ts';
import { fileErrorCode, type FileSystem } from './file-system.ts';
import { segmentNumberOf } from './segment.ts';
import { createWal } from './wal.ts';

const FORMAT_VERSION = 1;
const identityFileName = 'member.json';
const identityTempName = 'member.json.tmp';
/** What may lie in a directory that is not used yet. */
const ignoredNames: readonly string[] = [lockFileName, identityTempName, 'lost+found'];

/** Who the directory belongs to. */
export interface MemberIdentity {
  readonly clusterId: number;
  readonly memberId: NodeId;
  readonly name: string;
}

/** How a data directory is opened. */
export interface DataDirectoryOptions {
  readonly path: string;
  readonly identity: MemberIdentity;
  readonly fileSystem: FileSystem;
  /** Unpredictable 32-bit integers, for the first segment of a new log. */
  readonly randomUint32: () => number;
  /** Size of a new log's first segment; the default is right outside tests. */
  readonly segmentBytes?: number | undefined;
}

/** An open, locked data directory. Its log exists and awaits `openWal`. */
export interface DataDirectory extends AsyncDisposable {
  readonly path: string;
  readonly walFolder: string;
  readonly engineFolder: string;
  /** Whether it was created just now. */
  readonly isNew: boolean;
  /** Gives the lock back; the log and the engine are closed before. */
  close(): Promise<void>;
}

/** The identity file's content. */
interface IdentityFile extends MemberIdentity {
  readonly formatVersion: number;
  readonly state: 'initializing' | 'ready';
}

/**
 * Opens the directory of the member `identity`, or creates it.
 *
 * @throws {KvError} DATA_DIR_LOCKED — another process uses it.
 * @throws {KvError} DATA_DIR_MISMATCH — it belongs to another cluster or member; names both.
 * @throws {KvError} DATA_CORRUPT — its identity or its log is damaged or gone.
 * @throws {KvError} CONFIG_INVALID — it cannot be used: not writable, no folder, other files in
 * it.
 */
export async function openDataDirectory(options: DataDirectoryOptions): Promise<DataDirectory> {
  const path = resolve(options.path);
  let lock: DataLock | undefined;
  try {
    options.fileSystem.makeFolder(path);
    lock = await lockFolder(path);
    const isNew = await prepare(path, options);
    return new OpenDataDirectory(path, isNew, lock);
  } catch (error) {
    await lock?.release();
    throw directoryError(error, path);
  }
}

class OpenDataDirectory implements DataDirectory {
  readonly path: string;
  readonly walFolder: string;
  readonly engineFolder: string;
  readonly isNew: boolean;
  readonly #lock: DataLock;

  constructor(path: string, isNew: boolean, lock: DataLock) {
    this.path = path;
    this.walFolder = walFolderOf(path);
    this.engineFolder = join(path, 'engine');
    this.isNew = isNew;
    this.#lock = lock;
  }

  async close(): Promise<void> {
    await this.#lock.release();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

function walFolderOf(path: string): string {
  return join(path, 'wal');
}

/** Checks what is there, or creates it; returns whether it was created. */
async function prepare(path: string, options: DataDirectoryOptions): Promise<boolean> {
  const { fileSystem, identity } = options;
  const names = fileSystem.list(path);
  const found = names.includes(identityFileName) ? await readIdentity(path, fileSystem) : undefined;
  if (found === undefined) {
    checkUnused(path, names);
  } else {
    checkIdentity(path, found, identity);
    if (found.state === 'ready') {
      checkLogPresent(walFolderOf(path), fileSystem);
      return false;
    }
  }
  const file: IdentityFile = { formatVersion: FORMAT_VERSION, ...identity, state: 'initializing' };
  await writeIdentity(path, file, fileSystem);
  await createWal({
    folder: walFolderOf(path),
    fileSystem,
    randomUint32: options.randomUint32,
    segmentBytes: options.segmentBytes,
  });
  await writeIdentity(path, { ...file, state: 'ready' }, fileSystem);
  await syncParent(path, fileSystem);
  return true;
}

function checkUnused(path: string, names: readonly string[]): void {
  const others = names.filter((name) => !ignoredNames.includes(name));
  if (others.includes('wal') || others.includes('engine')) {
    throw new KvError('DATA_CORRUPT', {
      message:
        `stored data is damaged: ${join(path, identityFileName)} at offset 0: the file is ` +
        `missing, but there is data beside it (${others.join(', ')}). ` +
        'Remedy: move the data directory away and let this member rejoin from its peers.',
      details: { file: join(path, identityFileName), offset: 0 },
    });
  }
  if (others.length > 0) {
    throw new KvError('CONFIG_INVALID', {
      message:
        `the data directory ${path} is not empty and not Holdfast's (it holds ` +
        `${others.slice(0, 3).join(', ')}). Name another one with --data-dir.`,
    });
  }
}

function checkIdentity(path: string, found: IdentityFile, wanted: MemberIdentity): void {
  if (found.clusterId === wanted.clusterId && found.memberId === wanted.memberId) {
    return;
  }
  const differs = found.clusterId === wanted.clusterId ? 'member' : 'cluster';
  throw new KvError('DATA_DIR_MISMATCH', {
    message:
      `the data directory ${path} belongs to another ${differs}: it holds ` +
      `${describeIdentity(found)}, this process is ${describeIdentity(wanted)}. ` +
      'Check --data-dir, --name, --initial-cluster and --initial-cluster-token; ' +
      'a new member starts with an empty directory.',
    details: {
      foundClusterId: found.clusterId,
      foundMemberId: found.memberId,
      clusterId: wanted.clusterId,
      memberId: wanted.memberId,
    },
  });
}

function describeIdentity({ clusterId, memberId, name }: MemberIdentity): string {
  return `member ${name} (id ${memberId.toString(16)}) of cluster ${clusterId.toString(16)}`;
}

function checkLogPresent(walFolder: string, fileSystem: FileSystem): void {
  const isPresent = fileSystem.list(walFolder).some((name) => segmentNumberOf(name) !== undefined);
  if (!isPresent) {
    throw corruptLog(walFolder, 0, 'the log is gone, although this member has been in use');
  }
}

async function readIdentity(path: string, fileSystem: FileSystem): Promise<IdentityFile> {
  const file = fileSystem.open(join(path, identityFileName), 'existing');
  try {
    const bytes = new Uint8Array(file.sizeBytes());
    await file.read(bytes, 0);
    return parseIdentity(new TextDecoder().decode(bytes), file.path);
  } finally {
    file.close();
  }
}

function parseIdentity(text: string, path: string): IdentityFile {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw corruptLog(path, 0, `the identity is not readable (${reason})`);
  }
  if (typeof parsed !== 'object' || parsed === null) {
    throw corruptLog(path, 0, 'the identity is not an object');
  }
  const fields = new Map<string, unknown>(Object.entries(parsed));
  const formatVersion = fields.get('formatVersion');
  if (formatVersion !== FORMAT_VERSION) {
    throw new KvError('CONFIG_INVALID', {
      message:
        `${path} has format version ${String(formatVersion)}, ` +
        `this program reads ${FORMAT_VERSION}. ` +
        'Start the version that wrote it.',
    });
  }
  const clusterId = fields.get('clusterId');
  const memberId = fields.get('memberId');
  const name = fields.get('name');
  const state = fields.get('state');
  const isValid =
    Number.isSafeInteger(clusterId) &&
    Number.isSafeInteger(memberId) &&
    typeof name === 'string' &&
    (state === 'initializing' || state === 'ready');
  if (!isValid || typeof clusterId !== 'number' || typeof memberId !== 'number') {
    throw corruptLog(path, 0, 'the identity lacks clusterId, memberId, name or state');
  }
  return { formatVersion, clusterId, memberId, name, state };
}

/** Replaces the identity file in one durable step. */
async function writeIdentity(
  path: string,
  identity: IdentityFile,
  fileSystem: FileSystem,
): Promise<void> {
  const temp = join(path, identityTempName);
  const file = fileSystem.open(temp, 'create');
  try {
    const bytes = new TextEncoder().encode(`${JSON.stringify(identity, undefined, 2)}\n`);
    file.writeSync(bytes, bytes.length, 0);
    await file.sync();
  } finally {
    file.close();
  }
  fileSystem.rename(temp, join(path, identityFileName));
  await fileSystem.syncDirectory(path);
}

/** Makes the directory itself durable, where its parent may be opened at all. */
async function syncParent(path: string, fileSystem: FileSystem): Promise<void> {
  try {
    await fileSystem.syncDirectory(dirname(path));
  } catch (error) {
    // Why: a parent that may be passed but not read is common for mounted volumes, which exist
    // already.
    if (fileErrorCode(error) !== 'EACCES') {
      throw error;
    }
  }
}

function directoryError(error: unknown, path: string): KvError {
  if (error instanceof KvError) {
    return error;
  }
  const code = fileErrorCode(error);
  const reason = error instanceof Error ? error.message : String(error);
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    const message = `no space left on the disk for the data directory ${path}: ${reason}`;
    return new KvError('DISK_FULL', { message, cause: error });
  }
  const isUnusable = ['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST', 'EISDIR'].includes(code);
  return new KvError(isUnusable ? 'CONFIG_INVALID' : 'STORAGE_FAILED', {
    message:
      `the data directory ${path} cannot be used: ${reason}. ` +
      'Give the user that runs this process write access to it, ' +
      'or name another one with --data-dir.',
    cause: error,
  });
}
