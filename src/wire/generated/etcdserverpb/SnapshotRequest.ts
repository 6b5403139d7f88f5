// Original file: proto/etcd/rpc.proto


export interface SnapshotRequest__Input {
}

export interface SnapshotRequest {
}
