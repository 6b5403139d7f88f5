// Original file: proto/etcd/rpc.proto

import type { ResponseHeader__Input as _etcdserverpb_ResponseHeader__Input, ResponseHeader as _etcdserverpb_ResponseHeader } from '../etcdserverpb/ResponseHeader.ts';
import type { Long } from '@grpc/proto-loader';

export interface SnapshotResponse__Input {
  'header'?: (_etcdserverpb_ResponseHeader__Input | null);
  'remaining_bytes'?: (number | string | Long);
  'blob'?: (Buffer | Uint8Array | string);
  'version'?: (string);
}

export interface SnapshotResponse {
  'header': (_etcdserverpb_ResponseHeader | null);
  'remaining_bytes': (string);
  'blob': (Buffer);
  'version': (string);
}
