// Original file: proto/etcd/rpc.proto


export interface AuthRoleAddRequest__Input {
  'name'?: (string);
}

export interface AuthRoleAddRequest {
  'name': (string);
}
