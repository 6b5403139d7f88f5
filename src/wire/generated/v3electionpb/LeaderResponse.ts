// Original file: proto/etcd/election.proto

import type { ResponseHeader__Input as _etcdserverpb_ResponseHeader__Input, ResponseHeader as _etcdserverpb_ResponseHeader } from '../etcdserverpb/ResponseHeader.ts';
import type { KeyValue__Input as _mvccpb_KeyValue__Input, KeyValue as _mvccpb_KeyValue } from '../mvccpb/KeyValue.ts';

export interface LeaderResponse__Input {
  'header'?: (_etcdserverpb_ResponseHeader__Input | null);
  'kv'?: (_mvccpb_KeyValue__Input | null);
}

export interface LeaderResponse {
  'header': (_etcdserverpb_ResponseHeader | null);
  'kv': (_mvccpb_KeyValue | null);
}
