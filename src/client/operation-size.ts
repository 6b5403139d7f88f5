/** What operations count for, where bytes of them are bounded: in batches, and of a client. */
import type { PipelineMessage } from '../wire/index.ts';

/** Counts for an operation besides its keys and values. */
const operationOverheadBytes = 64;

/** Bytes of an operation, not far from those on the wire. */
export function sizeOf(message: PipelineMessage): number {
  switch (message.type) {
    case 'put':
      return operationOverheadBytes + message.put.key.length + message.put.value.length;
    case 'range':
      return (
        operationOverheadBytes + message.range.key.length + (message.range.rangeEnd?.length ?? 0)
      );
    case 'deleteRange': {
      const { key, rangeEnd } = message.deleteRange;
      return operationOverheadBytes + key.length + (rangeEnd?.length ?? 0);
    }
    case 'txn': {
      const { compare, success, failure } = message.txn;
      const operations = [...success, ...failure].reduce((sum, each) => sum + sizeOf(each), 0);
      const compares = compare.reduce(
        (sum, each) =>
          sum +
          operationOverheadBytes +
          each.key.length +
          (each.target === 'value' ? each.operand.length : 0),
        0,
      );
      return operationOverheadBytes + operations + compares;
    }
    case 'leaseKeepAlive':
      return operationOverheadBytes;
  }
}
