/**
 * `holdfast unsafe-recover`: a cluster that has lost its majority for good goes on as a new cluster
 * of one survivor.
 *
 * What is unsafe about it: writes that were acknowledged, and that only lost members hold, are lost
 * without a trace; and if the others are not gone after all, there are two clusters. So it wants
 * the survivor with the newest log, says what it is about to do, and does nothing until the
 * operator has typed the member's name. The new cluster has another id: the old members cannot
 * speak with it, nor can they be taken for part of it.
 *
 * Order: identity first, then the log. A crash in between leaves a member of a cluster that nobody
 * else is in, which cannot serve; doing it again completes it.
 */
import { randomBytes } from 'node:crypto';
import { KvError, must } from '../base/index.ts';
import { decodeMembershipRecord, membershipMetaKey } from '../kv/index.ts';
import {
  type Configuration,
  decodeConfiguration,
  encodeConfiguration,
  type NodeId,
} from '../raft/index.ts';
import { decodeMembership, encodeMembership, type MemberRecord } from '../replica/index.ts';
import {
  type DataDirectory,
  inspectDataDirectory,
  type LogStore,
  type MemberIdentity,
  moveToCluster,
  nodeFileSystem,
  openDataDirectory,
  openStateStore,
  openWal,
  type StateStore,
} from '../storage/index.ts';
import { ExitError } from './exit.ts';

/** Whom to recover. */
export interface RecoverOptions {
  readonly dataDir: string;
  readonly confirm?: string | undefined;
}

/** A stopped survivor, open. */
interface Survivor {
  readonly identity: MemberIdentity;
  readonly directory: DataDirectory;
  readonly log: LogStore;
  readonly state: StateStore;
}

/**
 * Says what would be done, and does it if it is confirmed.
 *
 * @throws {ExitError} nothing can be recovered there, it is damaged or its member runs, or another
 *   member was confirmed
 */
export async function recover(options: RecoverOptions): Promise<void> {
  try {
    await recoverAt(options);
  } catch (error) {
    throw error instanceof KvError ? new ExitError(1, `holdfast: ${error.message}`) : error;
  }
}

async function recoverAt({ dataDir, confirm }: RecoverOptions): Promise<void> {
  const identity = await inspectDataDirectory(dataDir, nodeFileSystem);
  if (identity === undefined) {
    throw new ExitError(1, `holdfast: ${dataDir} is no member's data directory`);
  }
  const survivor = await openSurvivor(dataDir, identity);
  try {
    const configuration = await newestConfiguration(survivor);
    process.stdout.write(describe(survivor, configuration));
    if (confirm === undefined) {
      process.stdout.write(`Nothing has been changed. To go on: --confirm ${identity.name}\n`);
      return;
    }
    if (confirm !== identity.name) {
      throw new ExitError(
        2,
        `holdfast: --confirm says "${confirm}", but this is member "${identity.name}"; ` +
          'nothing has been changed',
      );
    }
    const clusterId = await makeAlone(survivor, configuration);
    process.stdout.write(
      `Member ${identity.name} is alone in the new cluster ${clusterId.toString(16)}. Start it ` +
        'with --initial-cluster-state existing, and add the others as new members.\n',
    );
  } finally {
    await survivor.log.close();
    await survivor.state.close();
    await survivor.directory.close();
  }
}

async function openSurvivor(path: string, identity: MemberIdentity): Promise<Survivor> {
  const fileSystem = nodeFileSystem;
  const directory = await openDataDirectory({ path, identity, fileSystem, randomUint32 });
  const state = await openStateStore({ folder: directory.engineFolder, fileSystem });
  const log = await openWal({ folder: directory.walFolder, fileSystem, randomUint32 });
  return { identity, directory, log, state };
}

/** The newest configuration, committed or not: the log's last, or the state's. */
async function newestConfiguration({ log, state }: Survivor): Promise<Configuration> {
  const newest = log.initialLog.confEntries.at(-1);
  if (newest !== undefined) {
    return { index: newest.index, ...decodeConfiguration(newest.data) };
  }
  const [record] = await state.engine.getMany([membershipMetaKey]);
  if (record === undefined) {
    throw new ExitError(1, 'holdfast: this member has never been part of a cluster that worked');
  }
  const { index, membership } = decodeMembershipRecord(record);
  return { index, ...decodeConfiguration(membership) };
}

function describe({ identity, log }: Survivor, configuration: Configuration): string {
  const { lastIndex, snapshotIndex, termRuns, snapshotTerm } = log.initialLog;
  const others = othersOf(configuration, identity.memberId).map(({ id, name, peerUrls }) => {
    const called = name === '' ? id.toString(16) : name;
    return `    ${called} at ${peerUrls.join(',')}\n`;
  });
  return [
    `Member ${identity.name} of cluster ${identity.clusterId.toString(16)}:\n`,
    `  last term ${termRuns.at(-1)?.term ?? snapshotTerm}, `,
    `last index ${Math.max(lastIndex, snapshotIndex)}\n`,
    '  to be left behind, and never to be started again as they are:\n',
    ...others,
    '\n',
    'UNSAFE: writes that were acknowledged and that only the members left behind hold are LOST.\n',
    'If a majority of the cluster can be brought back, do that instead.\n',
  ].join('');
}

/** Returns the id of the new cluster. */
async function makeAlone(survivor: Survivor, configuration: Configuration): Promise<number> {
  const { identity, directory, log } = survivor;
  const { memberId } = identity;
  const membership = decodeMembership(configuration.context);
  const others = othersOf(configuration, memberId);
  const self = must(
    membership.members.find(({ id }) => id === memberId),
    'this member in its own configuration',
  );
  const clusterId = randomBytes(6).readUIntBE(0, 6) * 16 + 1;
  await moveToCluster(directory, clusterId, nodeFileSystem);
  const { initialHardState, initialLog } = log;
  const index = Math.max(initialLog.lastIndex, initialLog.snapshotIndex) + 1;
  const term = initialHardState.currentTerm + 1;
  const data = encodeConfiguration({
    confState: {
      voters: [memberId],
      votersOutgoing: [],
      learners: [],
      learnersNext: [],
      autoLeave: false,
    },
    context: encodeMembership({
      members: [self],
      removedIds: [...membership.removedIds, ...others.map(({ id }) => id)],
    }),
  });
  await log.append({
    hardState: { ...initialHardState, currentTerm: term, votedFor: memberId },
    entries: [{ index, term, type: 'confChange', data }],
    mustSync: true,
  });
  return clusterId;
}

function othersOf({ context }: Configuration, self: NodeId): readonly MemberRecord[] {
  return decodeMembership(context).members.filter(({ id }) => id !== self);
}

function randomUint32(): number {
  return randomBytes(4).readUInt32BE();
}
