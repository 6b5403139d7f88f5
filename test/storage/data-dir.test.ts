import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  type DataDirectory,
  type FileSystem,
  inspectDataDirectory,
  type MemberIdentity,
  nodeFileSystem,
  openDataDirectory,
  openWal,
} from '../../src/storage/index.ts';
import { writeJsonFile } from '../../src/storage/json-file.ts';
import { matching } from './matching.ts';
import { MemoryFileSystem, systemError } from './memory-file-system.ts';
import { buildStorageProgram, startStorageProgram } from './storage-process.ts';
import { createTempDir } from './temp-dir.ts';

const identity: MemberIdentity = { clusterId: 0xc1, memberId: 0xa1, name: 'n1' };

async function open(
  path: string,
  own: MemberIdentity = identity,
  fileSystem: FileSystem = nodeFileSystem,
): Promise<DataDirectory> {
  return openDataDirectory({
    path,
    identity: own,
    fileSystem,
    randomUint32: () => 7,
    segmentBytes: 4096,
  });
}

// Starts processes: seconds on a busy machine.
describe('openDataDirectory', { timeout: 60_000 }, () => {
  test('creates a directory with an empty log, and finds it again', async () => {
    const path = join(createTempDir(), 'deep', 'n1.holdfast');
    const first = await open(path);
    expect(first.isNew).toBe(true);
    const log = await openWal({
      folder: first.walFolder,
      fileSystem: nodeFileSystem,
      randomUint32: () => 8,
    });
    expect(log.initialLog.lastIndex).toBe(0);
    await log.close();
    await first.close();

    const second = await open(path);
    expect(second.isNew).toBe(false);
    await second.close();
  });

  test('a directory that was found ready is so after a power cut, too', async () => {
    const path = join(createTempDir(), 'deep', 'n1.holdfast');
    const fileSystem = new MemoryFileSystem();
    // Beside it, the folder on the real disk is there for the lock alone.
    mkdirSync(path, { recursive: true });
    let renames = 0;
    let killed = fileSystem;
    fileSystem.onOperation = (operation) => {
      renames += operation === 'rename' ? 1 : 0;
      if (operation === 'syncDirectory') {
        killed = fileSystem.killed();
      }
    };
    await (await open(path, identity, fileSystem)).close();
    expect(renames).toBe(3);

    const again = await open(path, identity, killed);
    expect(again.isNew).toBe(false);
    await again.close();
    const afterPowerCut = killed.crash(() => false, false);
    expect(await inspectDataDirectory(path, afterPowerCut)).toEqual(identity);
    const found = await open(path, identity, afterPowerCut);
    expect(found.isNew).toBe(false);
    await found.close();
  });

  test('refuses the directory of another cluster or member, and names both', async () => {
    const path = createTempDir();
    await (await open(path)).close();

    await expect(open(path, { ...identity, clusterId: 0xc2 })).rejects.toMatchObject({
      code: 'DATA_DIR_MISMATCH',
      message: matching(/another cluster.*of cluster c1.*of cluster c2.*--data-dir/),
    });
    await expect(open(path, { ...identity, memberId: 0xa2, name: 'n2' })).rejects.toMatchObject({
      code: 'DATA_DIR_MISMATCH',
      message: matching(/another member.*n1 \(id a1\).*n2 \(id a2\)/),
    });
    await (await open(path)).close();
  });

  test('says whose it is, before it is opened and without a lock', async () => {
    const path = join(createTempDir(), 'n1');
    expect(await inspectDataDirectory(path, nodeFileSystem)).toBeUndefined();
    const directory = await open(path);

    expect(await inspectDataDirectory(path, nodeFileSystem)).toEqual(identity);
    expect(directory.identity).toEqual(identity);
    await directory.close();
  });

  test('draws its incarnation when it is made, and keeps it', async () => {
    const path = createTempDir();
    const first = await open(path);
    await first.close();
    const again = await open(path);
    await again.close();

    expect(again.incarnation).toBe(first.incarnation);
    expect(first.incarnation).toBe(7 * 2 ** 32 + 7);
    const largest = await openDataDirectory({
      path: createTempDir(),
      identity,
      fileSystem: nodeFileSystem,
      randomUint32: () => 0xffff_ffff,
      segmentBytes: 4096,
    });
    expect(largest.incarnation).toBe(2 ** 52 - 1);
    await largest.close();
  });

  test('refuses the directory of a member of another name', async () => {
    const path = createTempDir();
    await (await open(path)).close();

    await expect(open(path, { ...identity, name: 'n9' })).rejects.toMatchObject({
      code: 'DATA_DIR_MISMATCH',
      message: matching(/it holds member n1 .* this process is member n9/),
    });
  });

  test('no flipped bit of the identity makes it another one', async () => {
    const path = createTempDir();
    await (await open(path)).close();
    const file = join(path, 'member.json');
    const original = readFileSync(file);
    for (let at = 0; at < original.length; at++) {
      const damaged = Buffer.from(original);
      damaged[at] = (damaged[at] ?? 0) ^ (1 << (at % 8));
      writeFileSync(file, damaged);
      const found = await inspectDataDirectory(path, nodeFileSystem).catch((error: unknown) => {
        expect(error).toMatchObject({ code: 'DATA_CORRUPT', details: { part: 'identity' } });
        return identity;
      });
      expect(found).toEqual(identity);
    }
  });

  test('refuses to start under an identity whose log is gone', async () => {
    const path = createTempDir();
    await (await open(path)).close();
    rmSync(join(path, 'wal'), { recursive: true });

    await expect(open(path)).rejects.toMatchObject({
      code: 'DATA_CORRUPT',
      message: matching(/wal at offset 0: the log is gone.*add it anew/),
    });
  });

  test('refuses data whose identity is gone or unreadable', async () => {
    const path = createTempDir();
    await (await open(path)).close();
    for (const content of [undefined, '{', 'null', '{"formatVersion":1}']) {
      if (content === undefined) {
        rmSync(join(path, 'member.json'));
      } else {
        writeFileSync(join(path, 'member.json'), content);
      }
      await expect(open(path)).rejects.toMatchObject({
        code: 'DATA_CORRUPT',
        message: matching(/member\.json at offset 0.*add it anew/),
      });
    }
  });

  test('refuses a format of another version', async () => {
    const path = createTempDir();
    await (await open(path)).close();
    const file = join(path, 'member.json');
    const content = readFileSync(file, 'utf8');
    const { checksum: _, ...fields } = JSON.parse(content) as { readonly checksum: string };
    rmSync(file);
    await writeJsonFile(path, 'member.json', { ...fields, formatVersion: 3 }, nodeFileSystem);
    await expect(open(path)).rejects.toMatchObject({ message: matching('format version 3') });

    // The first version, which was never released, had no checksum.
    writeFileSync(file, JSON.stringify({ ...fields, formatVersion: 1 }));
    await expect(open(path)).rejects.toMatchObject({
      code: 'DATA_CORRUPT',
      message: matching('no checksum, as files of other versions'),
    });
  });

  test('refuses a folder that holds something else, and one that is a file', async () => {
    const path = createTempDir();
    writeFileSync(join(path, 'notes.txt'), 'x');
    await expect(open(path)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: matching('notes.txt'),
    });
    await expect(open(join(path, 'notes.txt'))).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });

  test('leaves a folder that is not its own as it was, a file named "lock" in it too', async () => {
    const path = createTempDir();
    writeFileSync(join(path, 'notes.txt'), 'x');
    await expect(open(path)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    expect(readdirSync(path)).toEqual(['notes.txt']);
    writeFileSync(join(path, 'lock'), 'theirs');
    await expect(open(path)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    expect(readFileSync(join(path, 'lock'), 'utf8')).toBe('theirs');
  });

  test('folders above a new one are made, too', async () => {
    await using directory = await open(join(createTempDir(), 'a', 'b'));
    expect(directory.isNew).toBe(true);
  });

  test.runIf(existsSync('/proc/self'))('refuses a place where no folder can be made', async () => {
    await expect(open('/proc/holdfast/n1')).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: matching('/proc/holdfast'),
    });
  });

  test('an unwritable directory and a full disk are told apart, with what to do', async () => {
    for (const [code, expected] of [
      ['EACCES', 'CONFIG_INVALID'],
      ['EROFS', 'CONFIG_INVALID'],
      ['ENOSPC', 'DISK_FULL'],
      ['EIO', 'STORAGE_FAILED'],
    ] as const) {
      const path = createTempDir();
      const failing: FileSystem = {
        ...nodeFileSystem,
        open: () => {
          throw systemError(code);
        },
      };
      await expect(open(path, identity, failing)).rejects.toMatchObject({
        code: expected,
        message: matching(path),
      });
    }
  });

  test('a creation that was interrupted is done again', async () => {
    const path = createTempDir();
    let renames = 0;
    const interrupted: FileSystem = {
      ...nodeFileSystem,
      rename: (from, to) => {
        renames++;
        if (renames === 2) {
          throw new Error('killed');
        }
        nodeFileSystem.rename(from, to);
      },
    };
    await expect(open(path, identity, interrupted)).rejects.toThrow('killed');

    const again = await open(path);
    expect(again.isNew).toBe(true);
    await again.close();
  });

  test('lost+found of a fresh volume is no obstacle', async () => {
    const path = createTempDir();
    mkdirSync(join(path, 'lost+found'));

    await (await open(path)).close();
  });

  test('a second process is refused, naming the holder; kill -9 frees the directory', async () => {
    const root = createTempDir();
    const path = join(root, 'data');
    const program = buildStorageProgram(join(root, 'program'));
    const { child, line } = await startStorageProgram(program, path, identity);
    expect(line).toBe('open');

    await expect(open(path)).rejects.toMatchObject({
      code: 'DATA_DIR_LOCKED',
      message: matching(`process ${child.pid}`),
    });
    const second = await startStorageProgram(program, path, identity);
    expect(second.line).toBe('DATA_DIR_LOCKED');

    child.kill('SIGKILL');
    await once(child, 'exit');
    const own = await open(path);
    expect(own.isNew).toBe(false);
    await own.close();
  });

  test('a second opening in the same process is refused', async () => {
    const path = createTempDir();
    const first = await open(path);

    await expect(open(path)).rejects.toMatchObject({ code: 'DATA_DIR_LOCKED' });
    await first.close();
  });
});
