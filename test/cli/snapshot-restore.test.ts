/** Restored directories, opened with what opens a member's. */
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ExitError } from '../../src/cli/exit.ts';
import { initialClusterId, initialMemberId } from '../../src/cli/identity.ts';
import { type RestoreConfig, restoreSnapshot } from '../../src/cli/snapshot-restore.ts';
import { readSnapshotHead, snapshotHeadKeys, stateRanges } from '../../src/kv/index.ts';
import { decodeConfiguration } from '../../src/raft/index.ts';
import {
  inspectDataDirectory,
  nodeFileSystem,
  openDataDirectory,
  openStateStore,
  openWal,
} from '../../src/storage/index.ts';
import { sampleHeader, sampleSnapshot } from './snapshot-sample.ts';

const members = [
  { name: 'n1', peerUrls: ['http://a:2380'] },
  { name: 'n2', peerUrls: ['http://b:2380'] },
];

let directory: string;
let config: RestoreConfig;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-restore-'));
  config = {
    path: join(directory, 'backup.db'),
    dataDir: join(directory, 'deep', 'n1'),
    name: 'n1',
    members,
    token: 'new',
    bumpRevision: 1000,
    skipHashCheck: false,
  };
  await writeFile(config.path, sampleSnapshot());
});

afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

const randomUint32 = (): number => 5;

/** What a member would find. */
async function openRestored(dataDir: string) {
  const fileSystem = nodeFileSystem;
  const identity = await inspectDataDirectory(dataDir, fileSystem);
  if (identity === undefined) {
    throw new Error('the directory is nobody’s');
  }
  const opened = await openDataDirectory({ path: dataDir, identity, fileSystem, randomUint32 });
  const state = await openStateStore({ folder: opened.engineFolder, fileSystem });
  const log = await openWal({ folder: opened.walFolder, fileSystem, randomUint32 });
  try {
    const scans = await Promise.all(
      stateRanges.map(async (range) => state.engine.scan({ ...range, limit: 1000 })),
    );
    return {
      identity,
      isNew: opened.isNew,
      hardState: log.initialHardState,
      log: log.initialLog,
      installed: state.installed,
      head: readSnapshotHead(await state.engine.getMany(snapshotHeadKeys)),
      records: scans.flat(),
    };
  } finally {
    await log.close();
    await state.close();
    await opened.close();
  }
}

describe('a restored directory', () => {
  test('is that of the member and cluster that the settings give', async () => {
    const restored = await restoreSnapshot(config);
    const { identity, isNew } = await openRestored(config.dataDir);

    const clusterId = initialClusterId(members, 'new');
    const memberId = initialMemberId(members[0] as (typeof members)[0], 'new');
    expect(restored).toEqual({ dataDir: config.dataDir, clusterId, memberId, revision: 1006 });
    expect(identity).toEqual({ clusterId, memberId, name: 'n1' });
    expect(isNew).toBe(false);
    expect(clusterId).not.toBe(sampleHeader.clusterId);
  });

  test('has a log that begins after the snapshot, all of it committed', async () => {
    await restoreSnapshot(config);
    const { hardState, log, installed } = await openRestored(config.dataDir);

    expect(hardState).toEqual({ currentTerm: 3, votedFor: 0, commitIndex: 7 });
    expect(log).toMatchObject({ snapshotIndex: 7, snapshotTerm: 3, lastIndex: 7 });
    expect(installed).toEqual({ index: 7, term: 3 });
  });

  test('has the state at a raised revision, with the new members', async () => {
    await restoreSnapshot(config);
    const { head, records } = await openRestored(config.dataDir);

    expect(head).toMatchObject({
      ...{ appliedIndex: 7, appliedTerm: 3, revision: 1006, compactRevision: 1006, alarms: [] },
      membership: { index: 7 },
    });
    const { confState } = decodeConfiguration(head?.membership?.membership ?? new Uint8Array(0));
    const ids = members.map((member) => initialMemberId(member, 'new')).sort((a, b) => a - b);
    expect(confState).toMatchObject({ voters: ids, learners: [] });
    const keys = records.map(({ key }) => Buffer.from(key).toString('latin1'));
    expect(keys).toContain('ka');
    expect(keys.some((key) => key.includes('attributes/'))).toBe(false);
  });

  test('can keep its revision', async () => {
    await restoreSnapshot({ ...config, bumpRevision: 0 });

    expect((await openRestored(config.dataDir)).head).toMatchObject({
      revision: 6,
      compactRevision: -1,
    });
  });

  test('is the same state on every member', async () => {
    const second = { ...config, name: 'n2', dataDir: join(directory, 'n2') };
    await Promise.all([restoreSnapshot(config), restoreSnapshot(second)]);
    const [one, two] = [await openRestored(config.dataDir), await openRestored(second.dataDir)];

    expect(two.records).toEqual(one.records);
    expect(two.head?.stateHash).toBe(one.head?.stateHash);
    expect(two.identity.clusterId).toBe(one.identity.clusterId);
    expect(two.identity.memberId).not.toBe(one.identity.memberId);
  });

  test('may take the place of an empty folder', async () => {
    await mkdir(config.dataDir, { recursive: true });
    await restoreSnapshot(config);

    expect((await openRestored(config.dataDir)).head?.revision).toBe(1006);
  });
});

describe('a restore that cannot be', () => {
  const expectRefusal = async (problem: string): Promise<void> => {
    const before = await readdir(directory, { recursive: true });
    const error = await restoreSnapshot(config).catch((reason: unknown) => reason);

    expect(error).toBeInstanceOf(ExitError);
    expect((error as ExitError).message).toContain(problem);
    const after = await readdir(directory, { recursive: true });
    expect(after.filter((name) => name !== 'deep')).toEqual(
      before.filter((name) => name !== 'deep'),
    );
  };

  test('into a folder that is not empty leaves it as it is', async () => {
    await mkdir(config.dataDir, { recursive: true });
    await writeFile(join(config.dataDir, 'precious'), 'x');

    await expectRefusal('it is not empty');
  });

  test('into the place of a file says so', async () => {
    config = { ...config, dataDir: config.path };

    await expectRefusal('ENOTDIR');
  });

  test('of a damaged snapshot leaves nothing behind', async () => {
    const bytes = sampleSnapshot();
    await writeFile(config.path, bytes.subarray(0, -100));

    await expectRefusal('ends too early');
  });

  test('of no snapshot leaves nothing behind', async () => {
    await rm(config.path);

    await expectRefusal('cannot read');
  });

  test('with the identity of the old cluster is refused, with the remedy', async () => {
    const clusterId = initialClusterId(members, 'new');
    await writeFile(config.path, sampleSnapshot({ ...sampleHeader, clusterId }));

    await expectRefusal('another --initial-cluster-token');
  });

  test('for a member that is none of the cluster is refused', async () => {
    config = { ...config, name: 'n9' };

    await expectRefusal('"n9" is none of the members');
  });
});
