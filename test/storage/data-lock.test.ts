import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { lockFileName, lockFolder } from '../../src/storage/data-lock.ts';
import { createTempDir } from './temp-dir.ts';

describe.each(['linux', 'darwin'] as const)('lockFolder on %s', (platform) => {
  test('is held by one, and free after a release', async () => {
    const folder = createTempDir();
    const lock = await lockFolder(folder, platform);

    await expect(lockFolder(folder, platform)).rejects.toMatchObject({
      code: 'DATA_DIR_LOCKED',
      details: { folder, processId: process.pid },
    });
    await lock.release();
    await (await lockFolder(folder, platform)).release();
  });

  test('is not held by the file of a process that is gone', async () => {
    const folder = createTempDir();
    const gone = spawnSync(process.execPath, ['--version']);
    writeFileSync(join(folder, lockFileName), `${gone.pid}\n`);

    await (await lockFolder(folder, platform)).release();
  });
});
