/**
 * The catalogue of operational errors: a closed set of codes, each with its text, whether a retry
 * can help, and, for a failed write, whether it may have happened.
 *
 * Texts are etcd's where etcd has one, since clients match on them (ADR-001). `rpc/status.ts`
 * is the only map from codes to gRPC statuses.
 */

/**
 * Whether a failed write surely had no effect, or may have had one. Reads always fail as
 * `rejected`.
 */
export type Outcome = 'rejected' | 'unknown';

interface CatalogueEntry {
  readonly text: string;
  readonly retryable: boolean;
  /** Of a write, unless who throws knows better; `rejected` when it is not here. */
  readonly outcome?: Outcome;
}

/** Every code, with its default text and whether the same request may succeed later. */
const catalogue = {
  EMPTY_KEY: { text: 'etcdserver: key is not provided', retryable: false },
  KEY_NOT_FOUND: { text: 'etcdserver: key not found', retryable: false },
  VALUE_PROVIDED: { text: 'etcdserver: value is provided', retryable: false },
  LEASE_PROVIDED: { text: 'etcdserver: lease is provided', retryable: false },
  TOO_MANY_OPERATIONS: { text: 'etcdserver: too many operations in txn request', retryable: false },
  DUPLICATE_KEY: { text: 'etcdserver: duplicate key given in txn request', retryable: false },
  INVALID_SORT_OPTION: { text: 'etcdserver: invalid sort option', retryable: false },
  INVALID_ARGUMENT: { text: 'etcdserver: invalid argument', retryable: false },
  COMPACTED: {
    text: 'etcdserver: mvcc: required revision has been compacted',
    retryable: false,
  },
  FUTURE_REVISION: {
    text: 'etcdserver: mvcc: required revision is a future revision',
    retryable: false,
  },
  NO_SPACE: { text: 'etcdserver: mvcc: database space exceeded', retryable: false },
  LEASE_NOT_FOUND: { text: 'etcdserver: requested lease not found', retryable: false },
  LEASE_EXISTS: { text: 'etcdserver: lease already exists', retryable: false },
  LEASE_TTL_TOO_LARGE: { text: 'etcdserver: too large lease TTL', retryable: false },
  NO_ELECTION_LEADER: { text: 'election: no leader', retryable: true },
  NOT_ELECTED: { text: 'election: not leader', retryable: false },
  LEADER_KEY_MISSING: { text: '"leader" field must be provided', retryable: false },
  LOCK_HELD: { text: 'holdfast: the lock is held by somebody else', retryable: true },
  SESSION_EXPIRED: {
    text: 'holdfast: session not found: its lease has ended, or was never granted',
    ...{ retryable: false, outcome: 'unknown' },
  },
  SESSION_OF_ANOTHER: {
    text: 'holdfast: permission denied: the session belongs to another user',
    retryable: false,
  },
  REQUEST_MISMATCH: {
    text: 'holdfast: idempotency key or sequence number belongs to a different request',
    retryable: false,
  },
  ANSWER_FORGOTTEN: {
    text: 'holdfast: the request was carried out before, and its answer is not kept any more',
    ...{ retryable: false, outcome: 'unknown' },
  },
  TOO_MANY_ANSWERS: {
    text: 'holdfast: too many answers are kept: acknowledge some, or wait until they are forgotten',
    retryable: true,
  },
  ANSWER_TOO_LARGE: {
    text:
      'holdfast: the answer to this write would be longer than 64 MiB: read its ranges by ' +
      'themselves, or with limits',
    retryable: false,
  },
  REQUEST_TOO_LARGE: { text: 'etcdserver: request is too large', retryable: false },
  TOO_MANY_REQUESTS: { text: 'etcdserver: too many requests', retryable: true },
  NO_LEADER: { text: 'etcdserver: no leader', retryable: true },
  NOT_LEADER: { text: 'etcdserver: not leader', retryable: true },
  LEADER_CHANGED: { text: 'etcdserver: leader changed', retryable: true },
  TIMEOUT: { text: 'etcdserver: request timed out', retryable: true },
  TIMEOUT_LEADER_FAILURE: {
    text: 'etcdserver: request timed out, possibly due to previous leader failure',
    retryable: true,
  },
  CANCELLED: { text: 'etcdserver: request cancelled', retryable: true },
  STOPPED: { text: 'etcdserver: server stopped', retryable: true },
  MEMBER_NOT_FOUND: { text: 'etcdserver: member not found', retryable: false },
  MEMBER_EXISTS: { text: 'etcdserver: member ID already exist', retryable: false },
  PEER_URL_EXISTS: { text: 'etcdserver: Peer URLs already exists', retryable: false },
  BAD_MEMBER_URLS: { text: 'etcdserver: given member URLs are invalid', retryable: false },
  NOT_ENOUGH_STARTED: {
    text: 'etcdserver: re-configuration failed due to not enough started members',
    retryable: true,
  },
  LEARNER_NOT_READY: {
    text: 'etcdserver: can only promote a learner member which is in sync with leader',
    retryable: true,
  },
  NOT_LEARNER: {
    text: 'etcdserver: can only promote a learner member',
    retryable: false,
  },
  TOO_MANY_LEARNERS: {
    text: 'etcdserver: too many learner members in cluster',
    retryable: false,
  },
  NOT_SUPPORTED_FOR_LEARNER: {
    text: 'etcdserver: rpc not supported for learner',
    retryable: false,
  },
  MEMBER_REMOVED: { text: 'etcdserver: the member has been permanently removed', retryable: false },
  BAD_TRANSFEREE: { text: 'etcdserver: bad leader transferee', retryable: false },
  UNHEALTHY: { text: 'etcdserver: unhealthy cluster', retryable: true },
  CORRUPT: { text: 'etcdserver: corrupt cluster', retryable: false },
  NO_DOWNGRADE: { text: 'etcdserver: no inflight downgrade job', retryable: false },
  CLUSTER_ID_MISMATCH: { text: 'etcdserver: cluster ID mismatch', retryable: false },
  NOT_IMPLEMENTED: { text: 'etcdserver: not implemented', retryable: false },
  ROOT_USER_NOT_EXIST: { text: 'etcdserver: root user does not exist', retryable: false },
  ROOT_ROLE_NOT_EXIST: { text: 'etcdserver: root user does not have root role', retryable: false },
  USER_EXISTS: { text: 'etcdserver: user name already exists', retryable: false },
  USER_EMPTY: { text: 'etcdserver: user name is empty', retryable: false },
  USER_NOT_FOUND: { text: 'etcdserver: user name not found', retryable: false },
  ROLE_EXISTS: { text: 'etcdserver: role name already exists', retryable: false },
  ROLE_EMPTY: { text: 'etcdserver: role name is empty', retryable: false },
  ROLE_NOT_FOUND: { text: 'etcdserver: role name not found', retryable: false },
  ROLE_NOT_GRANTED: { text: 'etcdserver: role is not granted to the user', retryable: false },
  PERMISSION_NOT_GIVEN: { text: 'etcdserver: permission not given', retryable: false },
  PERMISSION_NOT_GRANTED: {
    text: 'etcdserver: permission is not granted to the role',
    retryable: false,
  },
  PERMISSION_DENIED: { text: 'etcdserver: permission denied', retryable: false },
  AUTH_FAILED: {
    text: 'etcdserver: authentication failed, invalid user ID or password',
    retryable: false,
  },
  AUTH_NOT_ENABLED: { text: 'etcdserver: authentication is not enabled', retryable: false },
  INVALID_AUTH_TOKEN: { text: 'etcdserver: invalid auth token', retryable: false },
  INVALID_AUTH_MANAGEMENT: { text: 'etcdserver: invalid auth management', retryable: false },
  TOO_MANY_ACCOUNTS: {
    text: 'holdfast: too many users, roles, roles of a user, or permissions of a role',
    retryable: false,
  },
  DATA_DIR_LOCKED: { text: 'the data directory is in use by another process', retryable: false },
  DATA_DIR_MISMATCH: {
    text: 'the data directory belongs to another member or cluster',
    retryable: false,
  },
  DATA_CORRUPT: { text: 'stored data is damaged', retryable: false },
  VERSION_MISMATCH: {
    text: 'this build does not read what another one has written, or says',
    retryable: false,
  },
  FEATURE_NOT_ACTIVE: {
    text: 'holdfast: not before every member of the cluster reads it: upgrade all of them',
    retryable: true,
  },
  DISK_FULL: { text: 'no space left on the disk that holds the data', retryable: true },
  STORAGE_FAILED: { text: 'storage failed', retryable: false },
  CONFIG_INVALID: { text: 'invalid configuration', retryable: false },
  INTERNAL: { text: 'etcdserver: internal error', retryable: false },
} as const satisfies Record<string, CatalogueEntry>;

