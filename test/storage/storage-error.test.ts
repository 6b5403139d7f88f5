import { describe, expect, test } from 'vitest';
import { KvError } from '../../src/base/index.ts';
import { storageError } from '../../src/storage/storage-error.ts';
import { systemError } from './memory-file-system.ts';

describe('storageError', () => {
  test('tells a full disk from a failing one, and keeps cause and outcome', () => {
    const full = systemError('ENOSPC');

    expect(storageError(full, 'x was not written', 'rejected')).toMatchObject({
      code: 'DISK_FULL',
      outcome: 'rejected',
      message: 'x was not written: ENOSPC: injected',
      cause: full,
    });
    expect(storageError(systemError('EDQUOT'), 'x', 'rejected').code).toBe('DISK_FULL');
    expect(storageError(systemError('EIO'), 'x', 'unknown')).toMatchObject({
      code: 'STORAGE_FAILED',
      outcome: 'unknown',
    });
  });

  test('leaves an operational error as it is', () => {
    const error = new KvError('DATA_CORRUPT');

    expect(storageError(error, 'x', 'unknown')).toBe(error);
  });
});
