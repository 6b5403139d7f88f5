// Original file: proto/etcd/rpc.proto


export interface MemberListRequest__Input {
  'linearizable'?: (boolean);
}

export interface MemberListRequest {
  'linearizable': (boolean);
}
