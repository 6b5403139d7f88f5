import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openFilesMax } from '../../src/cli/open-files.ts';
import { createTempDir } from '../storage/temp-dir.ts';

function limitsFile(line: string): string {
  const path = join(createTempDir(), 'limits');
  writeFileSync(
    path,
    `Limit   Soft Limit   Hard Limit   Units\n${line}\nMax pending signals 9 9\n`,
  );
  return path;
}

test('is the hard limit of the system', () => {
  const path = limitsFile(
    'Max open files            1024                 524288               files',
  );

  expect(openFilesMax(path)).toBe(524_288);
});

test('is unknown where the system does not say, or sets none', () => {
  expect(openFilesMax('/nowhere/limits')).toBeUndefined();
  expect(
    openFilesMax(limitsFile('Max open files            unlimited            unlimited  files')),
  ).toBeUndefined();
});
