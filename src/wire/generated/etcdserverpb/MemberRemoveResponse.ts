// Original file: proto/etcd/rpc.proto

import type { ResponseHeader__Input as _etcdserverpb_ResponseHeader__Input, ResponseHeader as _etcdserverpb_ResponseHeader } from '../etcdserverpb/ResponseHeader.ts';
import type { Member__Input as _etcdserverpb_Member__Input, Member as _etcdserverpb_Member } from '../etcdserverpb/Member.ts';

export interface MemberRemoveResponse__Input {
  'header'?: (_etcdserverpb_ResponseHeader__Input | null);
  'members'?: (_etcdserverpb_Member__Input)[];
}

export interface MemberRemoveResponse {
  'header': (_etcdserverpb_ResponseHeader | null);
  'members': (_etcdserverpb_Member)[];
}
