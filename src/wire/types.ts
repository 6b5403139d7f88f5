/**
 * Types of the protobuf contracts by their plain names: requests as a server gets them, responses
 * as it may write them. The files behind them are generated: `npm run proto`.
 */
export type { AlarmRequest } from './generated/etcdserverpb/AlarmRequest.ts';
export type { AlarmResponse__Input as AlarmResponse } from './generated/etcdserverpb/AlarmResponse.ts';
export type { ClusterClient, ClusterHandlers } from './generated/etcdserverpb/Cluster.ts';
export type { CompactionRequest } from './generated/etcdserverpb/CompactionRequest.ts';
export type { CompactionResponse__Input as CompactionResponse } from './generated/etcdserverpb/CompactionResponse.ts';
export type { Compare } from './generated/etcdserverpb/Compare.ts';
export type { DeleteRangeRequest } from './generated/etcdserverpb/DeleteRangeRequest.ts';
export type { DeleteRangeResponse__Input as DeleteRangeResponse } from './generated/etcdserverpb/DeleteRangeResponse.ts';
export type { KVClient, KVHandlers } from './generated/etcdserverpb/KV.ts';
export type {
  MaintenanceClient,
  MaintenanceHandlers,
} from './generated/etcdserverpb/Maintenance.ts';
export type { MemberListRequest } from './generated/etcdserverpb/MemberListRequest.ts';
export type { MemberListResponse__Input as MemberListResponse } from './generated/etcdserverpb/MemberListResponse.ts';
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
export type { StatusRequest } from './generated/etcdserverpb/StatusRequest.ts';
export type { StatusResponse__Input as StatusResponse } from './generated/etcdserverpb/StatusResponse.ts';
export type { TxnRequest } from './generated/etcdserverpb/TxnRequest.ts';
export type { TxnResponse__Input as TxnResponse } from './generated/etcdserverpb/TxnResponse.ts';
export type { HealthCheckRequest } from './generated/grpc/health/v1/HealthCheckRequest.ts';
export type { HealthCheckResponse__Input as HealthCheckResponse } from './generated/grpc/health/v1/HealthCheckResponse.ts';
export type { HealthClient, HealthHandlers } from './generated/grpc/health/v1/Health.ts';
export type { KeyValue__Input as KeyValue } from './generated/mvccpb/KeyValue.ts';
