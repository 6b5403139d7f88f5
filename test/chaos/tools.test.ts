import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { clearFaketime, mountsBelow } from '../../chaos/nemesis/tools.ts';

describe('mountsBelow', () => {
  test('finds what is mounted below a folder, the last mounted first', () => {
    const table = [
      '/dev/vda / ext4 rw 0 0',
      '/dev/loop0 /results/run-1/disk1 ext4 rw 0 0',
      '/dev/loop1 /results/run-1/disk1/deeper ext4 rw 0 0',
      'tmpfs /results/run-10/disk1 tmpfs rw 0 0',
      '',
    ].join('\n');

    expect(mountsBelow('/results/run-1', table)).toEqual([
      '/results/run-1/disk1/deeper',
      '/results/run-1/disk1',
    ]);
    expect(mountsBelow('/results/run-2', table)).toEqual([]);
    expect(mountsBelow('/results/run-1', '')).toEqual([]);
  });
});

describe('clearFaketime', () => {
  test('removes what processes have left that are gone, and nothing else', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-faketime-'));
    const kept = ['faketime_shm_7', 'other_8', 'sem.faketime_sem_7'];
    for (const name of [...kept, 'faketime_shm_8', 'sem.faketime_sem_8']) {
      writeFileSync(join(folder, name), '');
    }

    await clearFaketime(folder, (pid) => pid === '7');

    expect(readdirSync(folder).toSorted()).toEqual(kept);
    rmSync(folder, { recursive: true });
  });

  test('has nothing to do where there is no such folder', async () => {
    await expect(clearFaketime('/no/such/folder')).resolves.toBeUndefined();
  });
});
