/** What a failed call was, and whether it may have taken effect. */
import { describe, expect, test } from 'vitest';
import { errorCodes } from '../../src/base/index.ts';
import {
  codeOf,
  codeOfReason,
  HoldfastError,
  isRepeatableCode,
  outcomeOf,
} from '../../src/client/errors.ts';
import { failure } from './fake-members.ts';

describe('the code of a failure', () => {
  test.each([
    ['what the server says', { code: 'NO_SPACE', message: 'x' }, 'NO_SPACE'],
    ['one that the catalogue does not have counts for nothing', { code: 'NEW' }, 'CONNECTION_LOST'],
    ["etcd's text", { message: 'etcdserver: no leader' }, 'NO_LEADER'],
    ['never sent', { wasSent: false, message: 'refused' }, 'UNREACHABLE'],
    [
      'a broken connection',
      { status: 'INTERNAL', message: 'Received RST_STREAM with code 2' },
      'CONNECTION_LOST',
    ],
    [
      'too long for gRPC',
      { status: 'RESOURCE_EXHAUSTED', message: 'Received message larger than max (5 vs 4)' },
      'REQUEST_TOO_LARGE',
    ],
    [
      'too long for gRPC in Go',
      { status: 'RESOURCE_EXHAUSTED', message: 'grpc: trying to send message larger than max' },
      'REQUEST_TOO_LARGE',
    ],
    [
      'a wrong password',
      {
        status: 'INVALID_ARGUMENT',
        message: 'etcdserver: authentication failed, invalid user ID or password',
      },
      'UNAUTHENTICATED',
    ],
    [
      'a token that is older than the last change of roles',
      { status: 'INVALID_ARGUMENT', message: 'etcdserver: revision of auth store is old' },
      'UNAUTHENTICATED',
    ],
    [
      'what a user may not watch',
      { status: 'UNKNOWN', message: 'etcdserver: permission denied' },
      'PERMISSION_DENIED',
    ],
    ['an unknown method', { status: 'UNIMPLEMENTED', message: 'unknown' }, 'NOT_IMPLEMENTED'],
    ['anything else', { status: 'DATA_LOSS', message: 'odd' }, 'UNRECOGNIZED'],
  ])('%s', (_, fields, code) => {
    expect(codeOf(failure(fields))).toBe(code);
  });
});

describe('the code of a reason in words', () => {
  test.each([
    ['rpc error: code = Unauthenticated desc = etcdserver: invalid auth token', 'UNAUTHENTICATED'],
    ['etcdserver: invalid auth token', 'UNAUTHENTICATED'],
    ['rpc error: code = PermissionDenied desc = not yours', 'PERMISSION_DENIED'],
    ['etcdserver: too many requests (there are too many watches)', 'TOO_MANY_REQUESTS'],
    ['odd', 'UNRECOGNIZED'],
  ])('%s', (reason, code) => {
    expect(codeOfReason(reason)).toBe(code);
  });
});

describe('the outcome of a failure', () => {
  test.each([
    ['what the server says', { outcome: 'rejected' as const }, 'rejected'],
    [
      'what the server says, doubt too',
      { status: 'INVALID_ARGUMENT', outcome: 'unknown' as const },
      'unknown',
    ],
    ['never sent', { wasSent: false }, 'rejected'],
    ['a lost connection', {}, 'unknown'],
    ["etcd's timeout", { message: 'etcdserver: request timed out' }, 'unknown'],
    ["etcd's refusal for lack of a leader", { message: 'etcdserver: no leader' }, 'rejected'],
    [
      'overload',
      { status: 'RESOURCE_EXHAUSTED', message: 'etcdserver: too many requests' },
      'rejected',
    ],
    [
      'a request too long for gRPC',
      { status: 'RESOURCE_EXHAUSTED', message: 'grpc: received message larger than max (5 vs. 4)' },
      'rejected',
    ],
    [
      'an answer too long for gRPC',
      {
        status: 'RESOURCE_EXHAUSTED',
        message: 'grpc: trying to send message larger than max (5 vs. 4)',
      },
      'unknown',
    ],
    ["a learner's refusal", { message: 'etcdserver: rpc not supported for learner' }, 'rejected'],
    ['a wrong request', { status: 'OUT_OF_RANGE', message: 'odd' }, 'rejected'],
    ['a defect', { status: 'UNKNOWN', message: 'odd' }, 'unknown'],
  ])('%s', (_, fields, outcome) => {
    expect(outcomeOf(failure(fields))).toBe(outcome);
  });
});

describe('an error', () => {
  test('says what, where, whether again, and what to do', () => {
    const cause = new Error('cause');
    const error = new HoldfastError('NO_LEADER', 'put failed', { endpoint: 'a:1', cause });

    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({
      ...{ name: 'HoldfastError', code: 'NO_LEADER', message: 'put failed', endpoint: 'a:1' },
      ...{ cause, retryable: true, outcome: 'rejected' },
    });
    expect(error.hint).toContain('majority');
  });

  test('has a hint whatever its code', () => {
    const hints = errorCodes.map((code) => new HoldfastError(code, 'x').hint);

    expect(hints.every((hint) => hint.length > 10)).toBe(true);
  });

  test('of somebody else holding a lock may pass, but is an answer', () => {
    expect(new HoldfastError('LOCK_HELD', 'x').retryable).toBe(true);
    expect(isRepeatableCode('LOCK_HELD')).toBe(false);
    expect(isRepeatableCode('LEADER_CHANGED')).toBe(true);
  });
});
