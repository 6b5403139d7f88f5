/**
 * Commands of the state machine and their results, as data.
 *
 * A command is what a log entry carries and every member applies; its encoding is versioned
 * (`command-codec.ts`). Checks that need no state are done before a command is proposed
 * (`rpc/validate.ts`).
 */
import type { ErrorCode } from '../base/index.ts';
import type { AuthCommand, AuthResult, Caller } from './auth-command.ts';
import type { KeySelector } from './key-selector.ts';

export * from './auth-command.ts';
export type { KeySelector } from './key-selector.ts';

/** A lease's id, as the client chose it: any 64-bit integer; 0n means "no lease". */
export type LeaseId = bigint;

/** As a put's `ttlMs`: the key is to last without end. */
export const ttlNone = -1;

/** A key's state as clients see it. */
export interface KeyValue {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  /**
   * Revision of the key's creation, of its last change, and the number of changes since creation.
   */
  readonly createRevision: number;
  readonly modRevision: number;
  readonly version: number;
  readonly lease: LeaseId;
  /** Milliseconds that the key lasts from its last change on; 0 when it has no time to live. */
  readonly ttlMs: number;
}

/**
 * Writes one key. `ignoreValue` and `ignoreLease` keep what the key has; `lease` 0 is none;
 * `prevKv` asks for what was there before.
 *
 * `ttlMs` is how long the key is to last from now on; `ttlNone` is without end; 0 says nothing:
 * then a key whose time to live is refreshed on write begins its time anew, any other key is to
 * last without end.
 */
export interface PutOperation {
  readonly type: 'put';
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly lease: LeaseId;
  readonly prevKv: boolean;
  readonly ignoreValue: boolean;
  readonly ignoreLease: boolean;
  readonly ttlMs: number;
  /** Of a put with a time to live: later puts that say nothing of it begin it anew. */
  readonly ttlRefreshOnWrite: boolean;
}

/** Deletes the keys selected; `prevKv` asks for what they were. */
export interface DeleteRangeOperation extends KeySelector {
  readonly type: 'deleteRange';
  readonly prevKv: boolean;
}

/** What a range's result is sorted by. */
export type SortTarget = 'key' | 'version' | 'create' | 'mod' | 'value';
/** How a range's result is sorted; `none` is the order of keys. */
export type SortOrder = 'none' | 'ascend' | 'descend';

/** A read. Revisions of 0 mean "not given"; `limit` 0 means no limit. */
export interface RangeOperation extends KeySelector {
  readonly type: 'range';
  readonly limit: number;
  readonly revision: number;
  readonly sortOrder: SortOrder;
  readonly sortTarget: SortTarget;
  readonly keysOnly: boolean;
  readonly countOnly: boolean;
  /** `count` is of no use, and 0; `countOnly` overrules it. */
  readonly noCount: boolean;
  readonly minModRevision: number;
  readonly maxModRevision: number;
  readonly minCreateRevision: number;
  readonly maxCreateRevision: number;
}

/**
 * One condition; over a range it must hold for every key in it, and holds for none (except as etcd
 * says).
 */
export type Compare = KeySelector & {
  readonly result: 'equal' | 'greater' | 'less' | 'notEqual';
} & (
    | { readonly target: 'version' | 'create' | 'mod'; readonly operand: number }
    | { readonly target: 'value'; readonly operand: Uint8Array }
    | { readonly target: 'lease'; readonly operand: LeaseId }
  );

/**
 * If all of `compare` hold then `success` else `failure`; operations take effect in order, as one
 * revision.
 */
export interface TxnOperation {
  readonly type: 'txn';
  readonly compare: readonly Compare[];
  readonly success: readonly Operation[];
  readonly failure: readonly Operation[];
}

/** What may stand in a transaction. */
export type Operation = PutOperation | DeleteRangeOperation | RangeOperation | TxnOperation;

