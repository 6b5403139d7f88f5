// Original file: proto/holdfast/pipeline.proto

import type { Long } from '@grpc/proto-loader';

export interface Leadership__Input {
  'leader'?: (number | string | Long);
}

export interface Leadership {
  'leader': (string);
}
