/**
 * Executing what the log says about time: leases' grants, renewals and ends, and stamps.
 *
 * A lease ends by a committed entry alone: its revocation, or a stamp of the cluster's time at or
 * after its deadline. All keys attached to it are deleted as one revision. A key that has a time to
 * live of its own ends by a stamp, as a revision of its own. A stamp does a bounded amount of work,
 * leases first; what is left is due at the next one, so that much that ends at once does not hold
 * up other commands.
 */
import type { ErrorCode } from '../base/index.ts';
import { hasAlarm } from './alarms.ts';
import type { ApplyBatch } from './apply-batch.ts';
import type {
  AdvanceTimeCommand,
  AdvanceTimeResult,
  LeaseGrantCommand,
  LeaseGrantResult,
  LeaseId,
  LeaseKeepAliveCommand,
  LeaseKeepAliveResult,
  LeaseRevokeCommand,
  LeaseRevokeResult,
} from './command.ts';
import type { Reading } from './need.ts';
import type { Refused } from './txn.ts';

/** Limit: work of one stamp; a lease counts 1, and each of its keys. */
const workPerStampMax = 256;
/** What looking for a lease's keys counts. */
const lookupWork = 8;

/** Begins a lease; `user` is undefined while nobody is asked. */
export function executeGrant(
  batch: ApplyBatch,
  { id, ttlMs }: LeaseGrantCommand,
  user: string | undefined,
): LeaseGrantResult | Refused {
  const code = checkGrant(batch, id);
  if (code !== undefined) {
    return { kind: 'refused', code };
  }
  batch.grantLease(id, ttlMs, user);
  return { type: 'leaseGrant', id, ttlMs };
}

function checkGrant(batch: ApplyBatch, id: LeaseId): ErrorCode | undefined {
  return batch.leases.hasLease(id) ? 'LEASE_EXISTS' : undefined;
}

/** Ends a lease before its time. */
export function* executeRevoke(
  batch: ApplyBatch,
  { id }: LeaseRevokeCommand,
): Reading<LeaseRevokeResult | Refused> {
  if (!batch.leases.hasLease(id)) {
    return { kind: 'refused', code: 'LEASE_NOT_FOUND' };
  }
  yield* batch.endLease(id, false);
  return { type: 'leaseRevoke' };
}

/** Begins the time of leases anew. */
export function executeKeepAlive(
  batch: ApplyBatch,
  { ids }: LeaseKeepAliveCommand,
): LeaseKeepAliveResult {
  return { type: 'leaseKeepAlive', ttlsMs: ids.map((id) => batch.renewLease(id)) };
}

/** Moves the cluster's time on, and ends what is due. It never goes back. */
export function* executeAdvanceTime(
  batch: ApplyBatch,
  { timeMs, keepAnswersMs }: AdvanceTimeCommand,
): Reading<AdvanceTimeResult> {
  batch.advanceTime(timeMs);
  // A state that is known to be wrong must not change by itself either.
  const ended = hasAlarm(batch.meta.alarms, 'corrupt')
    ? 0
    : yield* endWhatIsDue(batch, batch.timeMs - keepAnswersMs);
  return { type: 'advanceTime', ended };
}

function* endWhatIsDue(batch: ApplyBatch, forgetBeforeMs: number): Reading<number> {
  let ended = 0;
  let work = 0;
  for (; work < workPerStampMax; ended++) {
    const due = batch.leases.firstDue(batch.timeMs);
    if (due === undefined) {
      break;
    }
    work += due.mayHoldKeys ? lookupWork : 1;
    work += yield* batch.endLease(due.id, true);
    batch.finishCommand();
  }
  if (work < workPerStampMax) {
    const keys = yield* batch.dueKeys(workPerStampMax - work);
    for (const key of keys) {
      batch.expire(key);
      batch.finishCommand();
    }
    ended += keys.length;
    work += keys.length;
  }
  yield* batch.answers.forget(forgetBeforeMs, workPerStampMax - work);
  return ended;
}
