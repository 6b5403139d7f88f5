// Original file: proto/etcd/rpc.proto

import type { RangeResponse__Input as _etcdserverpb_RangeResponse__Input, RangeResponse as _etcdserverpb_RangeResponse } from '../etcdserverpb/RangeResponse.ts';
import type { PutResponse__Input as _etcdserverpb_PutResponse__Input, PutResponse as _etcdserverpb_PutResponse } from '../etcdserverpb/PutResponse.ts';
import type { DeleteRangeResponse__Input as _etcdserverpb_DeleteRangeResponse__Input, DeleteRangeResponse as _etcdserverpb_DeleteRangeResponse } from '../etcdserverpb/DeleteRangeResponse.ts';
import type { TxnResponse__Input as _etcdserverpb_TxnResponse__Input, TxnResponse as _etcdserverpb_TxnResponse } from '../etcdserverpb/TxnResponse.ts';

export interface ResponseOp__Input {
  'response_range'?: (_etcdserverpb_RangeResponse__Input | null);
  'response_put'?: (_etcdserverpb_PutResponse__Input | null);
  'response_delete_range'?: (_etcdserverpb_DeleteRangeResponse__Input | null);
  'response_txn'?: (_etcdserverpb_TxnResponse__Input | null);
  'response'?: "response_range"|"response_put"|"response_delete_range"|"response_txn";
}

export interface ResponseOp {
  'response_range'?: (_etcdserverpb_RangeResponse | null);
  'response_put'?: (_etcdserverpb_PutResponse | null);
  'response_delete_range'?: (_etcdserverpb_DeleteRangeResponse | null);
  'response_txn'?: (_etcdserverpb_TxnResponse | null);
  'response'?: "response_range"|"response_put"|"response_delete_range"|"response_txn";
}
