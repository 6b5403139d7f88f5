// Original file: proto/etcd/lock.proto

import type { Long } from '@grpc/proto-loader';

export interface LockRequest__Input {
  'name'?: (Buffer | Uint8Array | string);
  'lease'?: (number | string | Long);
  'try_lock'?: (boolean);
  'wait_ms'?: (number | string | Long);
}

export interface LockRequest {
  'name': (Buffer);
  'lease': (string);
  'try_lock': (boolean);
  'wait_ms': (string);
}
