// Original file: proto/etcd/auth.proto

import type { Permission__Input as _authpb_Permission__Input, Permission as _authpb_Permission } from '../authpb/Permission.ts';

export interface Role__Input {
  'name'?: (Buffer | Uint8Array | string);
  'keyPermission'?: (_authpb_Permission__Input)[];
}

export interface Role {
  'name': (Buffer);
  'keyPermission': (_authpb_Permission)[];
}
