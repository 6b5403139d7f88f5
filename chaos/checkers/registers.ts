/**
 * Linearizability of single keys by search, without a look at revisions: the second opinion beside
 * `store-order.ts`, by another algorithm.
 */
import { type Finding, type HistoryView, isStoreRequest } from './history-view.ts';
import type { Operation } from './history.ts';
import { checkLinearizability } from './linearizability.ts';
import { type RegisterInput, registerModel, type RegisterOutput } from './models.ts';
import type { CallRecord } from '../history.ts';
import { describeViolation } from './timeline.ts';

type RegisterOperation = Operation<RegisterInput, RegisterOutput>;

const check = 'linearizability of single keys';

/** Bounds in work, not in time, so that a verdict depends on the history alone. */
const bounds = {
  clock: { nowMs: () => 0 },
  timeMsMax: 1,
  cachedStatesMax: 2_000_000,
};

/** Checks every key that was used as a register: by reads, writes and compare-and-sets. */
export function checkRegisters(view: HistoryView): readonly Finding[] {
  const model = registerModel(null);
  const idByOperation = new Map<string, number>();
  const operations: RegisterOperation[] = [];
  for (const call of view.calls) {
    const operation = registerOperationOf(call);
    if (operation !== undefined) {
      operations.push(operation);
      idByOperation.set(keyOf(operation), call.id);
    }
  }
  const result = checkLinearizability(operations, model, bounds);
  switch (result.verdict) {
    case 'linearizable':
      return [];
    case 'undecided':
      return [{ check, kind: 'undecided', message: `the search met ${result.bound}`, calls: [] }];
    case 'violation': {
      const { violation } = result;
      return [
        {
          check,
          kind: 'violation',
          message: describeViolation(violation, model),
          calls: violation.operations.flatMap((each) => idByOperation.get(keyOf(each)) ?? []),
        },
      ];
    }
  }
}

function keyOf({ process, call }: RegisterOperation): string {
  return `${process} ${call}`;
}

function registerOperationOf(call: CallRecord): RegisterOperation | undefined {
  const { request, result, process, callMs, returnMs, outcome } = call;
  if (outcome === 'fail' || !isStoreRequest(request)) {
    return undefined;
  }
  const input = inputOf(request);
  if (input === undefined) {
    return undefined;
  }
  const common = { process, call: callMs, input };
  if (outcome === 'unknown' || result === undefined) {
    return { ...common, return: undefined, output: undefined };
  }
  const output: RegisterOutput =
    result.type === 'range'
      ? { type: 'read', value: result.kvs[0]?.value ?? null }
      : result.type === 'txn'
        ? { type: 'cas', succeeded: result.succeeded }
        : { type: 'written' };
  return { ...common, return: returnMs, output };
}

function inputOf(request: CallRecord['request']): RegisterInput | undefined {
  switch (request.type) {
    case 'range':
      return request.serializable === true ||
        request.revision !== undefined ||
        request.rangeEnd !== undefined
        ? undefined
        : { type: 'read', key: request.key };
    case 'put':
      return { type: 'write', key: request.key, value: request.value };
    case 'txn': {
      const [compare] = request.compare;
      const [put] = request.success;
      return compare?.target === 'value' && put?.type === 'put'
        ? { type: 'cas', key: put.key, expected: compare.operand, value: put.value }
        : undefined;
    }
    default:
      return undefined;
  }
}