/** Forgets history up to and including `revision`, but for each key's newest change in it. */
export interface CompactCommand {
  readonly type: 'compact';
  readonly revision: number;
}

/**
 * Sets an opaque record that members share besides the keyspace; an empty value removes it. It has
 * no revision.
 */
export interface SetRecordCommand {
  readonly type: 'setRecord';
  /** 1 to `recordNameBytesMax` printable ASCII characters without spaces. */
  readonly name: string;
  /** At most `recordValueBytesMax` bytes. */
  readonly value: Uint8Array;
}

/**
 * What an alarm says: that a member's disk quota is used up, or that a member's state has turned
 * out to be wrong.
 */
export type AlarmType = 'nospace' | 'corrupt';

/** An active alarm of one member. */
export interface Alarm {
  readonly memberId: number;
  readonly alarm: AlarmType;
}

/** Raises or lifts an alarm; either may be repeated without effect. */
export interface AlarmCommand extends Alarm {
  readonly type: 'alarm';
  readonly action: 'activate' | 'deactivate';
}

/** Begins a lease. */
export interface LeaseGrantCommand {
  readonly type: 'leaseGrant';
  readonly id: LeaseId;
  /** Milliseconds that it lasts from its last renewal on; positive. */
  readonly ttlMs: number;
}

/** Ends a lease before its time, and deletes the keys attached to it. */
export interface LeaseRevokeCommand {
  readonly type: 'leaseRevoke';
  readonly id: LeaseId;
}

/** Begins the time of leases anew; at most `keepAliveLeasesMax` of them. */
export interface LeaseKeepAliveCommand {
  readonly type: 'leaseKeepAlive';
  readonly ids: readonly LeaseId[];
}

/** A stamp of the cluster's time, which only the leader makes; what is due by then ends. */
export interface AdvanceTimeCommand {
  readonly type: 'advanceTime';
  readonly timeMs: number;
  /** Milliseconds for which answers under idempotency keys are kept, at least. */
  readonly keepAnswersMs: number;
}

/** Raises the cluster's feature level; one that is reached already stays (`feature-level.ts`). */
export interface RaiseLevelCommand {
  readonly type: 'raiseLevel';
  readonly level: number;
}

/** Commands that stay possible whatever alarms are active. */
export type ControlCommand =
  | SetRecordCommand
  | AlarmCommand
  | LeaseKeepAliveCommand
  | AdvanceTimeCommand
  | RaiseLevelCommand;

/** What may be asked for on somebody's behalf. */
export type AskedCommand =
  | PutOperation
  | DeleteRangeOperation
  | TxnOperation
  | CompactCommand
  | LeaseGrantCommand
  | LeaseRevokeCommand
  | OnceCommand
  | AlarmCommand
  | AuthCommand;

/** Does something on somebody's behalf, if that may be done (`authorise.ts`). */
export interface AsCommand {
  readonly type: 'as';
  readonly caller: Caller;
  readonly command: AskedCommand;
}

/** Returns the command as somebody asks for it; what members do by themselves stays as it is. */
export function askedBy(caller: Caller | undefined, command: Command): Command {
  if (caller === undefined) {
    return command;
  }
  switch (command.type) {
    case 'as':
    case 'setRecord':
    case 'leaseKeepAlive':
    case 'advanceTime':
    case 'raiseLevel':
      return command;
    default:
      return { type: 'as', caller, command };
  }
}

/** What a log entry may carry. */
export type Command = AskedCommand | ControlCommand | AsCommand;

/** What a put gives back: the key as it was before, if it was asked for and there was one. */
export interface PutResult {
  readonly type: 'put';
  readonly prevKv?: KeyValue | undefined;
}

/** How many keys a deletion removed and, if asked for, what they were. */
export interface DeleteRangeResult {
  readonly type: 'deleteRange';
  readonly deleted: number;
  readonly prevKvs: readonly KeyValue[];
}

/**
 * The keys of a range after filters, order and limit; `count` is of all keys selected, `more` tells
 * that the limit left some out.
 */
