// Original file: proto/etcd/rpc.proto


export interface AuthRoleGetRequest__Input {
  'role'?: (string);
}

export interface AuthRoleGetRequest {
  'role': (string);
}
