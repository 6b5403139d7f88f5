import type * as grpc from '@grpc/grpc-js';
import type { EnumTypeDefinition, MessageTypeDefinition } from '@grpc/proto-loader';

import type { AlarmMember__Input as _etcdserverpb_AlarmMember__Input, AlarmMember as _etcdserverpb_AlarmMember } from './etcdserverpb/AlarmMember.ts';
import type { AlarmRequest__Input as _etcdserverpb_AlarmRequest__Input, AlarmRequest as _etcdserverpb_AlarmRequest } from './etcdserverpb/AlarmRequest.ts';
import type { AlarmResponse__Input as _etcdserverpb_AlarmResponse__Input, AlarmResponse as _etcdserverpb_AlarmResponse } from './etcdserverpb/AlarmResponse.ts';
import type { ClusterClient as _etcdserverpb_ClusterClient, ClusterDefinition as _etcdserverpb_ClusterDefinition } from './etcdserverpb/Cluster.ts';
import type { CompactionRequest__Input as _etcdserverpb_CompactionRequest__Input, CompactionRequest as _etcdserverpb_CompactionRequest } from './etcdserverpb/CompactionRequest.ts';
import type { CompactionResponse__Input as _etcdserverpb_CompactionResponse__Input, CompactionResponse as _etcdserverpb_CompactionResponse } from './etcdserverpb/CompactionResponse.ts';
import type { Compare__Input as _etcdserverpb_Compare__Input, Compare as _etcdserverpb_Compare } from './etcdserverpb/Compare.ts';
import type { DeleteRangeRequest__Input as _etcdserverpb_DeleteRangeRequest__Input, DeleteRangeRequest as _etcdserverpb_DeleteRangeRequest } from './etcdserverpb/DeleteRangeRequest.ts';
import type { DeleteRangeResponse__Input as _etcdserverpb_DeleteRangeResponse__Input, DeleteRangeResponse as _etcdserverpb_DeleteRangeResponse } from './etcdserverpb/DeleteRangeResponse.ts';
import type { KVClient as _etcdserverpb_KVClient, KVDefinition as _etcdserverpb_KVDefinition } from './etcdserverpb/KV.ts';
import type { MaintenanceClient as _etcdserverpb_MaintenanceClient, MaintenanceDefinition as _etcdserverpb_MaintenanceDefinition } from './etcdserverpb/Maintenance.ts';
import type { Member__Input as _etcdserverpb_Member__Input, Member as _etcdserverpb_Member } from './etcdserverpb/Member.ts';
import type { MemberListRequest__Input as _etcdserverpb_MemberListRequest__Input, MemberListRequest as _etcdserverpb_MemberListRequest } from './etcdserverpb/MemberListRequest.ts';
import type { MemberListResponse__Input as _etcdserverpb_MemberListResponse__Input, MemberListResponse as _etcdserverpb_MemberListResponse } from './etcdserverpb/MemberListResponse.ts';
import type { MoveLeaderRequest__Input as _etcdserverpb_MoveLeaderRequest__Input, MoveLeaderRequest as _etcdserverpb_MoveLeaderRequest } from './etcdserverpb/MoveLeaderRequest.ts';
import type { MoveLeaderResponse__Input as _etcdserverpb_MoveLeaderResponse__Input, MoveLeaderResponse as _etcdserverpb_MoveLeaderResponse } from './etcdserverpb/MoveLeaderResponse.ts';
import type { PutRequest__Input as _etcdserverpb_PutRequest__Input, PutRequest as _etcdserverpb_PutRequest } from './etcdserverpb/PutRequest.ts';
import type { PutResponse__Input as _etcdserverpb_PutResponse__Input, PutResponse as _etcdserverpb_PutResponse } from './etcdserverpb/PutResponse.ts';
import type { RangeRequest__Input as _etcdserverpb_RangeRequest__Input, RangeRequest as _etcdserverpb_RangeRequest } from './etcdserverpb/RangeRequest.ts';
import type { RangeResponse__Input as _etcdserverpb_RangeResponse__Input, RangeResponse as _etcdserverpb_RangeResponse } from './etcdserverpb/RangeResponse.ts';
import type { RangeStreamResponse__Input as _etcdserverpb_RangeStreamResponse__Input, RangeStreamResponse as _etcdserverpb_RangeStreamResponse } from './etcdserverpb/RangeStreamResponse.ts';
import type { RequestOp__Input as _etcdserverpb_RequestOp__Input, RequestOp as _etcdserverpb_RequestOp } from './etcdserverpb/RequestOp.ts';
import type { ResponseHeader__Input as _etcdserverpb_ResponseHeader__Input, ResponseHeader as _etcdserverpb_ResponseHeader } from './etcdserverpb/ResponseHeader.ts';
import type { ResponseOp__Input as _etcdserverpb_ResponseOp__Input, ResponseOp as _etcdserverpb_ResponseOp } from './etcdserverpb/ResponseOp.ts';
import type { StatusRequest__Input as _etcdserverpb_StatusRequest__Input, StatusRequest as _etcdserverpb_StatusRequest } from './etcdserverpb/StatusRequest.ts';
import type { StatusResponse__Input as _etcdserverpb_StatusResponse__Input, StatusResponse as _etcdserverpb_StatusResponse } from './etcdserverpb/StatusResponse.ts';
import type { TxnRequest__Input as _etcdserverpb_TxnRequest__Input, TxnRequest as _etcdserverpb_TxnRequest } from './etcdserverpb/TxnRequest.ts';
import type { TxnResponse__Input as _etcdserverpb_TxnResponse__Input, TxnResponse as _etcdserverpb_TxnResponse } from './etcdserverpb/TxnResponse.ts';
import type { Event__Input as _mvccpb_Event__Input, Event as _mvccpb_Event } from './mvccpb/Event.ts';
import type { KeyValue__Input as _mvccpb_KeyValue__Input, KeyValue as _mvccpb_KeyValue } from './mvccpb/KeyValue.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  etcdserverpb: {
    AlarmMember: MessageTypeDefinition<_etcdserverpb_AlarmMember__Input, _etcdserverpb_AlarmMember>
    AlarmRequest: MessageTypeDefinition<_etcdserverpb_AlarmRequest__Input, _etcdserverpb_AlarmRequest>
    AlarmResponse: MessageTypeDefinition<_etcdserverpb_AlarmResponse__Input, _etcdserverpb_AlarmResponse>
    AlarmType: EnumTypeDefinition
    Cluster: SubtypeConstructor<typeof grpc.Client, _etcdserverpb_ClusterClient> & { service: _etcdserverpb_ClusterDefinition }
    CompactionRequest: MessageTypeDefinition<_etcdserverpb_CompactionRequest__Input, _etcdserverpb_CompactionRequest>
    CompactionResponse: MessageTypeDefinition<_etcdserverpb_CompactionResponse__Input, _etcdserverpb_CompactionResponse>
    Compare: MessageTypeDefinition<_etcdserverpb_Compare__Input, _etcdserverpb_Compare>
    DeleteRangeRequest: MessageTypeDefinition<_etcdserverpb_DeleteRangeRequest__Input, _etcdserverpb_DeleteRangeRequest>
    DeleteRangeResponse: MessageTypeDefinition<_etcdserverpb_DeleteRangeResponse__Input, _etcdserverpb_DeleteRangeResponse>
    KV: SubtypeConstructor<typeof grpc.Client, _etcdserverpb_KVClient> & { service: _etcdserverpb_KVDefinition }
    Maintenance: SubtypeConstructor<typeof grpc.Client, _etcdserverpb_MaintenanceClient> & { service: _etcdserverpb_MaintenanceDefinition }
    Member: MessageTypeDefinition<_etcdserverpb_Member__Input, _etcdserverpb_Member>
    MemberListRequest: MessageTypeDefinition<_etcdserverpb_MemberListRequest__Input, _etcdserverpb_MemberListRequest>
    MemberListResponse: MessageTypeDefinition<_etcdserverpb_MemberListResponse__Input, _etcdserverpb_MemberListResponse>
    MoveLeaderRequest: MessageTypeDefinition<_etcdserverpb_MoveLeaderRequest__Input, _etcdserverpb_MoveLeaderRequest>
    MoveLeaderResponse: MessageTypeDefinition<_etcdserverpb_MoveLeaderResponse__Input, _etcdserverpb_MoveLeaderResponse>
    PutRequest: MessageTypeDefinition<_etcdserverpb_PutRequest__Input, _etcdserverpb_PutRequest>
    PutResponse: MessageTypeDefinition<_etcdserverpb_PutResponse__Input, _etcdserverpb_PutResponse>
    RangeRequest: MessageTypeDefinition<_etcdserverpb_RangeRequest__Input, _etcdserverpb_RangeRequest>
    RangeResponse: MessageTypeDefinition<_etcdserverpb_RangeResponse__Input, _etcdserverpb_RangeResponse>
    RangeStreamResponse: MessageTypeDefinition<_etcdserverpb_RangeStreamResponse__Input, _etcdserverpb_RangeStreamResponse>
    RequestOp: MessageTypeDefinition<_etcdserverpb_RequestOp__Input, _etcdserverpb_RequestOp>
    ResponseHeader: MessageTypeDefinition<_etcdserverpb_ResponseHeader__Input, _etcdserverpb_ResponseHeader>
    ResponseOp: MessageTypeDefinition<_etcdserverpb_ResponseOp__Input, _etcdserverpb_ResponseOp>
    StatusRequest: MessageTypeDefinition<_etcdserverpb_StatusRequest__Input, _etcdserverpb_StatusRequest>
    StatusResponse: MessageTypeDefinition<_etcdserverpb_StatusResponse__Input, _etcdserverpb_StatusResponse>
    TxnRequest: MessageTypeDefinition<_etcdserverpb_TxnRequest__Input, _etcdserverpb_TxnRequest>
    TxnResponse: MessageTypeDefinition<_etcdserverpb_TxnResponse__Input, _etcdserverpb_TxnResponse>
  }
  mvccpb: {
    Event: MessageTypeDefinition<_mvccpb_Event__Input, _mvccpb_Event>
    KeyValue: MessageTypeDefinition<_mvccpb_KeyValue__Input, _mvccpb_KeyValue>
  }
}

