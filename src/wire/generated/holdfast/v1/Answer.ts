// Original file: proto/holdfast/pipeline.proto

import type { Failure__Input as _holdfast_v1_Failure__Input, Failure as _holdfast_v1_Failure } from '../../holdfast/v1/Failure.ts';
import type { PutResponse__Input as _etcdserverpb_PutResponse__Input, PutResponse as _etcdserverpb_PutResponse } from '../../etcdserverpb/PutResponse.ts';
import type { RangeResponse__Input as _etcdserverpb_RangeResponse__Input, RangeResponse as _etcdserverpb_RangeResponse } from '../../etcdserverpb/RangeResponse.ts';
import type { DeleteRangeResponse__Input as _etcdserverpb_DeleteRangeResponse__Input, DeleteRangeResponse as _etcdserverpb_DeleteRangeResponse } from '../../etcdserverpb/DeleteRangeResponse.ts';
import type { TxnResponse__Input as _etcdserverpb_TxnResponse__Input, TxnResponse as _etcdserverpb_TxnResponse } from '../../etcdserverpb/TxnResponse.ts';
import type { LeaseKeepAliveResponse__Input as _etcdserverpb_LeaseKeepAliveResponse__Input, LeaseKeepAliveResponse as _etcdserverpb_LeaseKeepAliveResponse } from '../../etcdserverpb/LeaseKeepAliveResponse.ts';
import type { Long } from '@grpc/proto-loader';

export interface Answer__Input {
  'id'?: (number | string | Long);
  'repeated'?: (boolean);
  'failure'?: (_holdfast_v1_Failure__Input | null);
  'put'?: (_etcdserverpb_PutResponse__Input | null);
  'range'?: (_etcdserverpb_RangeResponse__Input | null);
  'delete_range'?: (_etcdserverpb_DeleteRangeResponse__Input | null);
  'txn'?: (_etcdserverpb_TxnResponse__Input | null);
  'lease_keep_alive'?: (_etcdserverpb_LeaseKeepAliveResponse__Input | null);
  'result'?: "failure"|"put"|"range"|"delete_range"|"txn"|"lease_keep_alive";
}

export interface Answer {
  'id': (string);
  'repeated': (boolean);
  'failure'?: (_holdfast_v1_Failure | null);
  'put'?: (_etcdserverpb_PutResponse | null);
  'range'?: (_etcdserverpb_RangeResponse | null);
  'delete_range'?: (_etcdserverpb_DeleteRangeResponse | null);
  'txn'?: (_etcdserverpb_TxnResponse | null);
  'lease_keep_alive'?: (_etcdserverpb_LeaseKeepAliveResponse | null);
  'result'?: "failure"|"put"|"range"|"delete_range"|"txn"|"lease_keep_alive";
}
