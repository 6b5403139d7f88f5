// Original file: proto/etcd/rpc.proto

import type { ResponseHeader__Input as _etcdserverpb_ResponseHeader__Input, ResponseHeader as _etcdserverpb_ResponseHeader } from '../etcdserverpb/ResponseHeader.ts';
import type { Long } from '@grpc/proto-loader';

export interface HashKVResponse__Input {
  'header'?: (_etcdserverpb_ResponseHeader__Input | null);
  'hash'?: (number);
  'compact_revision'?: (number | string | Long);
  'hash_revision'?: (number | string | Long);
}

export interface HashKVResponse {
  'header': (_etcdserverpb_ResponseHeader | null);
  'hash': (number);
  'compact_revision': (string);
  'hash_revision': (string);
}
