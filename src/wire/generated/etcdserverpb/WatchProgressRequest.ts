// Original file: proto/etcd/rpc.proto


export interface WatchProgressRequest__Input {
}

export interface WatchProgressRequest {
}
