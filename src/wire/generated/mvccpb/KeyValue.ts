// Original file: proto/etcd/kv.proto

import type { Long } from '@grpc/proto-loader';

export interface KeyValue__Input {
  'key'?: (Buffer | Uint8Array | string);
  'create_revision'?: (number | string | Long);
  'mod_revision'?: (number | string | Long);
  'version'?: (number | string | Long);
  'value'?: (Buffer | Uint8Array | string);
  'lease'?: (number | string | Long);
  'ttl_ms'?: (number | string | Long);
  'ttl_remaining_ms'?: (number | string | Long);
}

export interface KeyValue {
  'key': (Buffer);
  'create_revision': (string);
  'mod_revision': (string);
  'version': (string);
  'value': (Buffer);
  'lease': (string);
  'ttl_ms': (string);
  'ttl_remaining_ms': (string);
}
