// Original file: proto/etcd/lock.proto

import type { ResponseHeader__Input as _etcdserverpb_ResponseHeader__Input, ResponseHeader as _etcdserverpb_ResponseHeader } from '../etcdserverpb/ResponseHeader.ts';

export interface UnlockResponse__Input {
  'header'?: (_etcdserverpb_ResponseHeader__Input | null);
}

export interface UnlockResponse {
  'header': (_etcdserverpb_ResponseHeader | null);
}
