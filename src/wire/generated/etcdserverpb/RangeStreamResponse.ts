// Original file: proto/etcd/rpc.proto

import type { RangeResponse__Input as _etcdserverpb_RangeResponse__Input, RangeResponse as _etcdserverpb_RangeResponse } from '../etcdserverpb/RangeResponse.ts';

export interface RangeStreamResponse__Input {
  'range_response'?: (_etcdserverpb_RangeResponse__Input | null);
}

export interface RangeStreamResponse {
  'range_response': (_etcdserverpb_RangeResponse | null);
}
