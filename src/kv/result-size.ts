/**
 * How much memory a result takes. Transactions and deletions may tell of much, and what a batch has
 * told of is in memory until the batch is at its end.
 */
import type { CommandResult, ControlResult, KeyValue, OperationResult } from './command.ts';

/** What a key takes besides its bytes and its value's: an object and two views. An estimate. */
const keyValueOverheadBytes = 300;

/** Returns about how many bytes a result takes; 0 for one that tells of no key. */
export function resultBytes(result: CommandResult): number {
  return result.kind === 'ok' ? bytesOf(result.result) : 0;
}

function bytesOf(result: OperationResult | ControlResult): number {
  switch (result.type) {
    case 'put':
      return result.prevKv === undefined ? 0 : keyValueBytes(result.prevKv);
    case 'deleteRange':
      return sumOf(result.prevKvs, keyValueBytes);
    case 'range':
      return sumOf(result.kvs, keyValueBytes);
    case 'txn':
      return sumOf(result.responses, bytesOf);
    default:
      return 0;
  }
}

function keyValueBytes({ key, value }: KeyValue): number {
  return keyValueOverheadBytes + key.length + value.length;
}

function sumOf<T>(items: readonly T[], bytes: (item: T) => number): number {
  let sum = 0;
  for (const item of items) {
    sum += bytes(item);
  }
  return sum;
}
