// Original file: proto/holdfast/peer.proto

import type { DescribedMember__Input as _holdfast_v1_DescribedMember__Input, DescribedMember as _holdfast_v1_DescribedMember } from '../../holdfast/v1/DescribedMember.ts';
import type { Long } from '@grpc/proto-loader';

export interface DescribeResponse__Input {
  'cluster_id'?: (number | string | Long);
  'members'?: (_holdfast_v1_DescribedMember__Input)[];
  'removed_ids'?: (number | string | Long)[];
  'applied_index'?: (number | string | Long);
  'feature_level'?: (number);
}

export interface DescribeResponse {
  'cluster_id': (string);
  'members': (_holdfast_v1_DescribedMember)[];
  'removed_ids': (string)[];
  'applied_index': (string);
  'feature_level': (number);
}
