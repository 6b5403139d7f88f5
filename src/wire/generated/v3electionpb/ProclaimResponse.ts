// Original file: proto/etcd/election.proto

import type { ResponseHeader__Input as _etcdserverpb_ResponseHeader__Input, ResponseHeader as _etcdserverpb_ResponseHeader } from '../etcdserverpb/ResponseHeader.ts';

export interface ProclaimResponse__Input {
  'header'?: (_etcdserverpb_ResponseHeader__Input | null);
}

export interface ProclaimResponse {
  'header': (_etcdserverpb_ResponseHeader | null);
}
