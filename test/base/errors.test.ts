import { describe, expect, test } from 'vitest';
import { errorCodes, KvError } from '../../src/base/index.ts';

describe('KvError', () => {
  test('every code has a text of its own', () => {
    const texts = errorCodes.map((code) => new KvError(code).message);

    expect(new Set(texts).size).toBe(errorCodes.length);
    expect(texts.filter((text) => !/^\S.*[^.\s]$/.test(text))).toEqual([]);
  });

  test.each([
    ['EMPTY_KEY', 'etcdserver: key is not provided'],
    ['KEY_NOT_FOUND', 'etcdserver: key not found'],
    ['VALUE_PROVIDED', 'etcdserver: value is provided'],
    ['LEASE_PROVIDED', 'etcdserver: lease is provided'],
    ['TOO_MANY_OPERATIONS', 'etcdserver: too many operations in txn request'],
    ['DUPLICATE_KEY', 'etcdserver: duplicate key given in txn request'],
    ['INVALID_SORT_OPTION', 'etcdserver: invalid sort option'],
    ['COMPACTED', 'etcdserver: mvcc: required revision has been compacted'],
    ['FUTURE_REVISION', 'etcdserver: mvcc: required revision is a future revision'],
    ['NO_SPACE', 'etcdserver: mvcc: database space exceeded'],
    ['LEASE_NOT_FOUND', 'etcdserver: requested lease not found'],
    ['REQUEST_TOO_LARGE', 'etcdserver: request is too large'],
    ['TOO_MANY_REQUESTS', 'etcdserver: too many requests'],
    ['NO_LEADER', 'etcdserver: no leader'],
    ['NOT_LEADER', 'etcdserver: not leader'],
    ['LEADER_CHANGED', 'etcdserver: leader changed'],
    ['TIMEOUT', 'etcdserver: request timed out'],
    [
      'TIMEOUT_LEADER_FAILURE',
      'etcdserver: request timed out, possibly due to previous leader failure',
    ],
    ['CANCELLED', 'etcdserver: request cancelled'],
    ['STOPPED', 'etcdserver: server stopped'],
    ['MEMBER_NOT_FOUND', 'etcdserver: member not found'],
    ['UNHEALTHY', 'etcdserver: unhealthy cluster'],
    ['CORRUPT', 'etcdserver: corrupt cluster'],
  ] as const)('%s has the text that clients of etcd look for', (code, text) => {
    expect(new KvError(code).message).toBe(text);
  });

  test('says whether the same request may succeed later', () => {
    const retryable = errorCodes.filter((code) => new KvError(code).retryable);

    expect([...retryable].sort()).toEqual([
      'CANCELLED',
      'DISK_FULL',
      'FEATURE_NOT_ACTIVE',
      'LEADER_CHANGED',
      'LEARNER_NOT_READY',
      'LOCK_HELD',
      'NOT_ENOUGH_STARTED',
      'NOT_LEADER',
      'NO_ELECTION_LEADER',
      'NO_LEADER',
      'STOPPED',
      'TIMEOUT',
      'TIMEOUT_LEADER_FAILURE',
      'TOO_MANY_ANSWERS',
      'TOO_MANY_REQUESTS',
      'UNHEALTHY',
    ]);
  });

  test('surely had no effect unless it says that the outcome is unknown', () => {
    expect(new KvError('TIMEOUT').outcome).toBe('rejected');
    expect(new KvError('TIMEOUT', { outcome: 'unknown' }).outcome).toBe('unknown');
  });

  test('carries its code, name, details and cause', () => {
    const cause = new Error('ENOSPC');
    const error = new KvError('DISK_FULL', { message: 'full', details: { offset: 7 }, cause });

    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({
      name: 'KvError',
      code: 'DISK_FULL',
      message: 'full',
      details: { offset: 7 },
    });
    expect(error.cause).toBe(cause);
    expect('cause' in new KvError('DISK_FULL')).toBe(false);
    expect(new KvError('DISK_FULL').details).toEqual({});
  });
});
