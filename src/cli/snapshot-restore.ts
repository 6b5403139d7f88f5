/**
 * Makes the data directory of a member of a new cluster out of a snapshot file.
 *
 * The cluster is new in all that names it: its id, its members' ids, its configuration. Its log
 * begins after the position that the snapshot stands for, and its revision is raised and all before
 * compacted, so that a client that remembers the old cluster is told so instead of being answered
 * with another history. Each member is restored by itself, from the same file with the same
 * settings.
 *
 * Built in a folder beside and renamed at the end: a crash leaves nothing that could be started.
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { equalBytes, KvError } from '../base/index.ts';
import {
  membershipMetaKey,
  type RestoreOptions,
  restoredMembership,
  restoreRecord,
  revisionsTable,
} from '../kv/index.ts';
import { encodeConfiguration } from '../raft/index.ts';
import { initialConfiguration } from '../replica/index.ts';
import {
  type EngineOperation,
  type EngineRecord,
  type MemberIdentity,
  nodeFileSystem,
  openDataDirectory,
  openStateStore,
  openWal,
  type SnapshotHeader,
  type StagedState,
} from '../storage/index.ts';
import { ExitError } from './exit.ts';
import { type InitialMember, initialClusterId, initialMemberId } from './identity.ts';
import { readSnapshotFile } from './snapshot-reader.ts';

const exitFailed = 1;

/** What is restored, and as what. */
export interface RestoreConfig {
  readonly path: string;
  readonly dataDir: string;
  /** Of this member, one of `members`. */
  readonly name: string;
  readonly members: readonly InitialMember[];
  readonly token: string;
  /** By how much the revision is raised; 0 keeps it, and the history. */
  readonly bumpRevision: number;
  readonly skipHashCheck: boolean;
}

/** What has been made. */
export interface Restored {
  readonly dataDir: string;
  readonly clusterId: number;
  readonly memberId: number;
  readonly revision: number;
}

/**
 * See the module comment.
 *
 * @throws {ExitError} the snapshot is damaged, the directory is in use or not empty, or cannot be
 *   written; nothing is left behind.
 */
export async function restoreSnapshot(config: RestoreConfig): Promise<Restored> {
  const dataDir = resolve(config.dataDir);
  await checkEmpty(dataDir);
  const parent = dirname(dataDir);
  nodeFileSystem.makeFolder(parent);
  const building = await mkdtemp(join(parent, `${basename(dataDir)}.restoring-`));
  try {
    const restored = await build(config, building);
    await rename(building, dataDir);
    await nodeFileSystem.syncDirectory(parent);
    return { ...restored, dataDir };
  } catch (error) {
    await rm(building, { recursive: true, force: true });
    throw error instanceof KvError || isFileError(error)
      ? new ExitError(exitFailed, `holdfast: cannot restore to ${dataDir}: ${error.message}`)
      : error;
  }
}

async function build(config: RestoreConfig, path: string): Promise<Omit<Restored, 'dataDir'>> {
  const identity = identityOf(config);
  const fileSystem = nodeFileSystem;
  const directory = await openDataDirectory({ path, identity, fileSystem, randomUint32 });
  try {
    const header = await fillState(config, identity, directory.engineFolder);
    const { index, term } = header;
    const log = await openWal({ folder: directory.walFolder, fileSystem, randomUint32 });
    try {
      await log.reset({ index, term }, { currentTerm: term, votedFor: 0, commitIndex: index });
    } finally {
      await log.close();
    }
    const { clusterId, memberId } = identity;
    return { clusterId, memberId, revision: header.revision + config.bumpRevision };
  } finally {
    await directory.close();
  }
}

function identityOf({ name, members, token }: RestoreConfig): MemberIdentity {
  const self = members.find((member) => member.name === name);
  if (self === undefined) {
    throw new KvError('CONFIG_INVALID', { message: `"${name}" is none of the members` });
  }
  const clusterId = initialClusterId(members, token);
  return { clusterId, memberId: initialMemberId(self, token), name };
}

