// Original file: proto/etcd/rpc.proto

import type { WatchCreateRequest__Input as _etcdserverpb_WatchCreateRequest__Input, WatchCreateRequest as _etcdserverpb_WatchCreateRequest } from '../etcdserverpb/WatchCreateRequest.ts';
import type { WatchCancelRequest__Input as _etcdserverpb_WatchCancelRequest__Input, WatchCancelRequest as _etcdserverpb_WatchCancelRequest } from '../etcdserverpb/WatchCancelRequest.ts';
import type { WatchProgressRequest__Input as _etcdserverpb_WatchProgressRequest__Input, WatchProgressRequest as _etcdserverpb_WatchProgressRequest } from '../etcdserverpb/WatchProgressRequest.ts';

export interface WatchRequest__Input {
  'create_request'?: (_etcdserverpb_WatchCreateRequest__Input | null);
  'cancel_request'?: (_etcdserverpb_WatchCancelRequest__Input | null);
  'progress_request'?: (_etcdserverpb_WatchProgressRequest__Input | null);
  'request_union'?: "create_request"|"cancel_request"|"progress_request";
}

export interface WatchRequest {
  'create_request'?: (_etcdserverpb_WatchCreateRequest | null);
  'cancel_request'?: (_etcdserverpb_WatchCancelRequest | null);
  'progress_request'?: (_etcdserverpb_WatchProgressRequest | null);
  'request_union'?: "create_request"|"cancel_request"|"progress_request";
}
