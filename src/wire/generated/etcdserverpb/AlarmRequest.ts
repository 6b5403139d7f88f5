// Original file: proto/etcd/rpc.proto

import type { AlarmType__Input as _etcdserverpb_AlarmType__Input, AlarmType as _etcdserverpb_AlarmType } from '../etcdserverpb/AlarmType.ts';
import type { Long } from '@grpc/proto-loader';

// Original file: proto/etcd/rpc.proto

export const _etcdserverpb_AlarmRequest_AlarmAction = {
  GET: 'GET',
  ACTIVATE: 'ACTIVATE',
  DEACTIVATE: 'DEACTIVATE',
} as const;

export type _etcdserverpb_AlarmRequest_AlarmAction__Input =
  | 'GET'
  | 0
  | 'ACTIVATE'
  | 1
  | 'DEACTIVATE'
  | 2

export type _etcdserverpb_AlarmRequest_AlarmAction = typeof _etcdserverpb_AlarmRequest_AlarmAction[keyof typeof _etcdserverpb_AlarmRequest_AlarmAction]

export interface AlarmRequest__Input {
  'action'?: (_etcdserverpb_AlarmRequest_AlarmAction__Input);
  'memberID'?: (number | string | Long);
  'alarm'?: (_etcdserverpb_AlarmType__Input);
}

export interface AlarmRequest {
  'action': (_etcdserverpb_AlarmRequest_AlarmAction);
  'memberID': (string);
  'alarm': (_etcdserverpb_AlarmType);
}
