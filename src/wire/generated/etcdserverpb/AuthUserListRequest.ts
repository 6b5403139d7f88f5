// Original file: proto/etcd/rpc.proto


export interface AuthUserListRequest__Input {
}

export interface AuthUserListRequest {
}
