/**
 * Checks of requests that need no state: done before anything is proposed, in etcd's order, with
 * etcd's errors.
 */
import { KvError } from '../base/index.ts';
import type {
  DeleteRangeRequest,
  PutRequest,
  RangeRequest,
  RequestOp,
  TxnRequest,
} from '../wire/index.ts';
import { type KeyInterval, KeyIntervals } from './key-intervals.ts';

const sortOrders: readonly unknown[] = ['NONE', 'ASCEND', 'DESCEND'];
const sortTargets: readonly unknown[] = ['KEY', 'VERSION', 'CREATE', 'MOD', 'VALUE'];

/** @throws {KvError} EMPTY_KEY, INVALID_SORT_OPTION */
export function checkRangeRequest(request: RangeRequest): void {
  checkKey(request.key);
  if (!sortOrders.includes(request.sort_order) || !sortTargets.includes(request.sort_target)) {
    throw new KvError('INVALID_SORT_OPTION');
  }
}

/** Milliseconds; as much as a lease may last. */
const ttlMaxMs = 9_000_000_000_000n;

/** @throws {KvError} EMPTY_KEY, VALUE_PROVIDED, LEASE_PROVIDED, INVALID_ARGUMENT */
export function checkPutRequest(request: PutRequest): void {
  checkKey(request.key);
  if (request.ignore_value && request.value.length > 0) {
    throw new KvError('VALUE_PROVIDED');
  }
  if (request.ignore_lease && request.lease !== '0') {
    throw new KvError('LEASE_PROVIDED');
  }
  checkTtl(request);
}

function checkTtl({ ttl_ms: text, ttl_refresh_on_write: isRefreshed }: PutRequest): void {
  if (text === '0' && !isRefreshed) {
    return;
  }
  const ttlMs = BigInt(text);
  if (ttlMs < -1n || ttlMs > ttlMaxMs) {
    throw new KvError('INVALID_ARGUMENT', {
      message: `etcdserver: ttl_ms ${text} is neither -1 (to last) nor from 0 to ${ttlMaxMs}`,
    });
  }
  if (isRefreshed && ttlMs <= 0n) {
    throw new KvError('INVALID_ARGUMENT', {
      message: 'etcdserver: ttl_refresh_on_write needs a ttl_ms to refresh',
    });
  }
}

/** @throws {KvError} EMPTY_KEY */
export function checkDeleteRangeRequest(request: DeleteRangeRequest): void {
  checkKey(request.key);
}

/** How large a transaction may be. */
export interface TxnLimits {
  /** Compares, or operations of a branch; what a level uses is not left for the levels below it. */
  readonly txnOperationsMax: number;
  /** Levels of transactions within each other; the outermost counts as 1. */
  readonly txnDepthMax: number;
}

/**
 * Checks a transaction with everything in it.
 *
 * @throws {KvError} EMPTY_KEY, TOO_MANY_OPERATIONS, DUPLICATE_KEY, KEY_NOT_FOUND and those of its
 * operations
 */
export function checkTxnRequest(request: TxnRequest, limits: TxnLimits): void {
  checkTxnLevel(request, limits);
  collectWrites(request.success);
  collectWrites(request.failure);
}

function checkTxnLevel(request: TxnRequest, limits: TxnLimits): void {
  const { compare, success, failure } = request;
  const count = Math.max(compare.length, success.length, failure.length);
  if (count > limits.txnOperationsMax || limits.txnDepthMax < 1) {
    throw new KvError('TOO_MANY_OPERATIONS');
  }
  for (const { key } of compare) {
    checkKey(key);
  }
  const limitsBelow = {
    txnOperationsMax: limits.txnOperationsMax - count,
    txnDepthMax: limits.txnDepthMax - 1,
  };
  for (const operation of [...success, ...failure]) {
    checkOperation(operation, limitsBelow);
  }
}

function checkOperation(operation: RequestOp, limits: TxnLimits): void {
  if (operation.request_range) {
    checkRangeRequest(operation.request_range);
  } else if (operation.request_put) {
    checkPutRequest(operation.request_put);
  } else if (operation.request_delete_range) {
    checkDeleteRangeRequest(operation.request_delete_range);
  } else if (operation.request_txn) {
    checkTxnLevel(operation.request_txn, limits);
  } else {
    // An operation that says nothing; the text is etcd's.
    throw new KvError('KEY_NOT_FOUND');
  }
}

