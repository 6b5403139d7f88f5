/** Which requests may have answers much longer than they are: those that read ranges of keys. */
import type {
  DeleteRangeRequest,
  PipelineRequest,
  RangeRequest,
  RequestOp,
  TxnRequest,
} from '../wire/index.ts';

/** See the module comment. */
export function isScan(request: PipelineRequest | undefined): boolean {
  switch (request?.type) {
    case 'range':
      return readsRange(request.request);
    case 'deleteRange':
      return tellsRange(request.request);
    case 'txn':
      return hasScan(request.request);
    default:
      return false;
  }
}

function hasScan({ success, failure }: TxnRequest): boolean {
  return success.some(scans) || failure.some(scans);
}

function scans({
  request_range: range,
  request_delete_range: deletion,
  request_txn: txn,
}: RequestOp): boolean {
  if (range) {
    return readsRange(range);
  }
  if (deletion) {
    return tellsRange(deletion);
  }
  return txn ? hasScan(txn) : false;
}

function readsRange({ range_end: end }: RangeRequest): boolean {
  return end.length > 0;
}

function tellsRange({ range_end: end, prev_kv: isTold }: DeleteRangeRequest): boolean {
  return end.length > 0 && isTold;
}
