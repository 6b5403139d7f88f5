// Original file: proto/etcd/rpc.proto

import type { Long } from '@grpc/proto-loader';

export interface LeaseStatus__Input {
  'ID'?: (number | string | Long);
}

export interface LeaseStatus {
  'ID': (string);
}
