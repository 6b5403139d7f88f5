// Original file: proto/etcd/rpc.proto


// Original file: proto/etcd/rpc.proto

export const _etcdserverpb_DowngradeRequest_DowngradeAction = {
  VALIDATE: 'VALIDATE',
  ENABLE: 'ENABLE',
  CANCEL: 'CANCEL',
} as const;

export type _etcdserverpb_DowngradeRequest_DowngradeAction__Input =
  | 'VALIDATE'
  | 0
  | 'ENABLE'
  | 1
  | 'CANCEL'
  | 2

export type _etcdserverpb_DowngradeRequest_DowngradeAction = typeof _etcdserverpb_DowngradeRequest_DowngradeAction[keyof typeof _etcdserverpb_DowngradeRequest_DowngradeAction]

export interface DowngradeRequest__Input {
  'action'?: (_etcdserverpb_DowngradeRequest_DowngradeAction__Input);
  'version'?: (string);
}

export interface DowngradeRequest {
  'action': (_etcdserverpb_DowngradeRequest_DowngradeAction);
  'version': (string);
}
