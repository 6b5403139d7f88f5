/** Codes and texts a client matches on; etcd's are those of `api/v3rpc/rpctypes/error.go`. */
import { status } from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import { type ErrorCode, errorCodes, KvError } from '../../src/base/index.ts';
import { toServiceError } from '../../src/rpc/status.ts';

/** What etcd's clients match on: the status and the exact text. */
const etcdErrors: Partial<Record<ErrorCode, readonly [status, string]>> = {
  ROOT_USER_NOT_EXIST: [status.FAILED_PRECONDITION, 'etcdserver: root user does not exist'],
  ROOT_ROLE_NOT_EXIST: [
    status.FAILED_PRECONDITION,
    'etcdserver: root user does not have root role',
  ],
  USER_EXISTS: [status.FAILED_PRECONDITION, 'etcdserver: user name already exists'],
  USER_EMPTY: [status.INVALID_ARGUMENT, 'etcdserver: user name is empty'],
  USER_NOT_FOUND: [status.FAILED_PRECONDITION, 'etcdserver: user name not found'],
  ROLE_EXISTS: [status.FAILED_PRECONDITION, 'etcdserver: role name already exists'],
  ROLE_EMPTY: [status.INVALID_ARGUMENT, 'etcdserver: role name is empty'],
  ROLE_NOT_FOUND: [status.FAILED_PRECONDITION, 'etcdserver: role name not found'],
  ROLE_NOT_GRANTED: [status.FAILED_PRECONDITION, 'etcdserver: role is not granted to the user'],
  PERMISSION_NOT_GIVEN: [status.INVALID_ARGUMENT, 'etcdserver: permission not given'],
  PERMISSION_NOT_GRANTED: [
    status.FAILED_PRECONDITION,
    'etcdserver: permission is not granted to the role',
  ],
  PERMISSION_DENIED: [status.PERMISSION_DENIED, 'etcdserver: permission denied'],
  AUTH_FAILED: [
    status.INVALID_ARGUMENT,
    'etcdserver: authentication failed, invalid user ID or password',
  ],
  AUTH_NOT_ENABLED: [status.FAILED_PRECONDITION, 'etcdserver: authentication is not enabled'],
  INVALID_AUTH_TOKEN: [status.UNAUTHENTICATED, 'etcdserver: invalid auth token'],
  INVALID_AUTH_MANAGEMENT: [status.INVALID_ARGUMENT, 'etcdserver: invalid auth management'],
  EMPTY_KEY: [status.INVALID_ARGUMENT, 'etcdserver: key is not provided'],
  KEY_NOT_FOUND: [status.INVALID_ARGUMENT, 'etcdserver: key not found'],
  VALUE_PROVIDED: [status.INVALID_ARGUMENT, 'etcdserver: value is provided'],
  LEASE_PROVIDED: [status.INVALID_ARGUMENT, 'etcdserver: lease is provided'],
  TOO_MANY_OPERATIONS: [status.INVALID_ARGUMENT, 'etcdserver: too many operations in txn request'],
  DUPLICATE_KEY: [status.INVALID_ARGUMENT, 'etcdserver: duplicate key given in txn request'],
  INVALID_SORT_OPTION: [status.INVALID_ARGUMENT, 'etcdserver: invalid sort option'],
  COMPACTED: [status.OUT_OF_RANGE, 'etcdserver: mvcc: required revision has been compacted'],
  FUTURE_REVISION: [
    status.OUT_OF_RANGE,
    'etcdserver: mvcc: required revision is a future revision',
  ],
  NO_SPACE: [status.RESOURCE_EXHAUSTED, 'etcdserver: mvcc: database space exceeded'],
  LEASE_NOT_FOUND: [status.NOT_FOUND, 'etcdserver: requested lease not found'],
  LEASE_EXISTS: [status.FAILED_PRECONDITION, 'etcdserver: lease already exists'],
  LEASE_TTL_TOO_LARGE: [status.OUT_OF_RANGE, 'etcdserver: too large lease TTL'],
  NO_ELECTION_LEADER: [status.NOT_FOUND, 'election: no leader'],
  NOT_ELECTED: [status.FAILED_PRECONDITION, 'election: not leader'],
  LEADER_KEY_MISSING: [status.INVALID_ARGUMENT, '"leader" field must be provided'],
  LOCK_HELD: [status.FAILED_PRECONDITION, 'holdfast: the lock is held by somebody else'],
  SESSION_EXPIRED: [
    status.FAILED_PRECONDITION,
    'holdfast: session not found: its lease has ended, or was never granted',
  ],
  SESSION_OF_ANOTHER: [
    status.PERMISSION_DENIED,
    'holdfast: permission denied: the session belongs to another user',
  ],
  ANSWER_TOO_LARGE: [
    status.RESOURCE_EXHAUSTED,
    'holdfast: the answer to this write would be longer than 64 MiB: read its ranges by ' +
      'themselves, or with limits',
  ],
  REQUEST_MISMATCH: [
    status.INVALID_ARGUMENT,
    'holdfast: idempotency key or sequence number belongs to a different request',
  ],
  ANSWER_FORGOTTEN: [
    status.FAILED_PRECONDITION,
    'holdfast: the request was carried out before, and its answer is not kept any more',
  ],
  TOO_MANY_ANSWERS: [
    status.RESOURCE_EXHAUSTED,
    'holdfast: too many answers are kept: acknowledge some, or wait until they are forgotten',
  ],
  REQUEST_TOO_LARGE: [status.INVALID_ARGUMENT, 'etcdserver: request is too large'],
  TOO_MANY_REQUESTS: [status.RESOURCE_EXHAUSTED, 'etcdserver: too many requests'],
  NO_LEADER: [status.UNAVAILABLE, 'etcdserver: no leader'],
  NOT_LEADER: [status.FAILED_PRECONDITION, 'etcdserver: not leader'],
  LEADER_CHANGED: [status.UNAVAILABLE, 'etcdserver: leader changed'],
  TIMEOUT: [status.UNAVAILABLE, 'etcdserver: request timed out'],
  TIMEOUT_LEADER_FAILURE: [
    status.UNAVAILABLE,
    'etcdserver: request timed out, possibly due to previous leader failure',
  ],
  STOPPED: [status.UNAVAILABLE, 'etcdserver: server stopped'],
  MEMBER_NOT_FOUND: [status.NOT_FOUND, 'etcdserver: member not found'],
  MEMBER_EXISTS: [status.FAILED_PRECONDITION, 'etcdserver: member ID already exist'],
  PEER_URL_EXISTS: [status.FAILED_PRECONDITION, 'etcdserver: Peer URLs already exists'],
  BAD_MEMBER_URLS: [status.INVALID_ARGUMENT, 'etcdserver: given member URLs are invalid'],
  NOT_ENOUGH_STARTED: [
    status.FAILED_PRECONDITION,
    'etcdserver: re-configuration failed due to not enough started members',
  ],
  LEARNER_NOT_READY: [
    status.FAILED_PRECONDITION,
    'etcdserver: can only promote a learner member which is in sync with leader',
  ],
  NOT_LEARNER: [status.FAILED_PRECONDITION, 'etcdserver: can only promote a learner member'],
  TOO_MANY_LEARNERS: [
    status.FAILED_PRECONDITION,
    'etcdserver: too many learner members in cluster',
  ],
  NOT_SUPPORTED_FOR_LEARNER: [status.UNAVAILABLE, 'etcdserver: rpc not supported for learner'],
  MEMBER_REMOVED: [
    status.FAILED_PRECONDITION,
    'etcdserver: the member has been permanently removed',
  ],
  BAD_TRANSFEREE: [status.FAILED_PRECONDITION, 'etcdserver: bad leader transferee'],
  UNHEALTHY: [status.UNAVAILABLE, 'etcdserver: unhealthy cluster'],
  CORRUPT: [status.DATA_LOSS, 'etcdserver: corrupt cluster'],
  NO_DOWNGRADE: [status.FAILED_PRECONDITION, 'etcdserver: no inflight downgrade job'],
  CLUSTER_ID_MISMATCH: [status.FAILED_PRECONDITION, 'etcdserver: cluster ID mismatch'],
};

