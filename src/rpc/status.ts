/**
 * The only map from error codes to gRPC statuses; codes and texts are etcd's where etcd has them.
 *
 * A failed call also says in its trailers which code of the catalogue it was (`holdfast-code`) and
 * whether it may have taken effect (`holdfast-outcome`), so a client need not guess from a text.
 * One that is turned away for lack of room says when to repeat it (`grpc-retry-pushback-ms`, which
 * gRPC's own retries go by: gRFC A6) and what there is too much of (`holdfast-reason`).
 */
import { Metadata, type ServiceError, status, type StatusObject } from '@grpc/grpc-js';
import { type ErrorCode, KvError } from '../base/index.ts';
import type { Refusal } from './limits.ts';

/** gRPC status of each code. */
const grpcStatusByCode: Readonly<Record<ErrorCode, status>> = {
  EMPTY_KEY: status.INVALID_ARGUMENT,
  KEY_NOT_FOUND: status.INVALID_ARGUMENT,
  VALUE_PROVIDED: status.INVALID_ARGUMENT,
  LEASE_PROVIDED: status.INVALID_ARGUMENT,
  TOO_MANY_OPERATIONS: status.INVALID_ARGUMENT,
  DUPLICATE_KEY: status.INVALID_ARGUMENT,
  INVALID_SORT_OPTION: status.INVALID_ARGUMENT,
  INVALID_ARGUMENT: status.INVALID_ARGUMENT,
  COMPACTED: status.OUT_OF_RANGE,
  FUTURE_REVISION: status.OUT_OF_RANGE,
  NO_SPACE: status.RESOURCE_EXHAUSTED,
  LEASE_NOT_FOUND: status.NOT_FOUND,
  LEASE_EXISTS: status.FAILED_PRECONDITION,
  LEASE_TTL_TOO_LARGE: status.OUT_OF_RANGE,
  NO_ELECTION_LEADER: status.NOT_FOUND,
  NOT_ELECTED: status.FAILED_PRECONDITION,
  LEADER_KEY_MISSING: status.INVALID_ARGUMENT,
  LOCK_HELD: status.FAILED_PRECONDITION,
  SESSION_EXPIRED: status.FAILED_PRECONDITION,
  SESSION_OF_ANOTHER: status.PERMISSION_DENIED,
  REQUEST_MISMATCH: status.INVALID_ARGUMENT,
  ANSWER_FORGOTTEN: status.FAILED_PRECONDITION,
  TOO_MANY_ANSWERS: status.RESOURCE_EXHAUSTED,
  ANSWER_TOO_LARGE: status.RESOURCE_EXHAUSTED,
  REQUEST_TOO_LARGE: status.INVALID_ARGUMENT,
  TOO_MANY_REQUESTS: status.RESOURCE_EXHAUSTED,
  NO_LEADER: status.UNAVAILABLE,
  NOT_LEADER: status.FAILED_PRECONDITION,
  LEADER_CHANGED: status.UNAVAILABLE,
  TIMEOUT: status.UNAVAILABLE,
  TIMEOUT_LEADER_FAILURE: status.UNAVAILABLE,
  CANCELLED: status.CANCELLED,
  STOPPED: status.UNAVAILABLE,
  MEMBER_NOT_FOUND: status.NOT_FOUND,
  MEMBER_EXISTS: status.FAILED_PRECONDITION,
  PEER_URL_EXISTS: status.FAILED_PRECONDITION,
  BAD_MEMBER_URLS: status.INVALID_ARGUMENT,
  NOT_ENOUGH_STARTED: status.FAILED_PRECONDITION,
  LEARNER_NOT_READY: status.FAILED_PRECONDITION,
  NOT_LEARNER: status.FAILED_PRECONDITION,
  TOO_MANY_LEARNERS: status.FAILED_PRECONDITION,
  NOT_SUPPORTED_FOR_LEARNER: status.UNAVAILABLE,
  MEMBER_REMOVED: status.FAILED_PRECONDITION,
  BAD_TRANSFEREE: status.FAILED_PRECONDITION,
  UNHEALTHY: status.UNAVAILABLE,
  CORRUPT: status.DATA_LOSS,
  NO_DOWNGRADE: status.FAILED_PRECONDITION,
  CLUSTER_ID_MISMATCH: status.FAILED_PRECONDITION,
  NOT_IMPLEMENTED: status.UNIMPLEMENTED,
  ROOT_USER_NOT_EXIST: status.FAILED_PRECONDITION,
  ROOT_ROLE_NOT_EXIST: status.FAILED_PRECONDITION,
  USER_EXISTS: status.FAILED_PRECONDITION,
  USER_EMPTY: status.INVALID_ARGUMENT,
  USER_NOT_FOUND: status.FAILED_PRECONDITION,
  ROLE_EXISTS: status.FAILED_PRECONDITION,
  ROLE_EMPTY: status.INVALID_ARGUMENT,
  ROLE_NOT_FOUND: status.FAILED_PRECONDITION,
  ROLE_NOT_GRANTED: status.FAILED_PRECONDITION,
  PERMISSION_NOT_GIVEN: status.INVALID_ARGUMENT,
  PERMISSION_NOT_GRANTED: status.FAILED_PRECONDITION,
  PERMISSION_DENIED: status.PERMISSION_DENIED,
  AUTH_FAILED: status.INVALID_ARGUMENT,
  AUTH_NOT_ENABLED: status.FAILED_PRECONDITION,
  INVALID_AUTH_TOKEN: status.UNAUTHENTICATED,
  INVALID_AUTH_MANAGEMENT: status.INVALID_ARGUMENT,
  TOO_MANY_ACCOUNTS: status.RESOURCE_EXHAUSTED,
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

/**
 * Turns any error into the status a call ends with; what is no {@link KvError} is a defect and says
 * so.
 */
export function toServiceError(error: unknown, onDefect: (error: unknown) => void): ServiceError {
  if (!(error instanceof KvError)) {
    onDefect(error);
  }
  const known =
    error instanceof KvError
      ? error
      : new KvError('INTERNAL', { outcome: 'unknown', cause: error });
  const metadata = trailersOf(known.code, known.outcome);
  if (retryCodes.includes(known.code)) {
    const { reason = 'queue', retryMs = queueRetryMs } = known.details;
    addRetry(metadata, String(reason), Number(retryMs));
  }
  return Object.assign(new Error(known.message), {
    name: 'ServiceError',
    code: grpcStatusByCode[known.code],
    details: known.message,
    metadata,
  });
}

/** A refusal in words, as Go writes it; etcd gives it so where an answer has only a text. */
export function statusInWords(code: ErrorCode): string {
  const name = status[grpcStatusByCode[code]].toLowerCase();
  const words = name.split('_').map((word) => word.charAt(0).toUpperCase() + word.slice(1));
  return `rpc error: code = ${words.join('')} desc = ${new KvError(code).message}`;
}

/** The status of a call that was refused before it was looked at: it had no effect. */
export function refusedStatus({ reason, retryMs }: Refusal): StatusObject {
  const metadata = trailersOf('TOO_MANY_REQUESTS', 'rejected');
  addRetry(metadata, reason, retryMs);
  return { code: status.RESOURCE_EXHAUSTED, details: refusedText, metadata };
}

/** Codes of calls that are refused because something is full. */
const retryCodes: readonly ErrorCode[] = ['TOO_MANY_REQUESTS', 'TOO_MANY_ANSWERS'];
/** Milliseconds after which a queue of the member may have room again. */
const queueRetryMs = 100;
const refusedText = new KvError('TOO_MANY_REQUESTS').message;

function trailersOf(code: ErrorCode, outcome: string): Metadata {
  const metadata = new Metadata();
  metadata.set('holdfast-code', code);
  metadata.set('holdfast-outcome', outcome);
  return metadata;
}

function addRetry(metadata: Metadata, reason: string, retryMs: number): void {
  metadata.set('holdfast-reason', reason);
  metadata.set('grpc-retry-pushback-ms', String(retryMs));
}
