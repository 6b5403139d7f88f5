// Original file: proto/etcd/rpc.proto

import type { Permission__Input as _authpb_Permission__Input, Permission as _authpb_Permission } from '../authpb/Permission.ts';

export interface AuthRoleGrantPermissionRequest__Input {
  'name'?: (string);
  'perm'?: (_authpb_Permission__Input | null);
}

export interface AuthRoleGrantPermissionRequest {
  'name': (string);
  'perm': (_authpb_Permission | null);
}
