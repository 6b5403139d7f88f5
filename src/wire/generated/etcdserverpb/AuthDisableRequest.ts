// Original file: proto/etcd/rpc.proto


export interface AuthDisableRequest__Input {
}

export interface AuthDisableRequest {
}
