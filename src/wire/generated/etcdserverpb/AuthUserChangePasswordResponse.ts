// Original file: proto/etcd/rpc.proto

import type { ResponseHeader__Input as _etcdserverpb_ResponseHeader__Input, ResponseHeader as _etcdserverpb_ResponseHeader } from '../etcdserverpb/ResponseHeader.ts';

export interface AuthUserChangePasswordResponse__Input {
  'header'?: (_etcdserverpb_ResponseHeader__Input | null);
}

export interface AuthUserChangePasswordResponse {
  'header': (_etcdserverpb_ResponseHeader | null);
}
