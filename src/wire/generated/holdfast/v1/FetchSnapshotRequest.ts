// Original file: proto/holdfast/peer.proto

import type { Long } from '@grpc/proto-loader';

export interface FetchSnapshotRequest__Input {
  'min_index'?: (number | string | Long);
  'format_version_max'?: (number);
}

export interface FetchSnapshotRequest {
  'min_index': (string);
  'format_version_max': (number);
}
