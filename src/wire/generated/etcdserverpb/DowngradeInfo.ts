// Original file: proto/etcd/rpc.proto


export interface DowngradeInfo__Input {
  'enabled'?: (boolean);
  'targetVersion'?: (string);
}

export interface DowngradeInfo {
  'enabled': (boolean);
  'targetVersion': (string);
}
