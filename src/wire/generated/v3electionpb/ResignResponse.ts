// Original file: proto/etcd/election.proto

import type { ResponseHeader__Input as _etcdserverpb_ResponseHeader__Input, ResponseHeader as _etcdserverpb_ResponseHeader } from '../etcdserverpb/ResponseHeader.ts';

export interface ResignResponse__Input {
  'header'?: (_etcdserverpb_ResponseHeader__Input | null);
}

export interface ResignResponse {
  'header': (_etcdserverpb_ResponseHeader | null);
}
