// Original file: proto/etcd/rpc.proto

import type { ResponseHeader__Input as _etcdserverpb_ResponseHeader__Input, ResponseHeader as _etcdserverpb_ResponseHeader } from '../etcdserverpb/ResponseHeader.ts';
import type { ResponseOp__Input as _etcdserverpb_ResponseOp__Input, ResponseOp as _etcdserverpb_ResponseOp } from '../etcdserverpb/ResponseOp.ts';

export interface TxnResponse__Input {
  'header'?: (_etcdserverpb_ResponseHeader__Input | null);
  'succeeded'?: (boolean);
  'responses'?: (_etcdserverpb_ResponseOp__Input)[];
}

export interface TxnResponse {
  'header': (_etcdserverpb_ResponseHeader | null);
  'succeeded': (boolean);
  'responses': (_etcdserverpb_ResponseOp)[];
}