/**
 * What a list of operations, and all below them, change; keys as strings of one character a byte.
 */
interface Writes {
  readonly puts: ReadonlySet<string>;
  readonly deletes: KeyIntervals;
}

/**
 * A key may be changed once in a transaction: no two puts of it, no put into a deleted range. The
 * branches of a nested transaction exclude each other, so the same key may be put in both.
 */
function collectWrites(operations: readonly RequestOp[]): Writes {
  const puts = new Set<string>();
  let deletes = KeyIntervals.of(
    operations.flatMap(({ request_delete_range: request }) =>
      request ? [intervalOf(request)] : [],
    ),
  );
  const addPut = (key: string): void => {
    if (puts.has(key) || deletes.has(key)) {
      throw new KvError('DUPLICATE_KEY');
    }
    puts.add(key);
  };
  for (const { request_txn: txn } of operations) {
    if (txn) {
      const success = collectWrites(txn.success);
      const failure = collectWrites(txn.failure);
      for (const key of new Set([...success.puts, ...failure.puts])) {
        addPut(key);
      }
      deletes = deletes.with(success.deletes).with(failure.deletes);
    }
  }
  for (const { request_put: put } of operations) {
    if (put) {
      addPut(put.key.toString('latin1'));
    }
  }
  return { puts, deletes };
}

/**
 * The keys a deletion names, its range's end taken as it stands, as in etcd: one "from the key on",
 * whose end is the single byte 0, does not stand in the way of any put.
 */
function intervalOf(request: DeleteRangeRequest): KeyInterval {
  const key = request.key.toString('latin1');
  const isSingle = request.range_end.length === 0;
  return { start: key, end: isSingle ? `${key}\0` : request.range_end.toString('latin1') };
}

function checkKey(key: Buffer): void {
  if (key.length === 0) {
    throw new KvError('EMPTY_KEY');
  }
}

/** What an operation counts for besides its keys and value: about as much as in etcd's log. */
const operationBytes = 16;

/**
 * Checks that a put is no longer than a member takes. The limit is of a request, by whichever way
 * it comes and whatever comes with it; what surrounds it, as the name of a request, is bounded
 * elsewhere.
 *
 * @throws {KvError} REQUEST_TOO_LARGE
 */
export function checkPutBytes(request: PutRequest, bytesMax: number): void {
  checkBytes(putBytes(request), bytesMax);
}

/** As {@link checkPutBytes}, of a transaction with all its branches. @throws {KvError} */
export function checkTxnBytes(request: TxnRequest, bytesMax: number): void {
  checkBytes(txnBytes(request), bytesMax);
}

/** As {@link checkPutBytes}, of a deletion. @throws {KvError} */
export function checkDeleteRangeBytes(request: DeleteRangeRequest, bytesMax: number): void {
  checkBytes(rangeBytes(request), bytesMax);
}

function checkBytes(bytes: number, bytesMax: number): void {
  if (bytes > bytesMax) {
    throw new KvError('REQUEST_TOO_LARGE');
  }
}

function putBytes({ key, value }: PutRequest): number {
  return operationBytes + key.length + value.length;
}

function rangeBytes({ key, range_end: end }: { readonly key: Buffer; readonly range_end: Buffer }) {
  return operationBytes + key.length + end.length;
}

function txnBytes({ compare, success, failure }: TxnRequest): number {
  let bytes = operationBytes;
  for (const each of compare) {
    bytes += rangeBytes(each) + (each.target_union === 'value' ? (each.value?.length ?? 0) : 0);
  }
  for (const operation of [...success, ...failure]) {
    bytes += bytesOfOperation(operation);
  }
  return bytes;
}

function bytesOfOperation(operation: RequestOp): number {
  if (operation.request_put) {
    return putBytes(operation.request_put);
  }
  if (operation.request_txn) {
    return txnBytes(operation.request_txn);
  }
  const range = operation.request_range ?? operation.request_delete_range;
  return range ? rangeBytes(range) : operationBytes;
}