/** One of the closed set of operational error codes. */
export type ErrorCode = keyof typeof catalogue;

/**
 * All codes, in the order of the catalogue.
 *
 * For those who read a code that another process wrote.
 */
export const errorCodes = Object.keys(catalogue) as readonly ErrorCode[];

/** What a {@link KvError} may carry beyond its code. */
export interface KvErrorOptions {
  /** Replaces the catalogue text. */
  readonly message?: string | undefined;
  /** For writes: whether it may have happened. */
  readonly outcome?: Outcome | undefined;
  /** Named facts for logs; never keys' values or secrets. */
  readonly details?: Readonly<Record<string, string | number>> | undefined;
  readonly cause?: unknown;
}

/** The one operational error of the shell: coded, and clear about the outcome. */
export class KvError extends Error {
  override readonly name = 'KvError';
  readonly code: ErrorCode;
  readonly retryable: boolean;
  /** Whether the request may have taken effect. */
  readonly outcome: Outcome;
  readonly details: Readonly<Record<string, string | number>>;

  constructor(code: ErrorCode, options: KvErrorOptions = {}) {
    const entry: CatalogueEntry = catalogue[code];
    const { message, outcome = entry.outcome ?? 'rejected', details = {}, cause } = options;
    super(message ?? entry.text, cause === undefined ? undefined : { cause });
    this.code = code;
    this.retryable = entry.retryable;
    this.outcome = outcome;
    this.details = details;
  }
}
