// Original file: proto/etcd/rpc.proto


export interface AuthUserGetRequest__Input {
  'name'?: (string);
}

export interface AuthUserGetRequest {
  'name': (string);
}
