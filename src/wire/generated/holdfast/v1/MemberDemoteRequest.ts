// Original file: proto/holdfast/admin.proto

import type { Long } from '@grpc/proto-loader';

export interface MemberDemoteRequest__Input {
  'id'?: (number | string | Long);
}

export interface MemberDemoteRequest {
  'id': (string);
}
