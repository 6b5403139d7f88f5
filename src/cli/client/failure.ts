/**
 * Failed calls in words: what failed, where, whether a write may have happened, and what to do
 * about it.
 *
 * A server of ours says in its trailers which code of the catalogue it was and what became of the
 * write; with others the status decides, and where it leaves doubt the outcome is unknown.
 */
import { type ServiceError, status } from '@grpc/grpc-js';
import type { ErrorCode, Outcome } from '../../base/index.ts';
import { ExitError } from '../exit.ts';

/** Exit codes of client commands, beside 0 and 2 (wrong usage). */
export const exitCodes = {
  ...{ failed: 1, outcomeUnknown: 3, unreachable: 4 },
  /** A lock or an office was lost while it was held. */
  lost: 5,
  /** A lock was not to be had. */
  held: 6,
} as const;

/** Whether a command may change something. */
export type Purpose = 'read' | 'write';

/** A call that failed at one endpoint. */
export interface CallFailure {
  readonly endpoint: string;
  /** False when no connection was there, so that nothing can have been sent. */
  readonly wasSent: boolean;
  readonly status: status;
  /** Code of the catalogue, or the status' name. */
  readonly code: string;
  readonly message: string;
  readonly outcome: Outcome;
}

/** The end of a command whose call failed, and what each endpoint that was asked said. */
export class CallError extends ExitError {
  readonly failures: readonly CallFailure[];

  constructor(exitCode: number, message: string, failures: readonly CallFailure[]) {
    super(exitCode, message);
    this.failures = failures;
  }

  /** Whether anything was sent to anybody. */
  get wasSent(): boolean {
    return this.failures.some(({ wasSent }) => wasSent);
  }
}

/** Whether a call that may be repeated may succeed at another endpoint, or later. */
export function mayPass({ failures }: CallError): boolean {
  return failures.every((failure) => canFailOver(failure, 'read'));
}

/** Statuses that a server gives to requests it has refused, whoever made it. */
const refusals: readonly status[] = [
  status.INVALID_ARGUMENT,
  status.OUT_OF_RANGE,
  status.NOT_FOUND,
  status.ALREADY_EXISTS,
  status.FAILED_PRECONDITION,
  status.PERMISSION_DENIED,
  status.UNAUTHENTICATED,
  status.UNIMPLEMENTED,
];

/** Commands whose effect shows in a key. */
const keyCommands: readonly string[] = ['put', 'del', 'txn', 'compact'];
const majorityHint = 'wait for an election and repeat; if it lasts, check that a majority is up';
const hintByCode: Readonly<Partial<Record<ErrorCode, string>>> = {
  KEY_NOT_FOUND: '--ignore-value and --ignore-lease need a key that exists: put it in full',
  TOO_MANY_OPERATIONS: 'split the transaction, or raise --max-txn-ops on the members',
  DUPLICATE_KEY: 'a branch of a transaction may write a key once: merge the writes',
  COMPACTED: 'use a later revision: what is older is gone',
  FUTURE_REVISION: 'use a revision that the store has reached; "holdfast status" tells it',
  NO_SPACE: 'compact, delete, or give the members more room; then "holdfast alarm disarm"',
  MEMBER_NOT_FOUND: '"holdfast member list" tells the ids',
  PEER_URL_EXISTS: '"holdfast member list" tells who has it',
  NOT_ENOUGH_STARTED: 'start the members that are down first, or remove those',
  LEARNER_NOT_READY: 'wait until it has caught up, or add it with --auto-promote',
  NOT_LEARNER: 'it votes already; "holdfast member list" tells who does not',
  TOO_MANY_LEARNERS: 'promote or remove a learner first',
  BAD_TRANSFEREE: 'name a voter that is up; "holdfast status --cluster" tells',
  USER_EMPTY: 'everybody is asked who they are: say --user, or set HOLDFAST_USER',
  AUTH_FAILED: 'check --user and --password, or HOLDFAST_USER and HOLDFAST_PASSWORD',
  PERMISSION_DENIED: 'see "user get" and "role get", or ask as somebody who may',
  CORRUPT: 'find the member that differs with "holdfast hashkv --cluster" and replace it',
  LEASE_NOT_FOUND: 'it has ended, or never was; "holdfast lease list" tells those there are',
  ANSWER_TOO_LARGE: 'read its ranges by "get" with --limit, delete without --prev-kv',
  REQUEST_TOO_LARGE: 'send less at once, or raise --max-request-bytes on the members',
  TOO_MANY_REQUESTS: 'the member is overloaded: repeat later',
  NO_LEADER: majorityHint,
  LEADER_CHANGED: majorityHint,
  TIMEOUT: majorityHint,
  TIMEOUT_LEADER_FAILURE: majorityHint,
  UNHEALTHY: majorityHint,
  STOPPED: 'the member is going down: use another endpoint',
  NOT_IMPLEMENTED: 'this part of the API is not there yet',
  DISK_FULL: 'make room on the member’s disk',
  STORAGE_FAILED: 'look at the member’s log and its disk',
  INTERNAL: 'this is a defect: please report it with the member’s log',
};
const hintByStatus: Readonly<Partial<Record<status, string>>> = {
  [status.UNAVAILABLE]: 'check that the member runs and look at its log',
  [status.DEADLINE_EXCEEDED]: 'give it a longer --command-timeout, or look at "holdfast health"',
  [status.RESOURCE_EXHAUSTED]: 'send less at once, or repeat later',
  [status.UNIMPLEMENTED]: 'is this endpoint a Holdfast or etcd v3 member?',
};

