// Original file: proto/etcd/rpc.proto


export interface HashRequest__Input {
}

export interface HashRequest {
}
