// Original file: proto/etcd/rpc.proto


export interface MemberAddRequest__Input {
  'peerURLs'?: (string)[];
  'isLearner'?: (boolean);
  'holdfastAutoPromote'?: (boolean);
}

export interface MemberAddRequest {
  'peerURLs': (string)[];
  'isLearner': (boolean);
  'holdfastAutoPromote': (boolean);
}
