// Original file: proto/etcd/rpc.proto

import type { Long } from '@grpc/proto-loader';

export interface CompactionRequest__Input {
  'revision'?: (number | string | Long);
  'physical'?: (boolean);
}

export interface CompactionRequest {
  'revision': (string);
  'physical': (boolean);
}
