import { describe, expect, test } from 'vitest';
import { openPeerRegistry, type PeerRegistry } from '../../src/storage/index.ts';
import { matching } from './matching.ts';
import { MemoryFileSystem, systemError } from './memory-file-system.ts';

const folder = '/member';
const path = `${folder}/peers.json`;

async function open(fileSystem: MemoryFileSystem): Promise<PeerRegistry> {
  return openPeerRegistry({ folder, fileSystem });
}

describe('the registry of peers', () => {
  test('knows a peer again, and tells another incarnation of it', async () => {
    const fileSystem = new MemoryFileSystem();
    const registry = await open(fileSystem);

    expect(registry.incarnationOf(5)).toBeUndefined();
    expect(await registry.record(5, 111)).toBe('new');
    expect(await registry.record(5, 111)).toBe('same');
    expect(await registry.record(5, 222)).toBe('other');
    expect(await registry.record(5, 111)).toBe('same');
    expect(registry.incarnationOf(5)).toBe(111);
  });

  test('what it has told to be new survives a power cut', async () => {
    const fileSystem = new MemoryFileSystem();
    const registry = await open(fileSystem);
    await Promise.all([registry.record(5, 111), registry.record(6, 2 ** 52 - 1)]);

    const after = await open(fileSystem.crash(() => false, false));
    expect(await after.record(5, 222)).toBe('other');
    expect(await after.record(6, 2 ** 52 - 1)).toBe('same');
  });

  test('of two that show up at once under one id, one is new', async () => {
    const registry = await open(new MemoryFileSystem());
    const answers = await Promise.all([registry.record(5, 1), registry.record(5, 2)]);

    expect(answers).toEqual(['new', 'other']);
  });

  test('a forgotten peer is new again', async () => {
    const fileSystem = new MemoryFileSystem();
    const registry = await open(fileSystem);
    await registry.record(5, 111);
    await registry.record(6, 111);
    await registry.forget(5);
    await registry.forget(7);

    const after = await open(fileSystem.crash(() => false, false));
    expect(after.incarnationOf(5)).toBeUndefined();
    expect(await after.record(6, 5)).toBe('other');
    expect(await after.record(5, 222)).toBe('new');
  });

  test('an incarnation that could not be stored is not known', async () => {
    const fileSystem = new MemoryFileSystem();
    const registry = await open(fileSystem);
    fileSystem.onOperation = () => {
      throw systemError('ENOSPC');
    };
    await expect(registry.record(5, 111)).rejects.toMatchObject({
      code: 'DISK_FULL',
      message: matching(path),
    });
    expect(registry.incarnationOf(5)).toBeUndefined();

    fileSystem.onOperation = () => undefined;
    expect(await registry.record(5, 222)).toBe('new');
  });

  test('is bounded', async () => {
    const fileSystem = new MemoryFileSystem();
    const registry = await open(fileSystem);
    for (let peer = 1; peer <= 1000; peer++) {
      await registry.record(peer, 1);
    }

    await expect(registry.record(1001, 1)).rejects.toMatchObject({ code: 'TOO_MANY_REQUESTS' });
    expect(await registry.record(1000, 1)).toBe('same');
  });

  test('a damaged file is refused, naming it', async () => {
    const fileSystem = new MemoryFileSystem();
    await (await open(fileSystem)).record(5, 111);
    const bytes = fileSystem.getFile(path);
    const digit = new TextDecoder().decode(bytes).indexOf('111');
    bytes[digit] = (bytes[digit] ?? 0) ^ 2;
    fileSystem.setFile(path, bytes);

    await expect(open(fileSystem)).rejects.toMatchObject({
      code: 'DATA_CORRUPT',
      message: matching(/\/member\/peers\.json at offset 0: .*checksum/),
      details: { part: 'identity' },
    });
  });
});
