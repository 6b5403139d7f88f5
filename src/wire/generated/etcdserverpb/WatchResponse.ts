// Original file: proto/etcd/rpc.proto

import type { ResponseHeader__Input as _etcdserverpb_ResponseHeader__Input, ResponseHeader as _etcdserverpb_ResponseHeader } from '../etcdserverpb/ResponseHeader.ts';
import type { Event__Input as _mvccpb_Event__Input, Event as _mvccpb_Event } from '../mvccpb/Event.ts';
import type { Long } from '@grpc/proto-loader';

export interface WatchResponse__Input {
  'header'?: (_etcdserverpb_ResponseHeader__Input | null);
  'watch_id'?: (number | string | Long);
  'created'?: (boolean);
  'canceled'?: (boolean);
  'compact_revision'?: (number | string | Long);
  'cancel_reason'?: (string);
  'fragment'?: (boolean);
  'events'?: (_mvccpb_Event__Input)[];
  'complete'?: (boolean);
}

export interface WatchResponse {
  'header': (_etcdserverpb_ResponseHeader | null);
  'watch_id': (string);
  'created': (boolean);
  'canceled': (boolean);
  'compact_revision': (string);
  'cancel_reason': (string);
  'fragment': (boolean);
  'events': (_mvccpb_Event)[];
  'complete': (boolean);
}
