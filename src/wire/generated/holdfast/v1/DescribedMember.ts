// Original file: proto/holdfast/peer.proto

import type { Long } from '@grpc/proto-loader';

export interface DescribedMember__Input {
  'id'?: (number | string | Long);
  'name'?: (string);
  'peer_urls'?: (string)[];
  'client_urls'?: (string)[];
  'is_learner'?: (boolean);
}

export interface DescribedMember {
  'id': (string);
  'name': (string);
  'peer_urls': (string)[];
  'client_urls': (string)[];
  'is_learner': (boolean);
}
