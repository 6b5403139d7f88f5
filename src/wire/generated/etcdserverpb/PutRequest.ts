// Original file: proto/etcd/rpc.proto

import type { Long } from '@grpc/proto-loader';

export interface PutRequest__Input {
  'key'?: (Buffer | Uint8Array | string);
  'value'?: (Buffer | Uint8Array | string);
  'lease'?: (number | string | Long);
  'prev_kv'?: (boolean);
  'ignore_value'?: (boolean);
  'ignore_lease'?: (boolean);
  'ttl_ms'?: (number | string | Long);
  'ttl_refresh_on_write'?: (boolean);
}

export interface PutRequest {
  'key': (Buffer);
  'value': (Buffer);
  'lease': (string);
  'prev_kv': (boolean);
  'ignore_value': (boolean);
  'ignore_lease': (boolean);
  'ttl_ms': (string);
  'ttl_refresh_on_write': (boolean);
}
