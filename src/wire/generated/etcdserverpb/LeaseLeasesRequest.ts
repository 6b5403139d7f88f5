// Original file: proto/etcd/rpc.proto


export interface LeaseLeasesRequest__Input {
}

export interface LeaseLeasesRequest {
}
