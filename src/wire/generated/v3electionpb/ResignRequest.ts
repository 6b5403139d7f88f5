// Original file: proto/etcd/election.proto

import type { LeaderKey__Input as _v3electionpb_LeaderKey__Input, LeaderKey as _v3electionpb_LeaderKey } from '../v3electionpb/LeaderKey.ts';

export interface ResignRequest__Input {
  'leader'?: (_v3electionpb_LeaderKey__Input | null);
}

export interface ResignRequest {
  'leader': (_v3electionpb_LeaderKey | null);
}
