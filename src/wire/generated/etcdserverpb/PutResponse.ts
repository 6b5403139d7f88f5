// Original file: proto/etcd/rpc.proto

import type { ResponseHeader__Input as _etcdserverpb_ResponseHeader__Input, ResponseHeader as _etcdserverpb_ResponseHeader } from '../etcdserverpb/ResponseHeader.ts';
import type { KeyValue__Input as _mvccpb_KeyValue__Input, KeyValue as _mvccpb_KeyValue } from '../mvccpb/KeyValue.ts';

export interface PutResponse__Input {
  'header'?: (_etcdserverpb_ResponseHeader__Input | null);
  'prev_kv'?: (_mvccpb_KeyValue__Input | null);
}

export interface PutResponse {
  'header': (_etcdserverpb_ResponseHeader | null);
  'prev_kv': (_mvccpb_KeyValue | null);
}
