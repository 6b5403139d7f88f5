import { describe, expect, test } from 'vitest';
import { mountsBelow } from '../../chaos/nemesis/tools.ts';

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
