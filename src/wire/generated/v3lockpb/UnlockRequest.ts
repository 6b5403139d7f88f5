// Original file: proto/etcd/lock.proto


export interface UnlockRequest__Input {
  'key'?: (Buffer | Uint8Array | string);
}

export interface UnlockRequest {
  'key': (Buffer);
}
