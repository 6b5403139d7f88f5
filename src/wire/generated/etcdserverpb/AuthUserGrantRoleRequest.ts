// Original file: proto/etcd/rpc.proto


export interface AuthUserGrantRoleRequest__Input {
  'user'?: (string);
  'role'?: (string);
}

export interface AuthUserGrantRoleRequest {
  'user': (string);
  'role': (string);
}
