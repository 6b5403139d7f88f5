// Original file: proto/holdfast/pipeline.proto

import type { PutRequest__Input as _etcdserverpb_PutRequest__Input, PutRequest as _etcdserverpb_PutRequest } from '../../etcdserverpb/PutRequest.ts';
import type { RangeRequest__Input as _etcdserverpb_RangeRequest__Input, RangeRequest as _etcdserverpb_RangeRequest } from '../../etcdserverpb/RangeRequest.ts';
import type { DeleteRangeRequest__Input as _etcdserverpb_DeleteRangeRequest__Input, DeleteRangeRequest as _etcdserverpb_DeleteRangeRequest } from '../../etcdserverpb/DeleteRangeRequest.ts';
import type { TxnRequest__Input as _etcdserverpb_TxnRequest__Input, TxnRequest as _etcdserverpb_TxnRequest } from '../../etcdserverpb/TxnRequest.ts';
import type { LeaseKeepAliveRequest__Input as _etcdserverpb_LeaseKeepAliveRequest__Input, LeaseKeepAliveRequest as _etcdserverpb_LeaseKeepAliveRequest } from '../../etcdserverpb/LeaseKeepAliveRequest.ts';
import type { Long } from '@grpc/proto-loader';

export interface Operation__Input {
  'id'?: (number | string | Long);
  'sequence'?: (number | string | Long);
  'idempotency_key'?: (Buffer | Uint8Array | string);
  'deadline_ms'?: (number);
  'put'?: (_etcdserverpb_PutRequest__Input | null);
  'range'?: (_etcdserverpb_RangeRequest__Input | null);
  'delete_range'?: (_etcdserverpb_DeleteRangeRequest__Input | null);
  'txn'?: (_etcdserverpb_TxnRequest__Input | null);
  'lease_keep_alive'?: (_etcdserverpb_LeaseKeepAliveRequest__Input | null);
  'request'?: "put"|"range"|"delete_range"|"txn"|"lease_keep_alive";
}

export interface Operation {
  'id': (string);
  'sequence': (string);
  'idempotency_key': (Buffer);
  'deadline_ms': (number);
  'put'?: (_etcdserverpb_PutRequest | null);
  'range'?: (_etcdserverpb_RangeRequest | null);
  'delete_range'?: (_etcdserverpb_DeleteRangeRequest | null);
  'txn'?: (_etcdserverpb_TxnRequest | null);
  'lease_keep_alive'?: (_etcdserverpb_LeaseKeepAliveRequest | null);
  'request'?: "put"|"range"|"delete_range"|"txn"|"lease_keep_alive";
}
