// Original file: proto/etcd/rpc.proto


export interface AuthEnableRequest__Input {
}

export interface AuthEnableRequest {
}
