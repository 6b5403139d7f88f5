// Original file: proto/etcd/auth.proto


export interface UserAddOptions__Input {
  'no_password'?: (boolean);
}

export interface UserAddOptions {
  'no_password': (boolean);
}
