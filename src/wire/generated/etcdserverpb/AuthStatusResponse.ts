// Original file: proto/etcd/rpc.proto

import type { ResponseHeader__Input as _etcdserverpb_ResponseHeader__Input, ResponseHeader as _etcdserverpb_ResponseHeader } from '../etcdserverpb/ResponseHeader.ts';
import type { Long } from '@grpc/proto-loader';

export interface AuthStatusResponse__Input {
  'header'?: (_etcdserverpb_ResponseHeader__Input | null);
  'enabled'?: (boolean);
  'authRevision'?: (number | string | Long);
}

export interface AuthStatusResponse {
  'header': (_etcdserverpb_ResponseHeader | null);
  'enabled': (boolean);
  'authRevision': (string);
}
