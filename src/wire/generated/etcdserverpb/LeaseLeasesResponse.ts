// Original file: proto/etcd/rpc.proto

import type { ResponseHeader__Input as _etcdserverpb_ResponseHeader__Input, ResponseHeader as _etcdserverpb_ResponseHeader } from '../etcdserverpb/ResponseHeader.ts';
import type { LeaseStatus__Input as _etcdserverpb_LeaseStatus__Input, LeaseStatus as _etcdserverpb_LeaseStatus } from '../etcdserverpb/LeaseStatus.ts';

export interface LeaseLeasesResponse__Input {
  'header'?: (_etcdserverpb_ResponseHeader__Input | null);
  'leases'?: (_etcdserverpb_LeaseStatus__Input)[];
}

export interface LeaseLeasesResponse {
  'header': (_etcdserverpb_ResponseHeader | null);
  'leases': (_etcdserverpb_LeaseStatus)[];
}
