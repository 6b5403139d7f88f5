// Original file: proto/etcd/rpc.proto

import type { ResponseHeader__Input as _etcdserverpb_ResponseHeader__Input, ResponseHeader as _etcdserverpb_ResponseHeader } from '../etcdserverpb/ResponseHeader.ts';
import type { KeyValue__Input as _mvccpb_KeyValue__Input, KeyValue as _mvccpb_KeyValue } from '../mvccpb/KeyValue.ts';
import type { Long } from '@grpc/proto-loader';

export interface DeleteRangeResponse__Input {
  'header'?: (_etcdserverpb_ResponseHeader__Input | null);
  'deleted'?: (number | string | Long);
  'prev_kvs'?: (_mvccpb_KeyValue__Input)[];
}

export interface DeleteRangeResponse {
  'header': (_etcdserverpb_ResponseHeader | null);
  'deleted': (string);
  'prev_kvs': (_mvccpb_KeyValue)[];
}
