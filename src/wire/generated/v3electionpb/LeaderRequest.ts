// Original file: proto/etcd/election.proto


export interface LeaderRequest__Input {
  'name'?: (Buffer | Uint8Array | string);
}

export interface LeaderRequest {
  'name': (Buffer);
}
