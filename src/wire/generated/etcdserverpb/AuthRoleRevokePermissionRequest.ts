// Original file: proto/etcd/rpc.proto


export interface AuthRoleRevokePermissionRequest__Input {
  'role'?: (string);
  'key'?: (Buffer | Uint8Array | string);
  'range_end'?: (Buffer | Uint8Array | string);
}

export interface AuthRoleRevokePermissionRequest {
  'role': (string);
  'key': (Buffer);
  'range_end': (Buffer);
}
