// Original file: proto/etcd/rpc.proto


export interface AuthUserRevokeRoleRequest__Input {
  'name'?: (string);
  'role'?: (string);
}

export interface AuthUserRevokeRoleRequest {
  'name': (string);
  'role': (string);
}