/** What a call that was sent failed with. */
export function failureOf(endpoint: string, error: ServiceError): CallFailure {
  const [code] = error.metadata.get('holdfast-code');
  const [outcome] = error.metadata.get('holdfast-outcome');
  // gRPC itself turns it away, unread, and has no code of its own for that.
  const isTooLong =
    error.code === status.RESOURCE_EXHAUSTED &&
    error.details.startsWith('Received message larger than max');
  const said = code ?? (isTooLong ? 'REQUEST_TOO_LARGE' : status[error.code]);
  const isRefusal =
    outcome === undefined ? isTooLong || refusals.includes(error.code) : outcome === 'rejected';
  return {
    endpoint,
    wasSent: true,
    status: error.code,
    code: String(said),
    message: messageOf(error),
    outcome: isRefusal ? 'rejected' : 'unknown',
  };
}

const timeouts: readonly string[] = ['DEADLINE_EXCEEDED', 'TIMEOUT', 'TIMEOUT_LEADER_FAILURE'];

/** Whether nobody has answered in time, for whatever reason. */
export function ranOutOfTime({ code }: CallFailure): boolean {
  return timeouts.includes(code);
}

/** The reason of a failure that looked like a lack of time. What became of a write stays open. */
export function withoutLeader(failure: CallFailure): CallFailure {
  const message = `there is no leader (${failure.message})`;
  return { ...failure, code: 'NO_LEADER', message };
}

/** A call that could not be sent, since `endpoint` was not connected. */
export function unreachable(endpoint: string, reason: string): CallFailure {
  return {
    endpoint,
    wasSent: false,
    status: status.UNAVAILABLE,
    code: 'UNREACHABLE',
    message: reason,
    outcome: 'rejected',
  };
}

/** Whether the next endpoint may be asked: a write must not happen twice. */
export function canFailOver(failure: CallFailure, purpose: Purpose): boolean {
  if (!failure.wasSent) {
    return true;
  }
  if (purpose === 'write') {
    return failure.status === status.UNAVAILABLE && failure.outcome === 'rejected';
  }
  // Commands cancel nothing: a cancelled call is one that a member going down has cut off.
  return failure.status === status.UNAVAILABLE || failure.status === status.CANCELLED;
}

/**
 * The end of `command`, whose call failed at every endpoint that was asked; there is at least one.
 * `outcomeKnown` is what became of it, where the failures do not say.
 */
export function exitOf(
  command: string,
  purpose: Purpose,
  failures: readonly CallFailure[],
  outcomeKnown?: string,
): CallError {
  const outcomeToTell =
    outcomeKnown ?? (purpose === 'read' ? undefined : outcomeText(command, failures));
  const outcome = outcomeToTell === undefined ? '' : `; outcome: ${outcomeToTell}`;
  const told = failures.findLast((failure) => failure.wasSent);
  if (told === undefined) {
    const list = failures.map((each) => `${each.endpoint} (${oneLine(each.message)})`).join(', ');
    return new CallError(
      exitCodes.unreachable,
      `holdfast: ${command} failed: cannot reach ${list} [UNREACHABLE]${outcome}; ` +
        `hint: ${unreachableHint(failures.map(({ message }) => message))}`,
      failures,
    );
  }
  const hint = hintByCode[told.code as ErrorCode] ?? hintByStatus[told.status];
  const isUnknown = purpose === 'write' && told.outcome === 'unknown';
  return new CallError(
    isUnknown ? exitCodes.outcomeUnknown : exitCodes.failed,
    `holdfast: ${command} failed at ${told.endpoint}: ${briefly(told)}${outcome}` +
      (hint === undefined ? '' : `; hint: ${hint}`),
    failures,
  );
}

/** What to do about endpoints that cannot be reached for these reasons. */
export function unreachableHint(reasons: readonly string[]): string {
  return reasons.every((reason) => reason.startsWith('TLS: '))
    ? 'check --cacert, --cert and --key, and which hosts the members’ certificates are for'
    : 'check --endpoints and that the members run';
}

/** A failure in brief, as status and health list it beside its endpoint. */
export function briefly(failure: CallFailure): string {
  return `${oneLine(failure.message)} [${failure.code}]`;
}

function outcomeText(command: string, failures: readonly CallFailure[]): string {
  if (failures.every(({ outcome }) => outcome === 'rejected')) {
    return 'rejected: nothing was changed';
  }
  const look = keyCommands.includes(command) ? 'read the key' : 'look';
  return `unknown: it may have been applied; ${look} before retrying`;
}

/** What grpc-js says of a call for which no connection could be made. */
const neverConnected =
  /^No connection established\. Last error: (?:Error: )?(.*?)\. Resolution note: /;

/** gRPC's own texts list its inner stages; a person wants the time, or the cause. */
function messageOf({ details, message }: ServiceError): string {
  const [, seconds] = /^Deadline exceeded after ([\d.]+)s/.exec(details) ?? [];
  if (seconds !== undefined) {
    return `no answer within ${seconds} s`;
  }
  const [, cause] = neverConnected.exec(details) ?? [];
  return cause ?? (details === '' ? message : details);
}

function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, ' ');
}
