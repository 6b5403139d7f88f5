// Original file: proto/etcd/kv.proto

import type { KeyValue__Input as _mvccpb_KeyValue__Input, KeyValue as _mvccpb_KeyValue } from '../mvccpb/KeyValue.ts';

// Original file: proto/etcd/kv.proto

export const _mvccpb_Event_EventType = {
  PUT: 'PUT',
  DELETE: 'DELETE',
} as const;

export type _mvccpb_Event_EventType__Input =
  | 'PUT'
  | 0
  | 'DELETE'
  | 1

export type _mvccpb_Event_EventType = typeof _mvccpb_Event_EventType[keyof typeof _mvccpb_Event_EventType]

export interface Event__Input {
  'type'?: (_mvccpb_Event_EventType__Input);
  'kv'?: (_mvccpb_KeyValue__Input | null);
  'prev_kv'?: (_mvccpb_KeyValue__Input | null);
  'expired'?: (boolean);
}

export interface Event {
  'type': (_mvccpb_Event_EventType);
  'kv': (_mvccpb_KeyValue | null);
  'prev_kv': (_mvccpb_KeyValue | null);
  'expired': (boolean);
}
