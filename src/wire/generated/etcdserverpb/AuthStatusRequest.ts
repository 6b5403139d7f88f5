// Original file: proto/etcd/rpc.proto


export interface AuthStatusRequest__Input {
}

export interface AuthStatusRequest {
}
