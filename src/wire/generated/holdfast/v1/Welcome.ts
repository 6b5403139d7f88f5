// Original file: proto/holdfast/pipeline.proto

import type { Long } from '@grpc/proto-loader';

export interface Welcome__Input {
  'cluster_id'?: (number | string | Long);
  'member_id'?: (number | string | Long);
  'operations_max'?: (number);
  'operation_bytes_max'?: (number);
}

export interface Welcome {
  'cluster_id': (string);
  'member_id': (string);
  'operations_max': (number);
  'operation_bytes_max': (number);
}
