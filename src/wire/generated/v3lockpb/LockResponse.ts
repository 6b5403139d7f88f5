// Original file: proto/etcd/lock.proto

import type { ResponseHeader__Input as _etcdserverpb_ResponseHeader__Input, ResponseHeader as _etcdserverpb_ResponseHeader } from '../etcdserverpb/ResponseHeader.ts';
import type { Long } from '@grpc/proto-loader';

export interface LockResponse__Input {
  'header'?: (_etcdserverpb_ResponseHeader__Input | null);
  'key'?: (Buffer | Uint8Array | string);
  'fencing_token'?: (number | string | Long);
}

export interface LockResponse {
  'header': (_etcdserverpb_ResponseHeader | null);
  'key': (Buffer);
  'fencing_token': (string);
}
