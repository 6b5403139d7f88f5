// Original file: proto/etcd/rpc.proto

import type { Long } from '@grpc/proto-loader';

export interface WatchCancelRequest__Input {
  'watch_id'?: (number | string | Long);
}

export interface WatchCancelRequest {
  'watch_id': (string);
}