/** Writes the records of the snapshot, rewritten for the new cluster, as the member's state. */
async function fillState(
  config: RestoreConfig,
  { clusterId }: MemberIdentity,
  folder: string,
): Promise<SnapshotHeader> {
  let header: SnapshotHeader | undefined;
  const { path, skipHashCheck } = config;
  const batches = readSnapshotFile(path, {
    skipHashCheck,
    onHeader: (found) => {
      header = found;
    },
  });
  const store = await openStateStore({
    ...{ folder, fileSystem: nodeFileSystem },
    ascendingTable: revisionsTable,
  });
  try {
    const staged = await store.stage();
    let rewriter: Rewriter | undefined;
    for await (const records of batches) {
      rewriter ??= new Rewriter(config, clusterId, found(header, path));
      await staged.engine.write(rewriter.rewrite(records));
    }
    const whole = found(header, path);
    await finishState(staged, rewriter ?? new Rewriter(config, clusterId, whole), whole);
    return whole;
  } finally {
    await store.close();
  }
}

async function finishState(
  staged: StagedState,
  rewriter: Rewriter,
  { index, term }: SnapshotHeader,
): Promise<void> {
  await staged.engine.write(rewriter.rest());
  await staged.activate({ index, term });
}

/** From the records of a snapshot to those of the new cluster's state. */
class Rewriter {
  readonly #options: RestoreOptions;
  #hasMembership = false;

  /** @throws {ExitError} the new cluster would be taken for the one that the snapshot is of. */
  constructor(config: RestoreConfig, clusterId: number, header: SnapshotHeader) {
    if (header.clusterId === clusterId) {
      throw new ExitError(
        exitFailed,
        `holdfast: the restored cluster would have the id of the one that ${config.path} is of, ` +
          'and their members would take each other for their own; give it another ' +
          '--initial-cluster-token, here and when its members are started',
      );
    }
    const members = config.members.map((member) => ({
      id: initialMemberId(member, config.token),
      name: member.name,
      peerUrls: member.peerUrls,
      autoPromote: false,
    }));
    this.#options = {
      appliedIndex: header.index,
      appliedTerm: header.term,
      membership: encodeConfiguration(initialConfiguration(members)),
      bumpRevision: config.bumpRevision,
    };
  }

  rewrite(records: readonly EngineRecord[]): readonly EngineOperation[] {
    return records.flatMap((record): EngineOperation[] => {
      this.#hasMembership ||= equalBytes(record.key, membershipMetaKey);
      const action = restoreRecord(record, this.#options);
      if (action.type === 'dropped') {
        return [];
      }
      const value = action.type === 'kept' ? record.value : action.value;
      return [{ type: 'put', key: record.key, value }];
    });
  }

  /** What the snapshot should have had. */
  rest(): readonly EngineOperation[] {
    return this.#hasMembership ? [] : [restoredMembership(this.#options)];
  }
}

function found(header: SnapshotHeader | undefined, path: string): SnapshotHeader {
  if (header === undefined) {
    throw new ExitError(exitFailed, `holdfast: ${path}: the snapshot holds no state`);
  }
  return header;
}

/** @throws {ExitError} there is something that the restore would destroy. */
async function checkEmpty(dataDir: string): Promise<void> {
  let names: readonly string[] = [];
  try {
    names = await readdir(dataDir);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
      throw new ExitError(
        exitFailed,
        `holdfast: cannot restore to ${dataDir}: ${(error as Error).message}`,
      );
    }
  }
  if (names.length > 0) {
    throw new ExitError(
      exitFailed,
      `holdfast: cannot restore to ${dataDir}: it is not empty; name another --data-dir, or move ` +
        'what is there away',
    );
  }
}

function isFileError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}

function randomUint32(): number {
  return randomBytes(4).readUInt32BE();
}
