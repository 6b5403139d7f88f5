// Original file: proto/etcd/rpc.proto


export interface StatusRequest__Input {
}

export interface StatusRequest {
}
