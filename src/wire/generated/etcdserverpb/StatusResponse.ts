// Original file: proto/etcd/rpc.proto

import type { ResponseHeader__Input as _etcdserverpb_ResponseHeader__Input, ResponseHeader as _etcdserverpb_ResponseHeader } from '../etcdserverpb/ResponseHeader.ts';
import type { DowngradeInfo__Input as _etcdserverpb_DowngradeInfo__Input, DowngradeInfo as _etcdserverpb_DowngradeInfo } from '../etcdserverpb/DowngradeInfo.ts';
import type { Long } from '@grpc/proto-loader';

export interface StatusResponse__Input {
  'header'?: (_etcdserverpb_ResponseHeader__Input | null);
  'version'?: (string);
  'dbSize'?: (number | string | Long);
  'leader'?: (number | string | Long);
  'raftIndex'?: (number | string | Long);
  'raftTerm'?: (number | string | Long);
  'raftAppliedIndex'?: (number | string | Long);
  'errors'?: (string)[];
  'dbSizeInUse'?: (number | string | Long);
  'isLearner'?: (boolean);
  'storageVersion'?: (string);
  'dbSizeQuota'?: (number | string | Long);
  'downgradeInfo'?: (_etcdserverpb_DowngradeInfo__Input | null);
  'feature_level'?: (number);
  'feature_level_max'?: (number);
}

export interface StatusResponse {
  'header': (_etcdserverpb_ResponseHeader | null);
  'version': (string);
  'dbSize': (string);
  'leader': (string);
  'raftIndex': (string);
  'raftTerm': (string);
  'raftAppliedIndex': (string);
  'errors': (string)[];
  'dbSizeInUse': (string);
  'isLearner': (boolean);
  'storageVersion': (string);
  'dbSizeQuota': (string);
  'downgradeInfo': (_etcdserverpb_DowngradeInfo | null);
  'feature_level': (number);
  'feature_level_max': (number);
}
