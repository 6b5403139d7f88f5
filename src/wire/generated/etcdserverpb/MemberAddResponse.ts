// Original file: proto/etcd/rpc.proto

import type { ResponseHeader__Input as _etcdserverpb_ResponseHeader__Input, ResponseHeader as _etcdserverpb_ResponseHeader } from '../etcdserverpb/ResponseHeader.ts';
import type { Member__Input as _etcdserverpb_Member__Input, Member as _etcdserverpb_Member } from '../etcdserverpb/Member.ts';

export interface MemberAddResponse__Input {
  'header'?: (_etcdserverpb_ResponseHeader__Input | null);
  'member'?: (_etcdserverpb_Member__Input | null);
  'members'?: (_etcdserverpb_Member__Input)[];
}

export interface MemberAddResponse {
  'header': (_etcdserverpb_ResponseHeader | null);
  'member': (_etcdserverpb_Member | null);
  'members': (_etcdserverpb_Member)[];
}
