/**
 * Executing one command against a batch: its checks, what it does, and the answer.
 */
import type { ErrorCode } from '../base/index.ts';
import { checkAlarms } from './alarms.ts';
import type { ApplyBatch } from './apply-batch.ts';
import { checkCaller } from './authorise.ts';
import type {
  AdvanceTimeCommand,
  AsCommand,
  AuthCommand,
  Command,
  CommandResult,
  ControlResult,
  LeaseGrantCommand,
  LeaseKeepAliveCommand,
  LeaseRevokeCommand,
  OnceCommand,
  PutOperation,
} from './command.ts';
import {
  executeAdvanceTime,
  executeGrant,
  executeKeepAlive,
  executeRevoke,
} from './lease-commands.ts';
import type { Reading } from './need.ts';
import type { CacheEntry } from './record-cache.ts';
import { checkBarePut, executeDeleteRange, executePut, executeTxn, type Refused } from './txn.ts';

/** Executes a bare put; `entry` is its key's. */
function executeBarePut(batch: ApplyBatch, put: PutOperation, entry: CacheEntry): CommandResult {
  const code = checkAlarms(batch.meta.alarms, put) ?? checkBarePut(put, entry, batch.leases);
  return code === undefined
    ? { kind: 'ok', result: executePut(batch, put, entry), revision: batch.finishCommand() }
    : { kind: 'refused', code, revision: batch.revision };
}

/**
 * Executes a put, bare or at most once, that nothing has to be read for; `entry` is its key's.
 * Undefined, with nothing changed that `execute` would not change, when something has to be, or the
 * command is no put. A computation that may stop midway takes several times the memory and time of
 * the put itself, and puts are most of what is written.
 */
export function maybeExecutePut(
  batch: ApplyBatch,
  command: Command,
  entry: CacheEntry,
): CommandResult | undefined {
  if (command.type === 'put') {
    return executeBarePut(batch, command, entry);
  }
  if (command.type !== 'once' || command.command.type !== 'put') {
    return undefined;
  }
  const attempt = batch.answers.maybeBegin(command);
  if (attempt === undefined) {
    return undefined;
  }
  if (attempt.kind === 'refused') {
    return { kind: 'refused', code: attempt.code, revision: batch.revision };
  }
  const result = executeBarePut(batch, command.command, entry);
  keepAnswer(batch, command, result, undefined);
  return result;
}

/** A command without its caller. */
type Bare = Exclude<Command, AsCommand>;

/** Executes a command whose keys' records have been loaded, if its caller may have that done. */
export function* execute(batch: ApplyBatch, command: Command): Reading<CommandResult> {
  const [asked, caller] =
    command.type === 'as' ? [command.command, command.caller] : [command, undefined];
  if (batch.auth.isEnabled) {
    const code = yield* checkCaller(batch, caller, asked);
    if (code !== undefined) {
      return { kind: 'refused', code, revision: batch.revision };
    }
  }
  return yield* carryOut(batch, asked, batch.auth.isEnabled ? caller?.user : undefined);
}

/** Executes a command that its caller may have done; `user` is undefined while nobody is asked. */
function* carryOut(
  batch: ApplyBatch,
  command: Bare,
  user: string | undefined,
): Reading<CommandResult> {
  if (command.type === 'once') {
    return yield* executeOnce(batch, command, user);
  }
  if (command.type === 'put') {
    return executeBarePut(batch, command, batch.entryOf(command.key));
  }
  const { revision } = batch;
  const alarmCode = checkAlarms(batch.meta.alarms, command);
  if (alarmCode !== undefined) {
    return { kind: 'refused', code: alarmCode, revision };
  }
  switch (command.type) {
    case 'deleteRange': {
      const result = yield* executeDeleteRange(batch, command);
      return { kind: 'ok', result, revision: batch.finishCommand() };
    }
    case 'txn': {
      const outcome = yield* executeTxn(batch, command, batch.leases);
      return 'kind' in outcome
        ? { ...outcome, revision }
        : { kind: 'ok', result: outcome, revision: batch.finishCommand() };
    }
    case 'compact': {
      const code = checkCompact(batch, command.revision);
      if (code !== undefined) {
        return { kind: 'refused', code, revision };
      }
      batch.compact(command.revision);
      return { kind: 'ok', result: { type: 'compact' }, revision };
    }
    case 'auth':
      return changeAuth(batch, command, user);
    case 'setRecord':
      batch.meta.setRecord(command);
      return { kind: 'ok', result: { type: 'setRecord' }, revision };
    case 'raiseLevel': {
      const level = batch.meta.raiseLevel(command.level);
      return { kind: 'ok', result: { type: 'raiseLevel', level }, revision };
    }
    case 'alarm': {
      const outcome = batch.meta.setAlarm(command);
      return outcome.kind === 'ok'
        ? { kind: 'ok', result: outcome.result, revision }
        : { ...outcome, revision };
    }
    default: {
      const outcome = yield* executeForTime(batch, command, user);
      return 'kind' in outcome
        ? { ...outcome, revision }
        : { kind: 'ok', result: outcome, revision: batch.finishCommand() };
    }
  }
}

function changeAuth(
  batch: ApplyBatch,
  { change }: AuthCommand,
  user: string | undefined,
): CommandResult {
  const { revision } = batch;
  const outcome = batch.meta.changeAuth(change, user);
  return outcome.kind === 'refused'
    ? { kind: 'refused', code: outcome.code, revision }
    : { kind: 'ok', result: { type: 'auth' }, revision };
}

/**
 * Executes a request at most once; another attempt of it, by the same user, is given the first
 * one's answer.
 */
function* executeOnce(
  batch: ApplyBatch,
  command: OnceCommand,
  user: string | undefined,
): Reading<CommandResult> {
  if (user !== undefined && command.id.type === 'session') {
    batch.claimLease(command.id.session, user);
  }
  const attempt = yield* batch.answers.begin(command, user);
  if (attempt.kind === 'repeated') {
    return attempt.result;
  }
  if (attempt.kind === 'refused') {
    return { ...attempt, revision: batch.revision };
  }
  const result = yield* carryOut(batch, command.command, user);
  keepAnswer(batch, command, result, user);
  return result;
}

function keepAnswer(
  batch: ApplyBatch,
  command: OnceCommand,
  result: CommandResult,
  user: string | undefined,
): void {
  // What an alarm turns away was not carried out: a later attempt may be.
  const isTurnedAway =
    result.kind === 'refused' && (result.code === 'NO_SPACE' || result.code === 'CORRUPT');
  if (!isTurnedAway) {
    batch.answers.keep(command, { user, result, index: batch.index });
  }
}

/** Executes what is about leases and time. */
function* executeForTime(
  batch: ApplyBatch,
  command: LeaseGrantCommand | LeaseRevokeCommand | LeaseKeepAliveCommand | AdvanceTimeCommand,
  user: string | undefined,
): Reading<ControlResult | Refused> {
  switch (command.type) {
    case 'leaseGrant':
      return executeGrant(batch, command, user);
    case 'leaseRevoke':
      return yield* executeRevoke(batch, command);
    case 'leaseKeepAlive':
      return executeKeepAlive(batch, command);
    case 'advanceTime':
      return yield* executeAdvanceTime(batch, command);
  }
}

/** Order of the checks as in etcd. */
function checkCompact(batch: ApplyBatch, revision: number): ErrorCode | undefined {
  if (revision <= batch.compactRevision) {
    return 'COMPACTED';
  }
  return revision > batch.revision ? 'FUTURE_REVISION' : undefined;
}
