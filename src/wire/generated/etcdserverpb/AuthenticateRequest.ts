// Original file: proto/etcd/rpc.proto


export interface AuthenticateRequest__Input {
  'name'?: (string);
  'password'?: (string);
}

export interface AuthenticateRequest {
  'name': (string);
  'password': (string);
}