export interface RangeResult {
  readonly type: 'range';
  readonly kvs: readonly KeyValue[];
  readonly more: boolean;
  readonly count: number;
}

/** Which branch a transaction took, and what each of its operations gave, in order. */
export interface TxnResult {
  readonly type: 'txn';
  readonly succeeded: boolean;
  readonly responses: readonly OperationResult[];
}

/** A compaction gives nothing back but its revision. */
export interface CompactResult {
  readonly type: 'compact';
}

/** Setting a record gives nothing back. */
export interface SetRecordResult {
  readonly type: 'setRecord';
}

/** The alarm that a command has raised, found raised or lifted; none if there was none to lift. */
export interface AlarmResult {
  readonly type: 'alarm';
  readonly alarms: readonly Alarm[];
}

/** The lease that was granted. */
export interface LeaseGrantResult {
  readonly type: 'leaseGrant';
  readonly id: LeaseId;
  readonly ttlMs: number;
}

/** A revocation gives nothing back. */
export interface LeaseRevokeResult {
  readonly type: 'leaseRevoke';
}

/** In the order of the ids: a lease's full time, milliseconds; 0 when there is no such lease. */
export interface LeaseKeepAliveResult {
  readonly type: 'leaseKeepAlive';
  readonly ttlsMs: readonly number[];
}

/** How many leases, and keys with a time to live, have ended. */
export interface AdvanceTimeResult {
  readonly type: 'advanceTime';
  readonly ended: number;
}

/** The level that the cluster is at now. */
export interface RaiseLevelResult {
  readonly type: 'raiseLevel';
  readonly level: number;
}

/** A request of a session (Raft thesis §6.3). */
export interface SessionRequest {
  readonly type: 'session';
  /** The session is a lease: it ends with it. */
  readonly session: LeaseId;
  /** Numbers the session's requests, from 1 on; in whatever order they arrive. */
  readonly sequence: number;
  /** All answers to lower numbers have arrived, and need not be kept; at most `sequence`. */
  readonly lowestUnanswered: number;
}

/** A request under a key that its caller has chosen. */
export interface KeyedRequest {
  readonly type: 'key';
  /** 1 to `idempotencyKeyBytesMax` bytes. */
  readonly key: Uint8Array;
}

/** What makes two attempts the same request. */
export type RequestId = SessionRequest | KeyedRequest;

/** What can be asked for at most once. */
export type OnceOperation = PutOperation | DeleteRangeOperation | TxnOperation | LeaseGrantCommand;

/**
 * Takes effect at most once, however often it stands in the log: the first answer is kept, and
 * repeated (G4).
 */
export interface OnceCommand {
  readonly type: 'once';
  readonly id: RequestId;
  /** 64 bits of what the caller asked for, to tell it from other requests (`fingerprintOf`). */
  readonly fingerprint: bigint;
  readonly command: OnceOperation;
}

/** What a command gives back that is no operation of the keyspace. */
export type ControlResult =
  | CompactResult
  | SetRecordResult
  | AlarmResult
  | LeaseGrantResult
  | LeaseRevokeResult
  | LeaseKeepAliveResult
  | AdvanceTimeResult
  | RaiseLevelResult
  | AuthResult;

/** What one operation of a transaction, or a command of its own, gives back. */
export type OperationResult = PutResult | DeleteRangeResult | RangeResult | TxnResult;

/**
 * The outcome of one applied command; `revision` is the store's after it (the response header's).
 */
export type CommandResult =
  | {
      readonly kind: 'ok';
      readonly revision: number;
      readonly result: OperationResult | ControlResult;
      /** Given before, to an earlier attempt; this one has changed nothing. */
      readonly isRepeated?: true;
    }
  /** Refused by the state machine: the command changed nothing, on any member. */
  | { readonly kind: 'refused'; readonly revision: number; readonly code: ErrorCode };
