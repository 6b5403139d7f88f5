// Original file: proto/etcd/election.proto

import type { ResponseHeader__Input as _etcdserverpb_ResponseHeader__Input, ResponseHeader as _etcdserverpb_ResponseHeader } from '../etcdserverpb/ResponseHeader.ts';
import type { LeaderKey__Input as _v3electionpb_LeaderKey__Input, LeaderKey as _v3electionpb_LeaderKey } from '../v3electionpb/LeaderKey.ts';

export interface CampaignResponse__Input {
  'header'?: (_etcdserverpb_ResponseHeader__Input | null);
  'leader'?: (_v3electionpb_LeaderKey__Input | null);
}

export interface CampaignResponse {
  'header': (_etcdserverpb_ResponseHeader | null);
  'leader': (_v3electionpb_LeaderKey | null);
}
