/**
 * The one error of the client: what failed, where, whether it may have taken effect, whether the
 * same call may succeed later, and what to do.
 *
 * A Holdfast member says in its trailers which code of the catalogue a failure is and what became
 * of the request. Others are judged by etcd's texts and gRPC's statuses; where these leave doubt
 * the outcome is unknown.
 */
import { type ErrorCode, errorCodes, KvError, type Outcome } from '../base/index.ts';
import type { CallFailure } from './ports.ts';

/** Failures that the client itself finds, beside those of the members' catalogue. */
const ownCodes = {
  DEADLINE_EXCEEDED: true,
  ABORTED: false,
  CLIENT_CLOSED: false,
  CLIENT_OVERLOADED: true,
  UNREACHABLE: true,
  CERTIFICATE_REFUSED: false,
  CONNECTION_LOST: true,
  UNAUTHENTICATED: false,
  TXN_CONFLICT: true,
  LEASE_LOST: true,
  OWNERSHIP_LOST: true,
  BAD_VALUE: false,
  CACHE_TOO_LARGE: false,
  CACHE_STALE: true,
  FEED_TAKEN: false,
  UNRECOGNIZED: false,
} as const satisfies Record<string, boolean>;

/** What no waiting helps: one side does not take the certificate of the other. */
export const certificateRefused = 'CERTIFICATE_REFUSED';

/** Every code an error of the client may have. */
export type HoldfastErrorCode = ErrorCode | keyof typeof ownCodes;

/** What an error is made of. */
export interface HoldfastErrorOptions {
  readonly outcome?: Outcome | undefined;
  /** Whom the last attempt went to. */
  readonly endpoint?: string | undefined;
  /** The failure of the transport or of the server behind this one. */
  readonly cause?: unknown;
}

/** See the module comment. */
export class HoldfastError extends Error {
  override readonly name = 'HoldfastError';
  readonly code: HoldfastErrorCode;
  /** Whether the same call may succeed later. */
  readonly retryable: boolean;
  /** Whether the request may have taken effect; `rejected`: it surely had none. */
  readonly outcome: Outcome;
  /** `host:port` of the last attempt; undefined when there was none. */
  readonly endpoint: string | undefined;
  /** What to do about it, in a sentence. */
  readonly hint: string;

  constructor(code: HoldfastErrorCode, message: string, options: HoldfastErrorOptions = {}) {
    const { outcome = 'rejected', endpoint, cause } = options;
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.retryable = isRetryableCode(code);
    this.outcome = outcome;
    this.endpoint = endpoint;
    this.hint = hintOf(code);
  }
}

/** A watch wants what has been compacted: it has to begin anew, from a read of the present. */
export class CompactedError extends HoldfastError {
  /** History begins here. */
  readonly compactRevision: number;

  constructor(wanted: number, compactRevision: number, endpoint: string | undefined) {
    const text = `watch: revision ${wanted} is compacted, history begins at ${compactRevision}`;
    super('COMPACTED', text, { endpoint });
    this.compactRevision = compactRevision;
  }
}

/** Whether a failure with this code may pass. */
function isRetryableCode(code: HoldfastErrorCode): boolean {
  return isOwn(code) ? ownCodes[code] : new KvError(code).retryable;
}

/** Whether another attempt, or another endpoint, may mend a failure with this code. */
export function isRepeatableCode(code: HoldfastErrorCode): boolean {
  return (isRetryableCode(code) && !finalCodes.has(code)) || code === notOfLearners;
}

/** What members do that only learn; the others do it. */
export const notOfLearners = 'NOT_SUPPORTED_FOR_LEARNER';

/** Retryable for whoever chooses to, but an answer all the same. */
const finalCodes: ReadonlySet<HoldfastErrorCode> = new Set<HoldfastErrorCode>([
  ...['LOCK_HELD', 'NO_ELECTION_LEADER', 'NOT_ENOUGH_STARTED', 'LEARNER_NOT_READY'],
] as HoldfastErrorCode[]);

function isOwn(code: HoldfastErrorCode): code is keyof typeof ownCodes {
  return Object.hasOwn(ownCodes, code);
}

/** etcd's own word for a code, where it says nothing more. */
const codeByText: ReadonlyMap<string, ErrorCode> = new Map(
  errorCodes.map((code) => [new KvError(code).message, code]),
);

