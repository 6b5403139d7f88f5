/**
 * A member's data directory: whose it is, that only one process uses it, and that nothing of it is
 * gone.
 *
 * ```text
 * member.json   identity: cluster, member, name, incarnation, format; replaced atomically
 * lease.json    how long promises to leaders last (lease-record.ts)
 * peers.json    the incarnations of the other members (peer-registry.ts)
 * lock          process id of the holder (data-lock.ts)
 * wal/          the log
 * engine/       the state, in generations (state-store.ts)
 * ```
 *
 * A member's vote is in its log. So a directory is made in three synced steps (identity marked as
 * `initializing`, log, identity marked as `ready`): a log that is missing behind a `ready` identity
 * was lost, and is never quietly replaced by an empty one that could vote a second time (Raft
 * thesis §3.8).
 *
 * The incarnation is drawn when the directory is made. A member that comes back with another one
 * has lost its disk, and with it its votes and what it acknowledged; its peers remember and refuse
 * it.
 */
import { dirname, join, resolve } from 'node:path';
import { KvError } from '../base/index.ts';
import type { NodeId } from '../raft/index.ts';
import { corruptData, corruptLog } from './corruption.ts';
import { type DataLock, lockFileName, lockFolder } from './data-lock.ts';
import { fileErrorCode, type FileSystem } from './file-system.ts';
import { jsonTempSuffix, readJsonFile, writeJsonFile } from './json-file.ts';
import { segmentNumberOf } from './segment.ts';
import { createWal } from './wal.ts';

/** 2: the state in generations, an incarnation, checksums. 1 was never released. */
const FORMAT_VERSION = 2;
const identityFileName = 'member.json';
const identityTempName = `${identityFileName}${jsonTempSuffix}`;
/** Bits of an incarnation. */
const INCARNATION_BITS = 52;
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
  /** Unpredictable 32-bit integers, for the first segment of a new log and the incarnation. */
  readonly randomUint32: () => number;
  /** Size of a new log's first segment; the default is right outside tests. */
  readonly segmentBytes?: number | undefined;
}

/** An open, locked data directory. Its log exists and awaits `openWal`. */
export interface DataDirectory extends AsyncDisposable {
  readonly path: string;
  readonly walFolder: string;
  readonly engineFolder: string;
  /** Whose it is, as it says itself. */
  readonly identity: MemberIdentity;
  /** Drawn when the directory was made; of 52 bits, positive. */
  readonly incarnation: number;
  /** Whether it was created just now. */
  readonly isNew: boolean;
  /** Gives the lock back; the log and the engine are closed before. */
  close(): Promise<void>;
}

/** The identity file's content. */
interface IdentityFile extends MemberIdentity {
  readonly incarnation: number;
  readonly state: 'initializing' | 'ready';
}

/**
 * Tells whose directory `path` is, without locking it; undefined when it does not exist, is empty,
 * or its creation was interrupted.
 *
 * @throws {KvError} DATA_CORRUPT — its identity is damaged.
 * @throws {KvError} CONFIG_INVALID — another version made it, or it cannot be read.
 */
export async function inspectDataDirectory(
  path: string,
  fileSystem: FileSystem,
): Promise<MemberIdentity | undefined> {
  const folder = resolve(path);
  try {
    if (!fileSystem.list(folder).includes(identityFileName)) {
      return undefined;
    }
    const found = await readIdentity(folder, fileSystem);
    return found.state === 'ready' ? identityOf(found) : undefined;
  } catch (error) {
    throw directoryError(error, folder);
  }
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
    // Before the lock leaves its file: what is not ours is not to be touched.
    checkOurs(path, options.fileSystem.list(path));
    lock = await lockFolder(path);
    const { file, isNew } = await prepare(path, options);
    return new OpenDataDirectory(path, file, isNew, lock);
  } catch (error) {
    await lock?.release();
    throw directoryError(error, path);
  }
}

/**
 * Makes the open directory that of the same member in another cluster, durably. For recovery from
 * the loss of a quorum, and nothing else: what keeps clusters apart is their id.
 */
export async function moveToCluster(
  directory: DataDirectory,
  clusterId: number,
  fileSystem: FileSystem,
): Promise<void> {
  const found = await readIdentity(directory.path, fileSystem);
  await writeIdentity(directory.path, { ...found, clusterId }, fileSystem);
}

class OpenDataDirectory implements DataDirectory {
  readonly path: string;
  readonly walFolder: string;
  readonly engineFolder: string;
  readonly identity: MemberIdentity;
  readonly incarnation: number;
  readonly isNew: boolean;
  readonly #lock: DataLock;

