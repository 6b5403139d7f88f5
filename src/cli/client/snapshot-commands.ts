/** `snapshot save`: the state of a member as a file. */
import type { Command } from 'commander';
import { ExitError } from '../exit.ts';
import { runClient } from './command.ts';
import type { Connection } from './connection.ts';
import { exitCodes } from './failure.ts';
import { encodeJson } from './json.ts';
import { addGroup, addSharedOptions, type Format, timeoutMaxMs } from './options.ts';
import { describeSize, lines, tableOf } from './output.ts';
import { quoted } from './fields.ts';
import { maintenance } from './requests.ts';
import { receiveSnapshot, SnapshotFileError } from './snapshot-file.ts';

/** Adds the commands. */
export function registerSnapshotCommands(program: Command): Command[] {
  const snapshot = addGroup(program, 'snapshot', 'back up a cluster, and restore it as a new one');
  registerSave(snapshot);
  return [snapshot];
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
      method: maintenance.Snapshot,
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
