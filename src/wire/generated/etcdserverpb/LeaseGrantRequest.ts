// Original file: proto/etcd/rpc.proto

import type { Long } from '@grpc/proto-loader';

export interface LeaseGrantRequest__Input {
  'TTL'?: (number | string | Long);
  'ID'?: (number | string | Long);
}

export interface LeaseGrantRequest {
  'TTL': (string);
  'ID': (string);
}
