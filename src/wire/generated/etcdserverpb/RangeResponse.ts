// Original file: proto/etcd/rpc.proto

import type { ResponseHeader__Input as _etcdserverpb_ResponseHeader__Input, ResponseHeader as _etcdserverpb_ResponseHeader } from '../etcdserverpb/ResponseHeader.ts';
import type { KeyValue__Input as _mvccpb_KeyValue__Input, KeyValue as _mvccpb_KeyValue } from '../mvccpb/KeyValue.ts';
import type { Long } from '@grpc/proto-loader';

export interface RangeResponse__Input {
  'header'?: (_etcdserverpb_ResponseHeader__Input | null);
  'kvs'?: (_mvccpb_KeyValue__Input)[];
  'more'?: (boolean);
  'count'?: (number | string | Long);
}

export interface RangeResponse {
  'header': (_etcdserverpb_ResponseHeader | null);
  'kvs': (_mvccpb_KeyValue)[];
  'more': (boolean);
  'count': (string);
}
