// Original file: proto/etcd/rpc.proto

import type { Long } from '@grpc/proto-loader';

export interface HashKVRequest__Input {
  'revision'?: (number | string | Long);
}

export interface HashKVRequest {
  'revision': (string);
}
