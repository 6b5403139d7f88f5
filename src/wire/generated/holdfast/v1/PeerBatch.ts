// Original file: proto/holdfast/peer.proto

import type { Long } from '@grpc/proto-loader';

export interface PeerBatch__Input {
  'messages'?: (Buffer | Uint8Array | string)[];
  'ping_id'?: (number | string | Long);
  'pong_id'?: (number | string | Long);
}

export interface PeerBatch {
  'messages': (Buffer)[];
  'ping_id': (string);
  'pong_id': (string);
}
