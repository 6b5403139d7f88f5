// Original file: proto/etcd/rpc.proto


export interface AuthRoleDeleteRequest__Input {
  'role'?: (string);
}

export interface AuthRoleDeleteRequest {
  'role': (string);
}
