/**
 * Executing commands against a batch: puts, deletions and transactions, with etcd's rules.
 *
 * A transaction runs in three steps. All its conditions, those of nested transactions on the taken
 * path included, are decided on the state before it. Then everything that could refuse it is
 * checked, so that a refused transaction has changed nothing. Then its operations run in order;
 * they share one revision, told apart by `sub`, and each sees what those before it did.
 */
import {
  assert,
  compareBytes,
  emptyBytes,
  type ErrorCode,
  must,
  unreachable,
} from '../base/index.ts';
import { hasAlarm } from './alarms.ts';
import type { ApplyBatch } from './apply-batch.ts';
import type {
  Compare,
  DeleteRangeOperation,
  DeleteRangeResult,
  KeyValue,
  LeaseId,
  Operation,
  OperationResult,
  PutOperation,
  PutResult,
  RangeOperation,
  RangeResult,
  TxnOperation,
  TxnResult,
} from './command.ts';
import { isPoint } from './key-layout.ts';
import { inPieces, type Reading } from './need.ts';
import { rangeQuery, visitRange } from './range.ts';
import { type MvccRecord, recordToKeyValue, withoutValue } from './record.ts';
import type { CacheEntry } from './record-cache.ts';

/** Tells which leases a put may name. */
export interface LeaseLookup {
  hasLease(lease: LeaseId): boolean;
}

/** A command that was refused and has changed nothing. */
export interface Refused {
  readonly kind: 'refused';
  readonly code: ErrorCode;
}

const plainPut: PutResult = { type: 'put' };

/** Executes a put; `entry` is its key's. */
export function executePut(batch: ApplyBatch, put: PutOperation, entry: CacheEntry): PutResult {
  const { record } = entry;
  const old = record === undefined || record.isTombstone ? undefined : record;
  // When a put ignores something, the checks have seen a live key. An earlier operation of the same
  // transaction may have deleted it since, where the duplicate-key rule does not see the pair
  // (across nested transactions, or a deletion that has no end). etcd panics there; here the put
  // goes on as if the old value were empty.
  const keepsTtl = put.ttlMs === 0 && old?.refreshesTtl === true;
  batch.put(entry, put.key, {
    value: put.ignoreValue ? (old?.value ?? emptyBytes) : put.value,
    lease: put.ignoreLease ? (old?.lease ?? 0n) : put.lease,
    ttlMs: keepsTtl ? old.ttlMs : Math.max(0, put.ttlMs),
    refreshesTtl: keepsTtl || put.ttlRefreshOnWrite,
  });
  return put.prevKv && old !== undefined
    ? { type: 'put', prevKv: recordToKeyValue(put.key, old) }
    : plainPut;
}

/** Returns why a put cannot be executed, if so. A bare put asks for its lease first, as in etcd. */
export function checkBarePut(
  put: PutOperation,
  entry: CacheEntry,
  leases: LeaseLookup,
): ErrorCode | undefined {
  if (put.lease !== 0n && !leases.hasLease(put.lease)) {
    return 'LEASE_NOT_FOUND';
  }
  return isMissingOld(put, entry.record) ? 'KEY_NOT_FOUND' : undefined;
}

function isMissingOld(put: PutOperation, record: MvccRecord | undefined): boolean {
  const isLive = record !== undefined && !record.isTombstone;
  return (put.ignoreValue || put.ignoreLease) && !isLive;
}

/** Executes a deletion. */
export function* executeDeleteRange(
  batch: ApplyBatch,
  operation: DeleteRangeOperation,
): Reading<DeleteRangeResult> {
  const found: { readonly key: Uint8Array; readonly record: MvccRecord }[] = [];
  const state = { revision: batch.readRevision, overlay: batch };
  // The values of a range may be far more than memory holds, and a deletion has no use for them.
  const kept = operation.prevKv || isPoint(operation) ? sameRecord : withoutValue;
  yield* visitRange(operation, state, (key, read) => {
    found.push({ key, record: kept(read()) });
  });
  yield* inPieces(found, function* deletePiece(piece): Reading<void> {
    const timed = piece.filter(({ record }) => record.ttlMs > 0);
    yield* batch.loadExpiries(timed.map(({ key }) => key));
    for (const { key, record } of piece) {
      batch.deleteScanned(key, record);
    }
  });
  const prevKvs: KeyValue[] = operation.prevKv
    ? found.map(({ key, record }) => recordToKeyValue(key, record))
    : [];
  return { type: 'deleteRange', deleted: found.length, prevKvs };
}

function sameRecord(record: MvccRecord): MvccRecord {
  return record;
}

/** Executes a transaction, or refuses it untouched. */
export function* executeTxn(
  batch: ApplyBatch,
  txn: TxnOperation,
  leases: LeaseLookup,
): Reading<TxnResult | Refused> {
  const decisions: Decisions = new Map();
  yield* decide(batch, txn, decisions);
  if (hasAlarm(batch.meta.alarms, 'nospace') && hasPut(txn, decisions)) {
    return { kind: 'refused', code: 'NO_SPACE' };
  }
  const code = checkPuts(batch, txn, decisions, leases) ?? checkRanges(batch, txn, decisions);
  if (code !== undefined) {
    return { kind: 'refused', code };
  }
  return yield* executeBranch(batch, txn, decisions);
}

/** Whether the conditions of each transaction on the taken path hold. */
type Decisions = Map<TxnOperation, boolean>;

function takenBranch(txn: TxnOperation, decisions: Decisions): readonly Operation[] {
  return must(decisions.get(txn), 'the decision of a transaction on the taken path')
    ? txn.success
    : txn.failure;
}

