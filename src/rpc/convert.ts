/**
 * From wire requests to commands and from results to wire responses; the gate where 64-bit numbers
 * of clients are checked. Requests have passed `validate.ts`.
 */
import { KvError } from '../base/index.ts';
import type {
  Compare,
  DeleteRangeOperation,
  KeyValue,
  Operation,
  OperationResult,
  PutOperation,
  RangeOperation,
  RangeResult,
  SortOrder,
  SortTarget,
  TxnOperation,
  TxnResult,
} from '../kv/index.ts';
import type * as wire from '../wire/index.ts';

const sortOrders: Readonly<Record<string, SortOrder>> = {
  NONE: 'none',
  ASCEND: 'ascend',
  DESCEND: 'descend',
};
const sortTargets: Readonly<Record<string, SortTarget>> = {
  KEY: 'key',
  VERSION: 'version',
  CREATE: 'create',
  MOD: 'mod',
  VALUE: 'value',
};
const compareResults: Readonly<Record<string, Compare['result']>> = {
  EQUAL: 'equal',
  GREATER: 'greater',
  LESS: 'less',
  NOT_EQUAL: 'notEqual',
};

/**
 * A 64-bit number of a client that names something, as a number.
 *
 * @throws {KvError} INVALID_ARGUMENT — it is beyond the safe integers.
 */
export function toNumber(value: string, field: string): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) {
    throw new KvError('INVALID_ARGUMENT', {
      message: `etcdserver: ${field} ${value} is beyond ±(2^53-1)`,
    });
  }
  return number;
}

/**
 * A 64-bit number of a client that is only compared with numbers of the store: a revision, a count,
 * a bound. The store never gets beyond the safe integers, so what lies beyond them is taken for the
 * nearest one, and no answer changes.
 */
export function toBound(value: string): number {
  return Math.max(Number.MIN_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, Number(value)));
}

/** A range as the member reads it. */
export function toRange(request: wire.RangeRequest): RangeOperation {
  return {
    type: 'range',
    key: request.key,
    rangeEnd: toRangeEnd(request.range_end),
    limit: toBound(request.limit),
    revision: toBound(request.revision),
    sortOrder: sortOrders[request.sort_order] ?? 'none',
    sortTarget: sortTargets[request.sort_target] ?? 'key',
    keysOnly: request.keys_only,
    countOnly: request.count_only,
    noCount: request.no_count,
    minModRevision: toBound(request.min_mod_revision),
    maxModRevision: toBound(request.max_mod_revision),
    minCreateRevision: toBound(request.min_create_revision),
    maxCreateRevision: toBound(request.max_create_revision),
  };
}

/** A put as a command; its lease keeps all 64 bits. */
export function toPut(request: wire.PutRequest): PutOperation {
  return {
    type: 'put',
    key: request.key,
    value: request.value,
    lease: request.lease === '0' ? 0n : BigInt(request.lease),
    prevKv: request.prev_kv,
    ignoreValue: request.ignore_value,
    ignoreLease: request.ignore_lease,
    ttlMs: request.ttl_ms === '0' ? 0 : Number(request.ttl_ms),
    ttlRefreshOnWrite: request.ttl_refresh_on_write,
  };
}

/** A deletion as a command. */
export function toDeleteRange(request: wire.DeleteRangeRequest): DeleteRangeOperation {
  return {
    type: 'deleteRange',
    key: request.key,
    rangeEnd: toRangeEnd(request.range_end),
    prevKv: request.prev_kv,
  };
}

/**
 * A transaction as a command, with everything in it.
 *
 * @throws {KvError} INVALID_ARGUMENT — a compare's target or result is unknown.
 */
export function toTxn(request: wire.TxnRequest): TxnOperation {
  return {
    type: 'txn',
    compare: request.compare.map(toCompare),
    success: request.success.map(toOperation),
    failure: request.failure.map(toOperation),
  };
}