/** Codes that etcd does not have on the wire. */
const ownErrors: Partial<Record<ErrorCode, status>> = {
  INVALID_ARGUMENT: status.INVALID_ARGUMENT,
  TOO_MANY_ACCOUNTS: status.RESOURCE_EXHAUSTED,
  CANCELLED: status.CANCELLED,
  NOT_IMPLEMENTED: status.UNIMPLEMENTED,
  DATA_DIR_LOCKED: status.FAILED_PRECONDITION,
  DATA_DIR_MISMATCH: status.FAILED_PRECONDITION,
  DATA_CORRUPT: status.DATA_LOSS,
  VERSION_MISMATCH: status.FAILED_PRECONDITION,
  FEATURE_NOT_ACTIVE: status.FAILED_PRECONDITION,
  DISK_FULL: status.RESOURCE_EXHAUSTED,
  STORAGE_FAILED: status.INTERNAL,
  CONFIG_INVALID: status.INVALID_ARGUMENT,
  INTERNAL: status.INTERNAL,
};

function noDefect(error: unknown): void {
  throw new Error('reported as a defect', { cause: error });
}

describe('toServiceError', () => {
  test.each(Object.entries(etcdErrors))('%s has the status and text of etcd', (code, expected) => {
    const error = toServiceError(new KvError(code as ErrorCode), noDefect);

    expect([error.code, error.details]).toEqual(expected);
  });

  test.each(Object.entries(ownErrors))(
    '%s, which etcd does not have, has a status',
    (code, expected) => {
      expect(toServiceError(new KvError(code as ErrorCode), noDefect).code).toBe(expected);
    },
  );

  test('every code of the catalogue is checked here', () => {
    const checked = [...Object.keys(etcdErrors), ...Object.keys(ownErrors)];

    expect(checked.sort()).toEqual([...errorCodes].sort());
  });

  test('no code ends in OK or UNKNOWN', () => {
    const statuses = errorCodes.map((code) => toServiceError(new KvError(code), noDefect).code);

    expect(statuses).not.toContain(status.OK);
    expect(statuses).not.toContain(status.UNKNOWN);
  });

  test('the trailers name the code and say whether the request may have taken effect', () => {
    const rejected = toServiceError(new KvError('TIMEOUT'), noDefect);
    const unknown = toServiceError(new KvError('TIMEOUT', { outcome: 'unknown' }), noDefect);

    expect(rejected.metadata.getMap()).toEqual({
      'holdfast-code': 'TIMEOUT',
      'holdfast-outcome': 'rejected',
    });
    expect(unknown.metadata.getMap()).toEqual({
      'holdfast-code': 'TIMEOUT',
      'holdfast-outcome': 'unknown',
    });
  });

  test('a message of its own replaces the text of the catalogue', () => {
    const error = new KvError('INVALID_ARGUMENT', { message: 'etcdserver: limit is odd' });

    expect(toServiceError(error, noDefect).details).toBe('etcdserver: limit is odd');
  });

  test('an error outside the catalogue is internal, its outcome unknown, and a defect', () => {
    const defects: unknown[] = [];
    const cause = new TypeError('secret detail');

    const error = toServiceError(cause, (defect) => defects.push(defect));

    expect(error.code).toBe(status.INTERNAL);
    expect(error.details).toBe('etcdserver: internal error');
    expect(error.metadata.getMap()).toEqual({
      'holdfast-code': 'INTERNAL',
      'holdfast-outcome': 'unknown',
    });
    expect(defects).toEqual([cause]);
  });
});
