/**
 * Types of the protobuf contracts by their plain names: requests as a server gets them, responses
 * as it may write them. The files behind them are generated: `npm run proto`.
 */
export type { AlarmMember__Input as AlarmMember } from './generated/etcdserverpb/AlarmMember.ts';
export type { AlarmRequest } from './generated/etcdserverpb/AlarmRequest.ts';
export type { AlarmResponse__Input as AlarmResponse } from './generated/etcdserverpb/AlarmResponse.ts';
export type { ClusterClient, ClusterHandlers } from './generated/etcdserverpb/Cluster.ts';
export type { CompactionRequest } from './generated/etcdserverpb/CompactionRequest.ts';
export type { CompactionResponse__Input as CompactionResponse } from './generated/etcdserverpb/CompactionResponse.ts';
export type { Compare } from './generated/etcdserverpb/Compare.ts';
export type { DefragmentRequest } from './generated/etcdserverpb/DefragmentRequest.ts';
export type { DefragmentResponse__Input as DefragmentResponse } from './generated/etcdserverpb/DefragmentResponse.ts';
export type { DeleteRangeRequest } from './generated/etcdserverpb/DeleteRangeRequest.ts';
export type { DeleteRangeResponse__Input as DeleteRangeResponse } from './generated/etcdserverpb/DeleteRangeResponse.ts';
export type { DowngradeRequest } from './generated/etcdserverpb/DowngradeRequest.ts';
export type { DowngradeResponse__Input as DowngradeResponse } from './generated/etcdserverpb/DowngradeResponse.ts';
export type { HashKVRequest } from './generated/etcdserverpb/HashKVRequest.ts';
export type { HashKVResponse__Input as HashKVResponse } from './generated/etcdserverpb/HashKVResponse.ts';
export type { HashRequest } from './generated/etcdserverpb/HashRequest.ts';
export type { HashResponse__Input as HashResponse } from './generated/etcdserverpb/HashResponse.ts';
export type { KVClient, KVHandlers } from './generated/etcdserverpb/KV.ts';
export type {
  MaintenanceClient,
  MaintenanceHandlers,
} from './generated/etcdserverpb/Maintenance.ts';
export type { Member__Input as Member } from './generated/etcdserverpb/Member.ts';
export type { MemberAddRequest } from './generated/etcdserverpb/MemberAddRequest.ts';
export type { MemberAddResponse__Input as MemberAddResponse } from './generated/etcdserverpb/MemberAddResponse.ts';
export type { MemberListRequest } from './generated/etcdserverpb/MemberListRequest.ts';
export type { MemberListResponse__Input as MemberListResponse } from './generated/etcdserverpb/MemberListResponse.ts';
export type { MemberPromoteRequest } from './generated/etcdserverpb/MemberPromoteRequest.ts';
export type { MemberRemoveRequest } from './generated/etcdserverpb/MemberRemoveRequest.ts';
export type { MemberUpdateRequest } from './generated/etcdserverpb/MemberUpdateRequest.ts';
export type { MoveLeaderRequest } from './generated/etcdserverpb/MoveLeaderRequest.ts';
export type { MoveLeaderResponse__Input as MoveLeaderResponse } from './generated/etcdserverpb/MoveLeaderResponse.ts';
export type { PutRequest } from './generated/etcdserverpb/PutRequest.ts';
export type { PutResponse__Input as PutResponse } from './generated/etcdserverpb/PutResponse.ts';
export type { RangeRequest } from './generated/etcdserverpb/RangeRequest.ts';
export type { RangeResponse__Input as RangeResponse } from './generated/etcdserverpb/RangeResponse.ts';
export type { RangeStreamResponse__Input as RangeStreamResponse } from './generated/etcdserverpb/RangeStreamResponse.ts';
export type { RequestOp } from './generated/etcdserverpb/RequestOp.ts';
export type { ResponseHeader__Input as ResponseHeader } from './generated/etcdserverpb/ResponseHeader.ts';
export type { ResponseOp__Input as ResponseOp } from './generated/etcdserverpb/ResponseOp.ts';
export type { SnapshotRequest } from './generated/etcdserverpb/SnapshotRequest.ts';
export type { SnapshotResponse__Input as SnapshotResponse } from './generated/etcdserverpb/SnapshotResponse.ts';
export type { StatusRequest } from './generated/etcdserverpb/StatusRequest.ts';
export type { StatusResponse__Input as StatusResponse } from './generated/etcdserverpb/StatusResponse.ts';
export type { TxnRequest } from './generated/etcdserverpb/TxnRequest.ts';
export type { TxnResponse__Input as TxnResponse } from './generated/etcdserverpb/TxnResponse.ts';
export type { WatchClient, WatchHandlers } from './generated/etcdserverpb/Watch.ts';
export type { WatchCreateRequest } from './generated/etcdserverpb/WatchCreateRequest.ts';
export type { WatchRequest } from './generated/etcdserverpb/WatchRequest.ts';
export type { WatchResponse__Input as WatchResponse } from './generated/etcdserverpb/WatchResponse.ts';
export type { HealthClient, HealthHandlers } from './generated/grpc/health/v1/Health.ts';
export type { HealthCheckRequest } from './generated/grpc/health/v1/HealthCheckRequest.ts';
export type { HealthCheckResponse__Input as HealthCheckResponse } from './generated/grpc/health/v1/HealthCheckResponse.ts';
export type { AdminClient, AdminHandlers } from './generated/holdfast/v1/Admin.ts';
export type { DescribeRequest } from './generated/holdfast/v1/DescribeRequest.ts';
export type { DescribeResponse } from './generated/holdfast/v1/DescribeResponse.ts';
export type { DescribeResponse__Input as DescribeResponseInput } from './generated/holdfast/v1/DescribeResponse.ts';
export type { FetchSnapshotRequest } from './generated/holdfast/v1/FetchSnapshotRequest.ts';
export type { MemberDemoteRequest } from './generated/holdfast/v1/MemberDemoteRequest.ts';
export type { MemberDemoteResponse__Input as MemberDemoteResponse } from './generated/holdfast/v1/MemberDemoteResponse.ts';
export type { MemberReplaceRequest } from './generated/holdfast/v1/MemberReplaceRequest.ts';
export type { MemberReplaceResponse__Input as MemberReplaceResponse } from './generated/holdfast/v1/MemberReplaceResponse.ts';
export type { SnapshotChunk } from './generated/holdfast/v1/SnapshotChunk.ts';
export type { Event__Input as Event } from './generated/mvccpb/Event.ts';
export type { KeyValue__Input as KeyValue } from './generated/mvccpb/KeyValue.ts';
