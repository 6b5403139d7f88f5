// Original file: proto/etcd/rpc.proto

import type { UserAddOptions__Input as _authpb_UserAddOptions__Input, UserAddOptions as _authpb_UserAddOptions } from '../authpb/UserAddOptions.ts';

export interface AuthUserAddRequest__Input {
  'name'?: (string);
  'password'?: (string);
  'options'?: (_authpb_UserAddOptions__Input | null);
  'hashedPassword'?: (string);
}

export interface AuthUserAddRequest {
  'name': (string);
  'password': (string);
  'options': (_authpb_UserAddOptions | null);
  'hashedPassword': (string);
}
