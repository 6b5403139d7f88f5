// Original file: proto/etcd/rpc.proto

import type { ResponseHeader__Input as _etcdserverpb_ResponseHeader__Input, ResponseHeader as _etcdserverpb_ResponseHeader } from '../etcdserverpb/ResponseHeader.ts';
import type { Permission__Input as _authpb_Permission__Input, Permission as _authpb_Permission } from '../authpb/Permission.ts';

export interface AuthRoleGetResponse__Input {
  'header'?: (_etcdserverpb_ResponseHeader__Input | null);
  'perm'?: (_authpb_Permission__Input)[];
}

export interface AuthRoleGetResponse {
  'header': (_etcdserverpb_ResponseHeader | null);
  'perm': (_authpb_Permission)[];
}
