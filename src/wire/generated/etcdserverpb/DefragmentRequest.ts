// Original file: proto/etcd/rpc.proto


export interface DefragmentRequest__Input {
}

export interface DefragmentRequest {
}
