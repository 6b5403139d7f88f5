/**
 * Whether somebody may do what a command asks for, judged where the command is applied: a
 * revocation that stands before it in the log counts, on every member alike.
 *
 * Nobody's commands are the members' own (stamps of the time, records, alarms, renewals gathered
 * from many, compactions) and always go through; everything else needs a caller once authentication
 * is on. A transaction is judged by all it might do: its conditions and both branches, at every
 * depth. A key that is put under a lease needs leave to write all keys of that lease, since they
 * end together (etcd's rule). A session is used by its owner alone (`session-owners.ts`).
 */
import { type ErrorCode, must } from '../base/index.ts';
import type { ApplyBatch } from './apply-batch.ts';
import type { Access } from './auth-table.ts';
import type { Caller } from './auth-command.ts';
import type { Command, Operation, PutOperation } from './command.ts';
import type { Reading } from './need.ts';
import { checkSessions, leasesOf } from './session-owners.ts';

/** Returns why a command may not be carried out on a caller's behalf, if so. */
export function* checkCaller(
  batch: ApplyBatch,
  caller: Caller | undefined,
  command: Command,
): Reading<ErrorCode | undefined> {
  if (caller === undefined && isMembersOwn(command)) {
    return undefined;
  }
  const access = batch.auth.accessOf(caller);
  if (typeof access === 'string') {
    return access;
  }
  if (!(yield* maySend(batch, access, command))) {
    return 'PERMISSION_DENIED';
  }
  const { user } = must(caller, 'a caller who is somebody');
  return checkSessions(batch, { user, isRoot: access.isRoot }, command);
}

function isMembersOwn({ type }: Command): boolean {
  return (
    type === 'advanceTime' ||
    type === 'raiseLevel' ||
    type === 'setRecord' ||
    type === 'alarm' ||
    type === 'leaseKeepAlive' ||
    type === 'compact'
  );
}

function* maySend(batch: ApplyBatch, access: Access, command: Command): Reading<boolean> {
  if (access.isRoot) {
    return true;
  }
  switch (command.type) {
    case 'put':
    case 'deleteRange':
    case 'txn':
      return mayOperate(access, command) && (yield* mayUseLeases(batch, access, command));
    case 'once':
      return yield* maySend(batch, access, command.command);
    case 'leaseGrant':
    case 'leaseKeepAlive':
      return true;
    case 'leaseRevoke':
      return yield* batch.mayWriteLease(access, command.id);
    default:
      return false;
  }
}

/** Whether an operation's own keys are permitted. */
function mayOperate(access: Access, operation: Operation): boolean {
  switch (operation.type) {
    case 'range':
      return access.mayRead(operation);
    case 'put':
      return mayPut(access, operation);
    case 'deleteRange':
      return access.mayWrite(operation) && (!operation.prevKv || access.mayRead(operation));
    case 'txn':
      return (
        operation.compare.every((compare) => access.mayRead(compare)) &&
        operation.success.every((each) => mayOperate(access, each)) &&
        operation.failure.every((each) => mayOperate(access, each))
      );
  }
}

/** The answer of a put that asks for it, and one that keeps the value, tell or copy what was. */
function mayPut(access: Access, { key, prevKv }: PutOperation): boolean {
  return access.mayWrite({ key }) && (!prevKv || access.mayRead({ key }));
}

function* mayUseLeases(batch: ApplyBatch, access: Access, operation: Operation): Reading<boolean> {
  for (const lease of leasesOf(operation)) {
    if (!(yield* batch.mayWriteLease(access, lease))) {
      return false;
    }
  }
  return true;
}
