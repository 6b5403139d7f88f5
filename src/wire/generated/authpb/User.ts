// Original file: proto/etcd/auth.proto

import type { UserAddOptions__Input as _authpb_UserAddOptions__Input, UserAddOptions as _authpb_UserAddOptions } from '../authpb/UserAddOptions.ts';

export interface User__Input {
  'name'?: (Buffer | Uint8Array | string);
  'password'?: (Buffer | Uint8Array | string);
  'roles'?: (string)[];
  'options'?: (_authpb_UserAddOptions__Input | null);
}

export interface User {
  'name': (Buffer);
  'password': (Buffer);
  'roles': (string)[];
  'options': (_authpb_UserAddOptions | null);
}