/** A key as clients see it. */
export function fromKeyValue(kv: KeyValue): wire.KeyValue {
  return {
    key: kv.key,
    create_revision: kv.createRevision,
    mod_revision: kv.modRevision,
    version: kv.version,
    value: kv.value,
    lease: kv.lease === 0n ? 0 : String(kv.lease),
    ttl_ms: kv.ttlMs,
  };
}

/** A range's response. */
export function fromRange(result: RangeResult, header: wire.ResponseHeader): wire.RangeResponse {
  return {
    header,
    kvs: result.kvs.map(fromKeyValue),
    more: result.more,
    count: result.count,
  };
}

/** A transaction's response; `revision` is the store's after it. */
export function fromTxn(
  result: TxnResult,
  header: wire.ResponseHeader,
  revision: number,
): wire.TxnResponse {
  // Each inner response tells the store's revision as it was for that operation.
  const progress = { revision: hasWritten(result) ? revision - 1 : revision, after: revision };
  return {
    header,
    succeeded: result.succeeded,
    responses: result.responses.map((response) => fromOperationResult(response, progress)),
  };
}

interface TxnProgress {
  revision: number;
  readonly after: number;
}

function fromOperationResult(result: OperationResult, progress: TxnProgress): wire.ResponseOp {
  if (result.type !== 'txn' && hasWritten(result)) {
    progress.revision = progress.after;
  }
  const header = { revision: progress.revision };
  switch (result.type) {
    case 'range':
      return { response_range: fromRange(result, header) };
    case 'put': {
      const prevKv = result.prevKv === undefined ? null : fromKeyValue(result.prevKv);
      return { response_put: { header, prev_kv: prevKv } };
    }
    case 'deleteRange':
      return {
        response_delete_range: {
          header,
          deleted: result.deleted,
          prev_kvs: result.prevKvs.map(fromKeyValue),
        },
      };
    case 'txn':
      return {
        response_txn: {
          header: {},
          succeeded: result.succeeded,
          responses: result.responses.map((response) => fromOperationResult(response, progress)),
        },
      };
  }
}

function hasWritten(result: OperationResult): boolean {
  switch (result.type) {
    case 'put':
      return true;
    case 'deleteRange':
      return result.deleted > 0;
    case 'range':
      return false;
    case 'txn':
      return result.responses.some(hasWritten);
  }
}

function toOperation(operation: wire.RequestOp): Operation {
  if (operation.request_range) {
    return toRange(operation.request_range);
  }
  if (operation.request_put) {
    return toPut(operation.request_put);
  }
  if (operation.request_delete_range) {
    return toDeleteRange(operation.request_delete_range);
  }
  if (operation.request_txn) {
    return toTxn(operation.request_txn);
  }
  throw new KvError('KEY_NOT_FOUND');
}

function toCompare(compare: wire.Compare): Compare {
  const result = compareResults[compare.result];
  if (result === undefined) {
    throw unknownCompare('result', compare.result);
  }
  const common = { key: compare.key, rangeEnd: toRangeEnd(compare.range_end), result };
  switch (compare.target) {
    case 'VERSION':
      return { target: 'version', operand: toBound(compare.version ?? '0'), ...common };
    case 'CREATE': {
      const operand = toBound(compare.create_revision ?? '0');
      return { target: 'create', operand, ...common };
    }
    case 'MOD': {
      const operand = toBound(compare.mod_revision ?? '0');
      return { target: 'mod', operand, ...common };
    }
    case 'VALUE':
      return { target: 'value', operand: compare.value ?? Buffer.alloc(0), ...common };
    case 'LEASE':
      return { target: 'lease', operand: BigInt(compare.lease ?? '0'), ...common };
    default:
      throw unknownCompare('target', compare.target);
  }
}

function unknownCompare(what: 'target' | 'result', number: unknown): KvError {
  return new KvError('INVALID_ARGUMENT', {
    message: `etcdserver: unknown compare ${what} ${String(number)}`,
  });
}

/** A range's end as the member takes it: none when the request names one key. */
export function toRangeEnd(rangeEnd: Buffer): Uint8Array | undefined {
  return rangeEnd.length === 0 ? undefined : rangeEnd;
}
