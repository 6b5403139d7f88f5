// Original file: proto/etcd/rpc.proto


export interface AuthUserChangePasswordRequest__Input {
  'name'?: (string);
  'password'?: (string);
  'hashedPassword'?: (string);
}

export interface AuthUserChangePasswordRequest {
  'name': (string);
  'password': (string);
  'hashedPassword': (string);
}