function* decide(batch: ApplyBatch, txn: TxnOperation, decisions: Decisions): Reading<void> {
  let holds = true;
  for (const compare of txn.compare) {
    holds = isPoint(compare)
      ? holdsFor(compare, batch.liveRecord(compare.key))
      : yield* holdsForRange(batch, compare);
    if (!holds) {
      break;
    }
  }
  decisions.set(txn, holds);
  for (const operation of takenBranch(txn, decisions)) {
    if (operation.type === 'txn') {
      yield* decide(batch, operation, decisions);
    }
  }
}

/**
 * Over a range a condition holds when it does for every key; with no key, as for one missing key.
 */
function* holdsForRange(batch: ApplyBatch, compare: Compare): Reading<boolean> {
  let count = 0;
  let holds = true;
  const state = { revision: batch.readRevision, overlay: batch };
  yield* visitRange(compare, state, (_key, read) => {
    count++;
    holds &&= holdsFor(compare, read());
  });
  return count === 0 ? holdsFor(compare, undefined) : holds;
}

/** A missing key has 0 for every number, and no value: comparing it with one never holds. */
function holdsFor(compare: Compare, record: MvccRecord | undefined): boolean {
  switch (compare.target) {
    case 'value':
      return (
        record !== undefined && holdsOrder(compare, compareBytes(record.value, compare.operand))
      );
    case 'version':
      return holdsOrder(compare, (record?.version ?? 0) - compare.operand);
    case 'create':
      return holdsOrder(compare, (record?.createRevision ?? 0) - compare.operand);
    case 'mod':
      return holdsOrder(compare, (record?.main ?? 0) - compare.operand);
    case 'lease': {
      const lease = record?.lease ?? 0n;
      const { operand } = compare;
      return holdsOrder(compare, lease < operand ? -1 : lease > operand ? 1 : 0);
    }
    default:
      return unreachable(compare);
  }
}

function holdsOrder(compare: Compare, order: number): boolean {
  switch (compare.result) {
    case 'equal':
      return order === 0;
    case 'notEqual':
      return order !== 0;
    case 'greater':
      return order > 0;
    case 'less':
      return order < 0;
  }
}

/** Whether anything on the taken path is a put, which could make the store grow. */
function hasPut(txn: TxnOperation, decisions: Decisions): boolean {
  return takenBranch(txn, decisions).some((operation) => {
    return operation.type === 'txn' ? hasPut(operation, decisions) : operation.type === 'put';
  });
}

/**
 * Within a transaction a put asks for its key first, and all puts come before all ranges, as in
 * etcd.
 */
function checkPuts(
  batch: ApplyBatch,
  txn: TxnOperation,
  decisions: Decisions,
  leases: LeaseLookup,
): ErrorCode | undefined {
  for (const operation of takenBranch(txn, decisions)) {
    let code: ErrorCode | undefined;
    if (operation.type === 'txn') {
      code = checkPuts(batch, operation, decisions, leases);
    } else if (operation.type === 'put') {
      if (isMissingOld(operation, batch.liveRecord(operation.key))) {
        code = 'KEY_NOT_FOUND';
      } else if (operation.lease !== 0n && !leases.hasLease(operation.lease)) {
        code = 'LEASE_NOT_FOUND';
      }
    }
    if (code !== undefined) {
      return code;
    }
  }
  return undefined;
}

function checkRanges(
  batch: ApplyBatch,
  txn: TxnOperation,
  decisions: Decisions,
): ErrorCode | undefined {
  for (const operation of takenBranch(txn, decisions)) {
    let code: ErrorCode | undefined;
    if (operation.type === 'txn') {
      code = checkRanges(batch, operation, decisions);
    } else if (operation.type === 'range') {
      code = checkRangeRevision(operation.revision, batch);
    }
    if (code !== undefined) {
      return code;
    }
  }
  return undefined;
}

/**
 * Unlike a bare range, one in a transaction does not take a negative revision for "none", as in
 * etcd.
 */
function checkRangeRevision(revision: number, batch: ApplyBatch): ErrorCode | undefined {
  if (revision === 0) {
    return undefined;
  }
  if (revision > batch.revision) {
    return 'FUTURE_REVISION';
  }
  return revision < batch.compactRevision ? 'COMPACTED' : undefined;
}

function* executeBranch(
  batch: ApplyBatch,
  txn: TxnOperation,
  decisions: Decisions,
): Reading<TxnResult> {
  const responses: OperationResult[] = [];
  for (const operation of takenBranch(txn, decisions)) {
    switch (operation.type) {
      case 'put':
        responses.push(executePut(batch, operation, batch.entryOf(operation.key)));
        break;
      case 'deleteRange':
        responses.push(yield* executeDeleteRange(batch, operation));
        break;
      case 'range':
        responses.push(yield* executeRange(batch, operation));
        break;
      case 'txn':
        responses.push(yield* executeBranch(batch, operation, decisions));
        break;
    }
  }
  const succeeded = must(decisions.get(txn), 'the decision of a transaction on the taken path');
  return { type: 'txn', succeeded, responses };
}

function* executeRange(batch: ApplyBatch, range: RangeOperation): Reading<RangeResult> {
  const at = { revision: batch.readRevision, compactRevision: batch.compactRevision };
  const outcome = yield* rangeQuery(range, at, batch);
  assert(outcome.kind === 'ok', 'a range that was checked beforehand is not refused');
  return outcome.result;
}
