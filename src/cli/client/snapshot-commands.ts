/** `snapshot save status restore`: the state of a member as a file, and a new cluster of it. */
import type { Command } from 'commander';
import { ExitError } from '../exit.ts';
import { print } from '../standard-output.ts';
import type { SnapshotSummary } from '../snapshot-reader.ts';
import type { RestoreConfig, Restored } from '../snapshot-restore.ts';
import { runClient } from './command.ts';
import type { Connection } from './connection.ts';
import { exitCodes } from './failure.ts';
import { encodeJson } from './json.ts';
import {
  addGroup,
  addSharedOptions,
  clientOptionsOf,
  type Format,
  parseCount,
  timeoutMaxMs,
  usageError,
} from './options.ts';
import { describeSize, lines, tableOf } from './output.ts';
import { quoted } from './fields.ts';
import { methods } from './requests.ts';
import { receiveSnapshot, SnapshotFileError } from './snapshot-file.ts';

/** Adds the commands. */
export function registerSnapshotCommands(program: Command): Command[] {
  const snapshot = addGroup(program, 'snapshot', 'back up a cluster, and restore it as a new one');
  registerSave(snapshot);
  registerStatus(snapshot);
  registerRestore(snapshot);
  return [snapshot];
}

function registerStatus(snapshot: Command): void {
  const command = snapshot
    .command('status')
    .description('check a snapshot file and tell what it holds')
    .argument('<file>', 'the file')
    .addHelpText(
      'after',
      `
Prints a hash of its records, its revision, the number of keys, and its size.

Example:
  holdfast snapshot status backup.db -w table`,
    );
  addSharedOptions(command).action(async (path: string) => {
    const { format = 'simple' } = clientOptionsOf(command);
    const { summarizeSnapshot } = await import('../snapshot-reader.ts');
    await print(formatSnapshot(await summarizeSnapshot(path), format));
  });
}

interface RestoreFlags {
  readonly name?: string;
  readonly dataDir?: string;
  readonly initialCluster?: string;
  readonly initialClusterToken?: string;
  readonly initialAdvertisePeerUrls?: string;
  readonly bumpRevision?: number;
  readonly markCompacted?: true;
  readonly skipHashCheck?: true;
}

/**
 * By how much a restored cluster's revision is raised: more than a cluster has gone on for since
 * its last backup, and a trifle of the 2^53 that there are.
 */
const bumpRevisionDefault = 1_000_000_000;

function registerRestore(snapshot: Command): void {
  const command = snapshot
    .command('restore')
    .description('make the data directory of a member of a new cluster out of a snapshot file')
    .argument('<file>', 'the file')
    .option('--name <name>', 'of this member (default "default")')
    .option(
      '--data-dir <path>',
      'folder to make, or to fill if it is empty (default NAME.holdfast)',
    )
    .option('--initial-cluster <list>', 'all members, NAME=URL,… (default: this one alone)')
    .option('--initial-cluster-token <token>', 'of the new cluster (default "holdfast-cluster")')
    .option('--initial-advertise-peer-urls <url>', 'this member’s URL, as --initial-cluster has it')
    .option(
      '--bump-revision <count>',
      `raise the revision by so many (default ${bumpRevisionDefault})`,
      parseCount,
    )
    .option('--mark-compacted', 'compact all before; done whenever the revision is raised')
    .option('--skip-hash-check', 'take a file whose SHA-256 is wrong; its blocks are checked')
    .addHelpText(
      'after',
      `
Run it for every member of the new cluster, with the same file and settings, then start each with
"holdfast server" and the same --name, --initial-cluster and --initial-cluster-token. The token must
not be that of the old cluster, if the members are the same.

Example:
  holdfast snapshot restore backup.db --name n1 --data-dir n1.holdfast \\
    --initial-cluster n1=http://127.0.0.1:2380,n2=http://127.0.0.1:22380 \\
    --initial-cluster-token restored-1`,
    );
  addSharedOptions(command).action(async (path: string, flags: RestoreFlags) => {
    const { format = 'simple' } = clientOptionsOf(command);
    const { restoreSnapshot } = await import('../snapshot-restore.ts');
    const config = await restoreConfigOf(path, flags);
    await print(formatRestored(await restoreSnapshot(config), format));
  });
}

/** @throws {ExitError} with all that is wrong */
async function restoreConfigOf(path: string, flags: RestoreFlags): Promise<RestoreConfig> {
  const { initialCluster, bumpRevision = bumpRevisionDefault } = flags;
  if (flags.markCompacted === true && bumpRevision === 0) {
    throw usageError('snapshot restore', '--mark-compacted needs a --bump-revision above 0');
  }
  const name = flags.name ?? 'default';
  const ownUrl = initialCluster
    ?.split(',')
    .map((part) => part.trim())
    .find((part) => part.startsWith(`${name}=`))
    ?.slice(name.length + 1);
  const { readServerConfig } = await import('../server-config.ts');
  const result = readServerConfig({
    flags: {
      name: flags.name,
      'data-dir': flags.dataDir,
      'initial-cluster': initialCluster,
      'initial-cluster-token': flags.initialClusterToken,
      'initial-advertise-peer-urls': flags.initialAdvertisePeerUrls ?? ownUrl,
    },
    env: {},
  });
  if (result.kind === 'invalid') {
    throw usageError('snapshot restore', result.problems.join('; '));
  }
  const { dataDir, members, token } = result.config;
  const skipHashCheck = flags.skipHashCheck === true;
  return { path, name, dataDir, members, token, bumpRevision, skipHashCheck };
}

