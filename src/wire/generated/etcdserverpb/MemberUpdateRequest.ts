// Original file: proto/etcd/rpc.proto

import type { Long } from '@grpc/proto-loader';

export interface MemberUpdateRequest__Input {
  'ID'?: (number | string | Long);
  'peerURLs'?: (string)[];
}

export interface MemberUpdateRequest {
  'ID': (string);
  'peerURLs': (string)[];
}
