// Original file: proto/etcd/rpc.proto

import type { AlarmType__Input as _etcdserverpb_AlarmType__Input, AlarmType as _etcdserverpb_AlarmType } from '../etcdserverpb/AlarmType.ts';
import type { Long } from '@grpc/proto-loader';

export interface AlarmMember__Input {
  'memberID'?: (number | string | Long);
  'alarm'?: (_etcdserverpb_AlarmType__Input);
}

export interface AlarmMember {
  'memberID': (string);
  'alarm': (_etcdserverpb_AlarmType);
}
