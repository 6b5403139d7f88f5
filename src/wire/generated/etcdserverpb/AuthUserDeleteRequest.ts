// Original file: proto/etcd/rpc.proto


export interface AuthUserDeleteRequest__Input {
  'name'?: (string);
}

export interface AuthUserDeleteRequest {
  'name': (string);
}
