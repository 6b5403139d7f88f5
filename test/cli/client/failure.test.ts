/** What a person is told when a call has failed. */
import { status } from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import {
  briefly,
  canFailOver,
  exitOf,
  failureOf,
  unreachable,
  unreachableHint,
} from '../../../src/cli/client/failure.ts';
import { serverError } from './fake-member.ts';

const endpoint = '127.0.0.1:2379';

describe('failureOf', () => {
  test('takes code and outcome from the trailers', () => {
    const error = serverError(status.UNAVAILABLE, 'etcdserver: no leader', {
      code: 'NO_LEADER',
      outcome: 'rejected',
    });

    expect(failureOf(endpoint, error)).toEqual({
      endpoint,
      wasSent: true,
      status: status.UNAVAILABLE,
      code: 'NO_LEADER',
      message: 'etcdserver: no leader',
      outcome: 'rejected',
    });
  });

  test.each([
    [status.INVALID_ARGUMENT, 'etcdserver: key is not provided', 'rejected'],
    [status.OUT_OF_RANGE, 'etcdserver: mvcc: required revision has been compacted', 'rejected'],
    [status.UNIMPLEMENTED, 'unknown service', 'rejected'],
    [status.PERMISSION_DENIED, 'etcdserver: permission denied', 'rejected'],
    [status.RESOURCE_EXHAUSTED, 'Received message larger than max (9 vs 8)', 'rejected'],
    [status.RESOURCE_EXHAUSTED, 'etcdserver: too many requests', 'unknown'],
    [status.UNAVAILABLE, 'etcdserver: request timed out', 'unknown'],
    [status.UNAVAILABLE, 'Connection dropped', 'unknown'],
    [status.INTERNAL, 'Received RST_STREAM with code 2', 'unknown'],
    [status.CANCELLED, 'Call cancelled', 'unknown'],
    [status.UNKNOWN, '', 'unknown'],
  ] as const)('without trailers, status %i "%s" is %s', (code, details, outcome) => {
    expect(failureOf(endpoint, serverError(code, details)).outcome).toBe(outcome);
  });
});

test('of a connection that could not be made the cause is told, not how gRPC puts it', () => {
  const details =
    'No connection established. Last error: Error: connect ECONNREFUSED 127.0.0.1:2379. ' +
    'Resolution note: ';

  expect(failureOf(endpoint, serverError(status.UNAVAILABLE, details)).message).toBe(
    'connect ECONNREFUSED 127.0.0.1:2379',
  );
});

describe('canFailOver', () => {
  const unsure = failureOf(endpoint, serverError(status.UNAVAILABLE, 'Connection dropped'));
  const refused = failureOf(
    endpoint,
    serverError(status.UNAVAILABLE, 'etcdserver: no leader', { outcome: 'rejected' }),
  );
  const cancelled = failureOf(endpoint, serverError(status.CANCELLED, 'Call cancelled'));
  const wrong = failureOf(endpoint, serverError(status.INVALID_ARGUMENT, 'wrong'));

  test.each([
    ['a read nobody got', unreachable(endpoint, 'refused'), 'read', true],
    ['a write nobody got', unreachable(endpoint, 'refused'), 'write', true],
    ['a read that was cut off', unsure, 'read', true],
    ['a write that was cut off', unsure, 'write', false],
    ['a write that had surely no effect', refused, 'write', true],
    ['a read that a member going down has cancelled', cancelled, 'read', true],
    ['a write that a member going down has cancelled', cancelled, 'write', false],
    ['a read that is wrong', wrong, 'read', false],
  ] as const)('%s may go to the next endpoint: %3$s', (_what, failure, purpose, expected) => {
    expect(canFailOver(failure, purpose)).toBe(expected);
  });
});

test('endpoints that fail by TLS alone have another hint than those that are not there', () => {
  const [tls, gone] = ['TLS: it has expired', 'connect ECONNREFUSED'];

  expect(unreachableHint([tls, tls])).toContain('--cacert');
  expect(unreachableHint([tls, gone])).toContain('--endpoints');
});

describe('exitOf', () => {
  test('is one line with what, where, code, outcome and hint', () => {
    const error = serverError(status.UNAVAILABLE, 'etcdserver: no\nleader', {
      code: 'NO_LEADER',
      outcome: 'rejected',
    });

    const { exitCode, message } = exitOf('put', 'write', [failureOf(endpoint, error)]);

    expect(exitCode).toBe(1);
    expect(message).toBe(
      'holdfast: put failed at 127.0.0.1:2379: etcdserver: no leader [NO_LEADER]; ' +
        'outcome: rejected: nothing was changed; ' +
        'hint: wait for an election and repeat; if it lasts, check that a majority is up',
    );
  });

  test.each([
    ['put', 'read the key before retrying'],
    ['member add', 'look before retrying'],
  ])('of a %s that may have happened says how to find out', (command, expected) => {
    const error = serverError(status.UNAVAILABLE, 'late', { code: 'TIMEOUT', outcome: 'unknown' });

    const { exitCode, message } = exitOf(command, 'write', [failureOf(endpoint, error)]);

    expect(exitCode).toBe(3);
    expect(message).toContain(`outcome: unknown: it may have been applied; ${expected}; hint:`);
  });

  test('says nothing of an outcome for a read', () => {
    const failure = failureOf(endpoint, serverError(status.DATA_LOSS, 'corrupt'));

    const { exitCode, message } = exitOf('get', 'read', [failure]);

    expect(exitCode).toBe(1);
    expect(message).toBe('holdfast: get failed at 127.0.0.1:2379: corrupt [DATA_LOSS]');
  });

  test('prefers what a server has said to what could not be reached', () => {
    const said = failureOf('a:1', serverError(status.UNAVAILABLE, 'etcdserver: no leader'));

    const { exitCode, message } = exitOf('get', 'read', [said, unreachable('b:1', 'refused')]);

    expect(exitCode).toBe(1);
    expect(message).toContain('get failed at a:1: etcdserver: no leader [UNAVAILABLE]');
  });
});

describe('briefly', () => {
  test('is the text and the code', () => {
    expect(briefly(unreachable(endpoint, 'connect ECONNREFUSED'))).toBe(
      'connect ECONNREFUSED [UNREACHABLE]',
    );
  });
});
