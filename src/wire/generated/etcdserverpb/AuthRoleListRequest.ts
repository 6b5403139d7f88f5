// Original file: proto/etcd/rpc.proto


export interface AuthRoleListRequest__Input {
}

export interface AuthRoleListRequest {
}
