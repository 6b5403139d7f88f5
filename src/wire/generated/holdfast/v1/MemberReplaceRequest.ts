// Original file: proto/holdfast/admin.proto

import type { Long } from '@grpc/proto-loader';

export interface MemberReplaceRequest__Input {
  'id'?: (number | string | Long);
  'peer_urls'?: (string)[];
  'is_learner'?: (boolean);
  'auto_promote'?: (boolean);
}

export interface MemberReplaceRequest {
  'id': (string);
  'peer_urls': (string)[];
  'is_learner': (boolean);
  'auto_promote': (boolean);
}
