// Original file: proto/etcd/rpc.proto

import type { Long } from '@grpc/proto-loader';

export interface MoveLeaderRequest__Input {
  'targetID'?: (number | string | Long);
}

export interface MoveLeaderRequest {
  'targetID': (string);
}
