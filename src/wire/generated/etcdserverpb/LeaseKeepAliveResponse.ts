// Original file: proto/etcd/rpc.proto

import type { ResponseHeader__Input as _etcdserverpb_ResponseHeader__Input, ResponseHeader as _etcdserverpb_ResponseHeader } from '../etcdserverpb/ResponseHeader.ts';
import type { Long } from '@grpc/proto-loader';

export interface LeaseKeepAliveResponse__Input {
  'header'?: (_etcdserverpb_ResponseHeader__Input | null);
  'ID'?: (number | string | Long);
  'TTL'?: (number | string | Long);
}

export interface LeaseKeepAliveResponse {
  'header': (_etcdserverpb_ResponseHeader | null);
  'ID': (string);
  'TTL': (string);
}
