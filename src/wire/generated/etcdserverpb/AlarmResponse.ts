// Original file: proto/etcd/rpc.proto

import type { ResponseHeader__Input as _etcdserverpb_ResponseHeader__Input, ResponseHeader as _etcdserverpb_ResponseHeader } from '../etcdserverpb/ResponseHeader.ts';
import type { AlarmMember__Input as _etcdserverpb_AlarmMember__Input, AlarmMember as _etcdserverpb_AlarmMember } from '../etcdserverpb/AlarmMember.ts';

export interface AlarmResponse__Input {
  'header'?: (_etcdserverpb_ResponseHeader__Input | null);
  'alarms'?: (_etcdserverpb_AlarmMember__Input)[];
}

export interface AlarmResponse {
  'header': (_etcdserverpb_ResponseHeader | null);
  'alarms': (_etcdserverpb_AlarmMember)[];
}
