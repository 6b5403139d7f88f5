// Original file: proto/etcd/rpc.proto

import type { Compare__Input as _etcdserverpb_Compare__Input, Compare as _etcdserverpb_Compare } from '../etcdserverpb/Compare.ts';
import type { RequestOp__Input as _etcdserverpb_RequestOp__Input, RequestOp as _etcdserverpb_RequestOp } from '../etcdserverpb/RequestOp.ts';

export interface TxnRequest__Input {
  'compare'?: (_etcdserverpb_Compare__Input)[];
  'success'?: (_etcdserverpb_RequestOp__Input)[];
  'failure'?: (_etcdserverpb_RequestOp__Input)[];
}

export interface TxnRequest {
  'compare': (_etcdserverpb_Compare)[];
  'success': (_etcdserverpb_RequestOp)[];
  'failure': (_etcdserverpb_RequestOp)[];
}