const knownCodes: ReadonlySet<string> = new Set(errorCodes);

const codeByStatus: Readonly<Record<string, HoldfastErrorCode>> = {
  UNAVAILABLE: 'CONNECTION_LOST',
  CANCELLED: 'CONNECTION_LOST',
  DEADLINE_EXCEEDED: 'TIMEOUT',
  UNAUTHENTICATED: 'UNAUTHENTICATED',
  PERMISSION_DENIED: 'PERMISSION_DENIED',
  UNIMPLEMENTED: 'NOT_IMPLEMENTED',
  INVALID_ARGUMENT: 'INVALID_ARGUMENT',
};

/**
 * What members say of no name, of a token that they do not know (any more), and of a wrong name or
 * password: who calls is not known to them.
 */
const strangerCodes: ReadonlySet<string> = new Set<ErrorCode>([
  'USER_EMPTY',
  'INVALID_AUTH_TOKEN',
  'AUTH_FAILED',
]);
/** What etcd says of a token that is older than the last change of users and roles. */
const oldToken = 'etcdserver: revision of auth store is old';
const authenticationFailed = 'etcdserver: authentication failed';
/** What gRPC says of a message that it does not take, unread; Go's and JavaScript's. */
const tooLong = 'message larger than max';
/** In Go's words: it is the answer that is too long, so the request has been carried out. */
const answerTooLong = 'to send message larger than max';

/** The code of a failed call. */
export function codeOf(failure: CallFailure): HoldfastErrorCode {
  const { code, message, status } = failure;
  if (!failure.wasSent) {
    return code === certificateRefused ? certificateRefused : 'UNREACHABLE';
  }
  const known = code !== undefined && knownCodes.has(code) ? code : codeByText.get(message);
  if (known !== undefined) {
    return strangerCodes.has(known) ? 'UNAUTHENTICATED' : (known as ErrorCode);
  }
  if (message.includes(tooLong)) {
    return 'REQUEST_TOO_LARGE';
  }
  if (message === oldToken || message.startsWith(authenticationFailed)) {
    return 'UNAUTHENTICATED';
  }
  // A connection that breaks in the middle of an answer ends calls with INTERNAL.
  if (status === 'INTERNAL' && message.includes('RST_STREAM')) {
    return 'CONNECTION_LOST';
  }
  return codeByStatus[status] ?? 'UNRECOGNIZED';
}

/** How Go writes a failure of gRPC in words: the status's name, in camel case, and the text. */
const failureInWords = /^rpc error: code = (\w+) desc = /;

/** The code of a reason that a member gives in an answer, in words. */
export function codeOfReason(reason: string): HoldfastErrorCode {
  const [, name = 'Unknown'] = failureInWords.exec(reason) ?? [];
  const status = name.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase();
  const message = reason.replace(failureInWords, '').replace(/ \(.*\)$/, '');
  const unknown = { code: undefined, outcome: undefined, cause: undefined };
  return codeOf({ ...unknown, status, message, wasSent: true });
}

/** Codes that mean "not done" when a server without outcomes says them. */
const rejections: ReadonlySet<HoldfastErrorCode> = new Set<HoldfastErrorCode>([
  ...['NO_LEADER', 'TOO_MANY_REQUESTS', 'UNREACHABLE', 'REQUEST_TOO_LARGE'],
  ...['UNAUTHENTICATED', 'PERMISSION_DENIED', 'NOT_IMPLEMENTED', notOfLearners],
] as HoldfastErrorCode[]);

/** Statuses that servers give to requests they have refused. */
const refusals: ReadonlySet<string> = new Set([
  ...['INVALID_ARGUMENT', 'OUT_OF_RANGE', 'NOT_FOUND', 'ALREADY_EXISTS', 'FAILED_PRECONDITION'],
  ...['PERMISSION_DENIED', 'UNAUTHENTICATED', 'UNIMPLEMENTED'],
]);

/** Whether the request of a failed call may have taken effect. */
export function outcomeOf(failure: CallFailure): Outcome {
  if (!failure.wasSent) {
    return 'rejected';
  }
  if (failure.outcome !== undefined) {
    return failure.outcome;
  }
  const isRefused =
    (rejections.has(codeOf(failure)) && !failure.message.includes(answerTooLong)) ||
    refusals.has(failure.status);
  return isRefused ? 'rejected' : 'unknown';
}