  constructor(path: string, file: IdentityFile, isNew: boolean, lock: DataLock) {
    this.path = path;
    this.identity = identityOf(file);
    this.incarnation = file.incarnation;
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

function identityOf({ clusterId, memberId, name }: IdentityFile): MemberIdentity {
  return { clusterId, memberId, name };
}

/** Checks what is there, or creates it; tells whether it was created. */
async function prepare(
  path: string,
  options: DataDirectoryOptions,
): Promise<{ readonly file: IdentityFile; readonly isNew: boolean }> {
  const { fileSystem, identity } = options;
  const names = fileSystem.list(path);
  const found = names.includes(identityFileName) ? await readIdentity(path, fileSystem) : undefined;
  if (found === undefined) {
    checkUnused(path, names);
  } else {
    checkIdentity(path, found, identity);
    if (found.state === 'ready') {
      checkLogPresent(walFolderOf(path), fileSystem);
      // The process that made it so, or wrote other files here, may have been killed before its
      // sync: without it a power cut would bring back what was before.
      await fileSystem.syncDirectory(path);
      return { file: found, isNew: false };
    }
  }
  const incarnation = drawIncarnation(options.randomUint32);
  const file: IdentityFile = { ...identity, incarnation, state: 'ready' };
  await writeIdentity(path, { ...file, state: 'initializing' }, fileSystem);
  await createWal({
    folder: walFolderOf(path),
    fileSystem,
    randomUint32: options.randomUint32,
    segmentBytes: options.segmentBytes,
  });
  // Before anything counts: the directory itself must not be lost.
  await syncFoldersAbove(path, fileSystem);
  await writeIdentity(path, file, fileSystem);
  return { file, isNew: true };
}

function drawIncarnation(randomUint32: () => number): number {
  const high = randomUint32() % 2 ** (INCARNATION_BITS - 32);
  return high * 2 ** 32 + randomUint32() || 1;
}

function checkOurs(path: string, names: readonly string[]): void {
  if (!names.includes(identityFileName)) {
    checkUnused(path, names);
  }
}

function checkUnused(path: string, names: readonly string[]): void {
  const others = names.filter((name) => !ignoredNames.includes(name));
  if (others.includes('wal') || others.includes('engine')) {
    const what = `the file is missing, but there is data beside it (${others.join(', ')})`;
    throw corruptData('identity', join(path, identityFileName), 0, what);
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
  const isSameCluster = found.clusterId === wanted.clusterId;
  if (isSameCluster && found.memberId === wanted.memberId && found.name === wanted.name) {
    return;
  }
  const differs = isSameCluster ? 'member' : 'cluster';
  throw new KvError('DATA_DIR_MISMATCH', {
    message:
      `the data directory ${path} belongs to another ${differs}: it holds ` +
      `${describeIdentity(found)}, this process is ${describeIdentity(wanted)}. ` +
      'Check --data-dir, --name, --initial-cluster and --initial-cluster-token; ' +
      'a new member starts with an empty directory. ' +
      'If the membership has changed since the first start, say ' +
      '--initial-cluster-state existing: then the data directory decides.',
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
  const file = join(path, identityFileName);
  const fields = await readJsonFile(file, fileSystem);
  if (typeof fields === 'string') {
    throw corruptData('identity', file, 0, `the identity is damaged: ${fields}`);
  }
  const { formatVersion, clusterId, memberId, name, incarnation, state } = fields;
  if (formatVersion !== FORMAT_VERSION) {
    throw new KvError('CONFIG_INVALID', {
      message:
        `${file} has format version ${String(formatVersion)}, ` +
        `this program reads ${FORMAT_VERSION}. ` +
        'Start the version that wrote it.',
    });
  }
  const isValid =
    isId(clusterId) &&
    isId(memberId) &&
    isId(incarnation) &&
    typeof name === 'string' &&
    (state === 'initializing' || state === 'ready');
  if (!isValid) {
    const what = 'the identity lacks clusterId, memberId, name, incarnation or state';
    throw corruptData('identity', file, 0, what);
  }
  return { clusterId, memberId, name, incarnation, state };
}

function isId(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

/** Replaces the identity file in one durable step. */
async function writeIdentity(
  path: string,
  identity: IdentityFile,
  fileSystem: FileSystem,
): Promise<void> {
  const fields = { formatVersion: FORMAT_VERSION, ...identity };
  await writeJsonFile(path, identityFileName, fields, fileSystem);
}

/** Makes the directory itself durable: any of the folders that it is in may be new. */
async function syncFoldersAbove(path: string, fileSystem: FileSystem): Promise<void> {
  for (let folder = path; dirname(folder) !== folder; folder = dirname(folder)) {
    try {
      await fileSystem.syncDirectory(dirname(folder));
    } catch (error) {
      // Why: one that may be passed but not read, or knows no syncs, is common above volumes, which
      // were there before.
      if (!['EACCES', 'EPERM', 'EINVAL'].includes(fileErrorCode(error))) {
        throw error;
      }
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
  const isUnusable = [
    ...['EACCES', 'EPERM', 'EROFS'],
    ...['ENOENT', 'ENOTDIR', 'EEXIST', 'EISDIR'],
  ].includes(code);
  return new KvError(isUnusable ? 'CONFIG_INVALID' : 'STORAGE_FAILED', {
    message:
      `the data directory ${path} cannot be used: ${reason}. ` +
      'Give the user that runs this process write access to it, ' +
      'or name another one with --data-dir.',
    cause: error,
  });
}
