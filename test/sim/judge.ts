/**
 * The history as an outsider's checker judges it: the same checker as the one for histories of real
 * clusters (`chaos/checkers/revision-order.ts`). It knows nothing of ledgers; it only sees what
 * clients asked and were told.
 */
import type { History } from '../../chaos/checkers/history.ts';
import { checkRevisionOrder } from '../../chaos/checkers/revision-order.ts';
import type {
  Compare,
  KeyValue,
  PartResult,
  StoreAnswer,
  StoreRequest,
  StoreResult,
  TxnPart,
} from '../../chaos/checkers/store.ts';
import type {
  Compare as KvCompare,
  KeyValue as KvKeyValue,
  Operation as KvOperation,
  ControlResult,
  OperationResult,
} from '../../src/kv/index.ts';
import { mapKeyOf } from '../../src/kv/key-layout.ts';
import { SafetyViolation } from './failure.ts';
import type { Operation } from './history.ts';

/**
 * Limit: how much the checker may try before it gives up; what it cannot decide it does not fail.
 */
const executionsMax = 60_000;

type StoreHistory = History<StoreRequest, StoreAnswer>;

/** Fails unless the history is linearizable; tells whether that could be decided. */
export function judgeHistory(history: readonly Operation[]): boolean {
  const result = checkRevisionOrder(storeHistoryOf(history), { executionsMax });
  if (result.verdict === 'violation') {
    const { kind, message, operations } = result.violation;
    const shown = operations.map((operation) => JSON.stringify(operation)).join('; ');
    throw new SafetyViolation('linearizability', `${kind}: ${message} ${shown}`);
  }
  return result.verdict === 'linearizable';
}

/** What may have had an effect, and what was read, in the checker's words. */
function storeHistoryOf(history: readonly Operation[]): StoreHistory {
  return history.flatMap((operation): StoreHistory => {
    const { client, outcome, invokedUs, completedUs } = operation;
    const input = requestOf(operation);
    const place = { process: client, call: invokedUs };
    if (input === undefined || outcome.kind === 'fail') {
      return [];
    }
    if (outcome.kind === 'unknown') {
      const isRead = operation.request.type === 'range';
      return isRead ? [] : [{ ...place, input, return: undefined, output: undefined }];
    }
    const answer =
      outcome.kind === 'read'
        ? { revision: outcome.revision, result: resultOf(outcome.result) }
        : outcome.result.kind === 'ok'
          ? { revision: outcome.result.revision, result: commandResultOf(outcome.result.result) }
          : undefined;
    if (answer?.result === undefined) {
      return [];
    }
    const output = { revision: answer.revision, result: answer.result };
    return [{ ...place, input, return: completedUs, output }];
  });
}

function requestOf({ request }: Operation): StoreRequest | undefined {
  if (request.type === 'range') {
    return { ...partOf(request.range), serializable: request.isSerializable };
  }
  const { command } = request;
  switch (command.type) {
    case 'put':
    case 'deleteRange':
      return partOf(command);
    case 'txn':
      return {
        type: 'txn',
        compare: command.compare.map(compareOf),
        success: command.success.map(partOf),
        failure: command.failure.map(partOf),
      };
    default:
      return undefined;
  }
}

function partOf<T extends KvOperation>(operation: T): TxnPart & { readonly type: T['type'] };
function partOf(operation: KvOperation): TxnPart {
  switch (operation.type) {
    case 'put': {
      const { key, value, prevKv } = operation;
      return { type: 'put', key: mapKeyOf(key), value: mapKeyOf(value), prevKv };
    }
    case 'deleteRange':
      return { type: 'deleteRange', ...selectorOf(operation), prevKv: operation.prevKv };
    case 'range':
      return { type: 'range', ...selectorOf(operation) };
    case 'txn':
      throw new Error('the workload nests no transactions');
  }
}

function selectorOf({ key, rangeEnd }: { key: Uint8Array; rangeEnd?: Uint8Array | undefined }): {
  readonly key: string;
  readonly rangeEnd?: string;
} {
  return rangeEnd === undefined
    ? { key: mapKeyOf(key) }
    : { key: mapKeyOf(key), rangeEnd: mapKeyOf(rangeEnd) };
}

function compareOf(compare: KvCompare): Compare {
  if (compare.target !== 'mod') {
    throw new Error(`the workload compares no ${compare.target}`);
  }
  const { target, result, operand } = compare;
  return { ...selectorOf(compare), target, result, operand };
}

function commandResultOf(result: OperationResult | ControlResult): StoreResult | undefined {
  switch (result.type) {
    case 'put':
    case 'deleteRange':
    case 'range':
    case 'txn':
      return resultOf(result);
    default:
      return undefined;
  }
}

function resultOf(result: OperationResult): StoreResult {
  if (result.type === 'txn') {
    const responses = result.responses.map((each) => resultOf(each) as PartResult);
    return { type: 'txn', succeeded: result.succeeded, responses };
  }
  switch (result.type) {
    case 'put':
      return { type: 'put', prevKv: result.prevKv === undefined ? undefined : kvOf(result.prevKv) };
    case 'deleteRange':
      return { ...result, prevKvs: result.prevKvs.map(kvOf) };
    case 'range':
      return { type: 'range', kvs: result.kvs.map(kvOf), count: result.count };
  }
}

function kvOf({ key, value, createRevision, modRevision, version }: KvKeyValue): KeyValue {
  return { key: mapKeyOf(key), value: mapKeyOf(value), createRevision, modRevision, version };
}