const majorityHint =
  'an election takes about a second; if it lasts, check that a majority of the members is up';
const readFirstHint = 'read what it did before repeating it';

const hints: Readonly<Partial<Record<HoldfastErrorCode, string>>> = {
  DEADLINE_EXCEEDED: 'give the call more time, or look at the health of the members',
  ABORTED: 'the caller has given it up',
  CLIENT_CLOSED: 'this client has been closed: make a new one',
  CLIENT_OVERLOADED: 'make fewer calls at once, or look whether the members answer at all',
  UNREACHABLE: 'check the endpoints, that the members run, and that both sides agree about TLS',
  CERTIFICATE_REFUSED:
    'check tls (ca, cert, key, serverName), the clocks, and which hosts the certificates are for',
  CONNECTION_LOST: 'read what it did before repeating it, or make the write conditional',
  UNAUTHENTICATED: 'check user name and password',
  PERMISSION_DENIED: 'ask for a role that may do this',
  TXN_CONFLICT: 'others keep changing the same keys: repeat later, or touch fewer keys',
  LEASE_LOST: 'stop what relied on it, since others may go on now; grant a new one',
  OWNERSHIP_LOST: 'stop what relied on it: somebody has deleted its key; acquire it anew',
  LOCK_HELD: 'somebody else has it: wait longer, or try later',
  BAD_VALUE: 'the stored value is not what the codec expects: read it as bytes',
  CACHE_TOO_LARGE: 'cache a smaller range, or allow the cache more',
  CACHE_STALE: 'look at the health of the members, or read the key itself',
  FEED_TAKEN: 'a feed has one consumer at a time: let one process run it',
  UNRECOGNIZED: 'is this endpoint a Holdfast or etcd v3 member?',
  CONFIG_INVALID: 'correct the options that the message names',
  INVALID_ARGUMENT: 'correct the request as the message says',
  EMPTY_KEY: 'a key has at least one byte',
  KEY_NOT_FOUND: 'ignoreValue and ignoreLease need a key that exists: put it in full',
  TOO_MANY_OPERATIONS: 'split the transaction, or raise --max-txn-ops on the members',
  DUPLICATE_KEY: 'a branch of a transaction may write a key once: merge the writes',
  COMPACTED: 'use a later revision: what is older is gone',
  FUTURE_REVISION: 'use a revision that an answer has named',
  NO_SPACE: 'compact, delete, or give the members more room',
  LEASE_NOT_FOUND: 'the lease has ended: grant a new one',
  SESSION_EXPIRED: readFirstHint,
  SESSION_OF_ANOTHER: 'sign in as the user who has begun the session, or begin another one',
  ANSWER_FORGOTTEN: readFirstHint,
  REQUEST_MISMATCH: 'an idempotency key names one request only',
  ANSWER_TOO_LARGE:
    'read the ranges by themselves or with limits, and delete without previous values',
  REQUEST_TOO_LARGE: 'send less at once, or raise --max-request-bytes on the members',
  TOO_MANY_REQUESTS: 'the members are overloaded: repeat later',
  NO_LEADER: majorityHint,
  NOT_LEADER: majorityHint,
  LEADER_CHANGED: majorityHint,
  TIMEOUT: majorityHint,
  TIMEOUT_LEADER_FAILURE: majorityHint,
  STOPPED: 'the member is going down: give the client all endpoints',
  NOT_IMPLEMENTED: 'the members do not have this part of the API',
  INTERNAL: "this is a defect: please report it with the members' logs",
};

function hintOf(code: HoldfastErrorCode): string {
  return hints[code] ?? 'look it up in docs/errors.md of Holdfast';
}

/** The error for a call that its caller has aborted. */
export function abortedError(
  what: string,
  signal: AbortSignal,
  options: HoldfastErrorOptions = {},
): HoldfastError {
  const cause: unknown = signal.reason;
  return new HoldfastError('ABORTED', `${what} was aborted`, { ...options, cause });
}

/** The error for a call on a client that is closed. */
export function closedError(what: string, options: HoldfastErrorOptions = {}): HoldfastError {
  return new HoldfastError('CLIENT_CLOSED', `${what}: the client is closed`, options);
}
