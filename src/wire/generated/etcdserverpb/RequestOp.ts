// Original file: proto/etcd/rpc.proto

import type { RangeRequest__Input as _etcdserverpb_RangeRequest__Input, RangeRequest as _etcdserverpb_RangeRequest } from '../etcdserverpb/RangeRequest.ts';
import type { PutRequest__Input as _etcdserverpb_PutRequest__Input, PutRequest as _etcdserverpb_PutRequest } from '../etcdserverpb/PutRequest.ts';
import type { DeleteRangeRequest__Input as _etcdserverpb_DeleteRangeRequest__Input, DeleteRangeRequest as _etcdserverpb_DeleteRangeRequest } from '../etcdserverpb/DeleteRangeRequest.ts';
import type { TxnRequest__Input as _etcdserverpb_TxnRequest__Input, TxnRequest as _etcdserverpb_TxnRequest } from '../etcdserverpb/TxnRequest.ts';

export interface RequestOp__Input {
  'request_range'?: (_etcdserverpb_RangeRequest__Input | null);
  'request_put'?: (_etcdserverpb_PutRequest__Input | null);
  'request_delete_range'?: (_etcdserverpb_DeleteRangeRequest__Input | null);
  'request_txn'?: (_etcdserverpb_TxnRequest__Input | null);
  'request'?: "request_range"|"request_put"|"request_delete_range"|"request_txn";
}

export interface RequestOp {
  'request_range'?: (_etcdserverpb_RangeRequest | null);
  'request_put'?: (_etcdserverpb_PutRequest | null);
  'request_delete_range'?: (_etcdserverpb_DeleteRangeRequest | null);
  'request_txn'?: (_etcdserverpb_TxnRequest | null);
  'request'?: "request_range"|"request_put"|"request_delete_range"|"request_txn";
}