interface Saved {
  readonly path: string;
  readonly sizeBytes: number;
  readonly revision: string;
  readonly version: string;
}

function registerSave(snapshot: Command): void {
  const command = snapshot
    .command('save')
    .description('store the state of a member as a file; the member serves on meanwhile')
    .argument('<file>', 'where to; replaced once the snapshot is whole and checked')
    .addHelpText(
      'after',
      `
Takes as long as it takes, unless --command-timeout is given. Works with etcd as well.

Example:
  holdfast snapshot save backup.db`,
    );
  addSharedOptions(command).action(async (path: string) => {
    const work = async (
      connection: Connection,
      { format = 'simple' }: { readonly format: Format | undefined },
    ): Promise<Uint8Array> => {
      try {
        return formatSaved(await save(connection, path), format);
      } catch (error) {
        if (error instanceof SnapshotFileError) {
          throw new ExitError(exitCodes.failed, `holdfast: snapshot save: ${error.message}`);
        }
        throw error;
      }
    };
    await runClient(command, work, timeoutMaxMs);
  });
}

async function save(connection: Connection, path: string): Promise<Saved> {
  let revision = '0';
  let version = '';
  const blobs = async function* (): AsyncGenerator<Uint8Array, void> {
    const answers = connection.stream({
      command: 'snapshot save',
      purpose: 'read',
      method: methods.maintenance.Snapshot,
      request: {},
    });
    for await (const answer of answers) {
      revision = answer.header?.revision ?? revision;
      version = answer.version === '' ? version : answer.version;
      yield answer.blob;
    }
  };
  const sizeBytes = await receiveSnapshot(path, blobs());
  return { path, sizeBytes, revision, version };
}

function formatSaved({ path, sizeBytes, revision, version }: Saved, format: Format): Uint8Array {
  switch (format) {
    case 'json': {
      const numbers = { revision: BigInt(revision), size: BigInt(sizeBytes) };
      return lines([encodeJson({ path, ...numbers, version })]);
    }
    case 'fields':
      return lines([
        `"Path" : ${quoted(path)}`,
        `"Revision" : ${revision}`,
        `"Size" : ${sizeBytes}`,
        `"Version" : ${quoted(version)}`,
      ]);
    case 'table':
      return tableOf(
        ['PATH', 'REVISION', 'SIZE', 'VERSION'],
        [[path, BigInt(revision), describeSize(sizeBytes), version]],
      );
    case 'plain':
      return lines([path]);
    case 'simple':
      return lines([`Snapshot saved at ${path}`]);
  }
}

function formatSnapshot(summary: SnapshotSummary, format: Format): Uint8Array {
  const { header, liveKeys, sizeBytes } = summary;
  const hash = summary.hash.toString(16);
  const version = header.createdBy;
  switch (format) {
    case 'json': {
      const numbers = {
        hash: BigInt(summary.hash),
        revision: BigInt(header.revision),
        totalKey: BigInt(liveKeys),
        totalSize: BigInt(sizeBytes),
      };
      return lines([encodeJson({ ...numbers, version })]);
    }
    case 'fields':
      return lines([
        `"Hash" : ${summary.hash}`,
        `"Revision" : ${header.revision}`,
        `"Keys" : ${liveKeys}`,
        `"Size" : ${sizeBytes}`,
        `"Version" : ${quoted(version)}`,
      ]);
    case 'table':
      return tableOf(
        ['HASH', 'REVISION', 'TOTAL KEYS', 'TOTAL SIZE', 'VERSION'],
        [[hash, header.revision, liveKeys, describeSize(sizeBytes), version]],
      );
    case 'plain':
      return lines([[hash, header.revision, liveKeys, sizeBytes].join('\t')]);
    case 'simple':
      return lines([[hash, header.revision, liveKeys, describeSize(sizeBytes)].join(', ')]);
  }
}

function formatRestored(restored: Restored, format: Format): Uint8Array {
  const { dataDir, revision } = restored;
  const clusterId = restored.clusterId.toString(16);
  const memberId = restored.memberId.toString(16);
  switch (format) {
    case 'json':
      return lines([
        encodeJson({
          dataDir,
          cluster_id: BigInt(restored.clusterId),
          member_id: BigInt(restored.memberId),
          revision: BigInt(revision),
        }),
      ]);
    case 'fields':
      return lines([
        `"DataDir" : ${quoted(dataDir)}`,
        `"ClusterID" : ${restored.clusterId}`,
        `"MemberID" : ${restored.memberId}`,
        `"Revision" : ${revision}`,
      ]);
    case 'table':
      return tableOf(
        ['DATA DIR', 'CLUSTER ID', 'MEMBER ID', 'REVISION'],
        [[dataDir, clusterId, memberId, revision]],
      );
    case 'plain':
      return lines([[dataDir, clusterId, memberId, revision].join('\t')]);
    case 'simple':
      return lines([
        `Restored ${dataDir}: member ${memberId} of cluster ${clusterId}, at revision ${revision}`,
      ]);
  }
}
