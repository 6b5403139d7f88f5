// Original file: proto/etcd/election.proto

import type { LeaderKey__Input as _v3electionpb_LeaderKey__Input, LeaderKey as _v3electionpb_LeaderKey } from '../v3electionpb/LeaderKey.ts';

export interface ProclaimRequest__Input {
  'leader'?: (_v3electionpb_LeaderKey__Input | null);
  'value'?: (Buffer | Uint8Array | string);
}

export interface ProclaimRequest {
  'leader': (_v3electionpb_LeaderKey | null);
  'value': (Buffer);
}
