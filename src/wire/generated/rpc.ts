import type * as grpc from '@grpc/grpc-js';
import type { EnumTypeDefinition, MessageTypeDefinition } from '@grpc/proto-loader';

import type { Permission__Input as _authpb_Permission__Input, Permission as _authpb_Permission } from './authpb/Permission.ts';
import type { Role__Input as _authpb_Role__Input, Role as _authpb_Role } from './authpb/Role.ts';
import type { User__Input as _authpb_User__Input, User as _authpb_User } from './authpb/User.ts';
import type { UserAddOptions__Input as _authpb_UserAddOptions__Input, UserAddOptions as _authpb_UserAddOptions } from './authpb/UserAddOptions.ts';
import type { AlarmMember__Input as _etcdserverpb_AlarmMember__Input, AlarmMember as _etcdserverpb_AlarmMember } from './etcdserverpb/AlarmMember.ts';
import type { AlarmRequest__Input as _etcdserverpb_AlarmRequest__Input, AlarmRequest as _etcdserverpb_AlarmRequest } from './etcdserverpb/AlarmRequest.ts';
import type { AlarmResponse__Input as _etcdserverpb_AlarmResponse__Input, AlarmResponse as _etcdserverpb_AlarmResponse } from './etcdserverpb/AlarmResponse.ts';
import type { AuthClient as _etcdserverpb_AuthClient, AuthDefinition as _etcdserverpb_AuthDefinition } from './etcdserverpb/Auth.ts';
import type { AuthDisableRequest__Input as _etcdserverpb_AuthDisableRequest__Input, AuthDisableRequest as _etcdserverpb_AuthDisableRequest } from './etcdserverpb/AuthDisableRequest.ts';
import type { AuthDisableResponse__Input as _etcdserverpb_AuthDisableResponse__Input, AuthDisableResponse as _etcdserverpb_AuthDisableResponse } from './etcdserverpb/AuthDisableResponse.ts';
import type { AuthEnableRequest__Input as _etcdserverpb_AuthEnableRequest__Input, AuthEnableRequest as _etcdserverpb_AuthEnableRequest } from './etcdserverpb/AuthEnableRequest.ts';
import type { AuthEnableResponse__Input as _etcdserverpb_AuthEnableResponse__Input, AuthEnableResponse as _etcdserverpb_AuthEnableResponse } from './etcdserverpb/AuthEnableResponse.ts';
import type { AuthRoleAddRequest__Input as _etcdserverpb_AuthRoleAddRequest__Input, AuthRoleAddRequest as _etcdserverpb_AuthRoleAddRequest } from './etcdserverpb/AuthRoleAddRequest.ts';
import type { AuthRoleAddResponse__Input as _etcdserverpb_AuthRoleAddResponse__Input, AuthRoleAddResponse as _etcdserverpb_AuthRoleAddResponse } from './etcdserverpb/AuthRoleAddResponse.ts';
import type { AuthRoleDeleteRequest__Input as _etcdserverpb_AuthRoleDeleteRequest__Input, AuthRoleDeleteRequest as _etcdserverpb_AuthRoleDeleteRequest } from './etcdserverpb/AuthRoleDeleteRequest.ts';
import type { AuthRoleDeleteResponse__Input as _etcdserverpb_AuthRoleDeleteResponse__Input, AuthRoleDeleteResponse as _etcdserverpb_AuthRoleDeleteResponse } from './etcdserverpb/AuthRoleDeleteResponse.ts';
import type { AuthRoleGetRequest__Input as _etcdserverpb_AuthRoleGetRequest__Input, AuthRoleGetRequest as _etcdserverpb_AuthRoleGetRequest } from './etcdserverpb/AuthRoleGetRequest.ts';
import type { AuthRoleGetResponse__Input as _etcdserverpb_AuthRoleGetResponse__Input, AuthRoleGetResponse as _etcdserverpb_AuthRoleGetResponse } from './etcdserverpb/AuthRoleGetResponse.ts';
import type { AuthRoleGrantPermissionRequest__Input as _etcdserverpb_AuthRoleGrantPermissionRequest__Input, AuthRoleGrantPermissionRequest as _etcdserverpb_AuthRoleGrantPermissionRequest } from './etcdserverpb/AuthRoleGrantPermissionRequest.ts';
import type { AuthRoleGrantPermissionResponse__Input as _etcdserverpb_AuthRoleGrantPermissionResponse__Input, AuthRoleGrantPermissionResponse as _etcdserverpb_AuthRoleGrantPermissionResponse } from './etcdserverpb/AuthRoleGrantPermissionResponse.ts';
import type { AuthRoleListRequest__Input as _etcdserverpb_AuthRoleListRequest__Input, AuthRoleListRequest as _etcdserverpb_AuthRoleListRequest } from './etcdserverpb/AuthRoleListRequest.ts';
import type { AuthRoleListResponse__Input as _etcdserverpb_AuthRoleListResponse__Input, AuthRoleListResponse as _etcdserverpb_AuthRoleListResponse } from './etcdserverpb/AuthRoleListResponse.ts';
import type { AuthRoleRevokePermissionRequest__Input as _etcdserverpb_AuthRoleRevokePermissionRequest__Input, AuthRoleRevokePermissionRequest as _etcdserverpb_AuthRoleRevokePermissionRequest } from './etcdserverpb/AuthRoleRevokePermissionRequest.ts';
import type { AuthRoleRevokePermissionResponse__Input as _etcdserverpb_AuthRoleRevokePermissionResponse__Input, AuthRoleRevokePermissionResponse as _etcdserverpb_AuthRoleRevokePermissionResponse } from './etcdserverpb/AuthRoleRevokePermissionResponse.ts';
import type { AuthStatusRequest__Input as _etcdserverpb_AuthStatusRequest__Input, AuthStatusRequest as _etcdserverpb_AuthStatusRequest } from './etcdserverpb/AuthStatusRequest.ts';
import type { AuthStatusResponse__Input as _etcdserverpb_AuthStatusResponse__Input, AuthStatusResponse as _etcdserverpb_AuthStatusResponse } from './etcdserverpb/AuthStatusResponse.ts';
import type { AuthUserAddRequest__Input as _etcdserverpb_AuthUserAddRequest__Input, AuthUserAddRequest as _etcdserverpb_AuthUserAddRequest } from './etcdserverpb/AuthUserAddRequest.ts';
import type { AuthUserAddResponse__Input as _etcdserverpb_AuthUserAddResponse__Input, AuthUserAddResponse as _etcdserverpb_AuthUserAddResponse } from './etcdserverpb/AuthUserAddResponse.ts';
import type { AuthUserChangePasswordRequest__Input as _etcdserverpb_AuthUserChangePasswordRequest__Input, AuthUserChangePasswordRequest as _etcdserverpb_AuthUserChangePasswordRequest } from './etcdserverpb/AuthUserChangePasswordRequest.ts';
import type { AuthUserChangePasswordResponse__Input as _etcdserverpb_AuthUserChangePasswordResponse__Input, AuthUserChangePasswordResponse as _etcdserverpb_AuthUserChangePasswordResponse } from './etcdserverpb/AuthUserChangePasswordResponse.ts';
import type { AuthUserDeleteRequest__Input as _etcdserverpb_AuthUserDeleteRequest__Input, AuthUserDeleteRequest as _etcdserverpb_AuthUserDeleteRequest } from './etcdserverpb/AuthUserDeleteRequest.ts';
import type { AuthUserDeleteResponse__Input as _etcdserverpb_AuthUserDeleteResponse__Input, AuthUserDeleteResponse as _etcdserverpb_AuthUserDeleteResponse } from './etcdserverpb/AuthUserDeleteResponse.ts';
import type { AuthUserGetRequest__Input as _etcdserverpb_AuthUserGetRequest__Input, AuthUserGetRequest as _etcdserverpb_AuthUserGetRequest } from './etcdserverpb/AuthUserGetRequest.ts';
import type { AuthUserGetResponse__Input as _etcdserverpb_AuthUserGetResponse__Input, AuthUserGetResponse as _etcdserverpb_AuthUserGetResponse } from './etcdserverpb/AuthUserGetResponse.ts';
import type { AuthUserGrantRoleRequest__Input as _etcdserverpb_AuthUserGrantRoleRequest__Input, AuthUserGrantRoleRequest as _etcdserverpb_AuthUserGrantRoleRequest } from './etcdserverpb/AuthUserGrantRoleRequest.ts';
import type { AuthUserGrantRoleResponse__Input as _etcdserverpb_AuthUserGrantRoleResponse__Input, AuthUserGrantRoleResponse as _etcdserverpb_AuthUserGrantRoleResponse } from './etcdserverpb/AuthUserGrantRoleResponse.ts';
import type { AuthUserListRequest__Input as _etcdserverpb_AuthUserListRequest__Input, AuthUserListRequest as _etcdserverpb_AuthUserListRequest } from './etcdserverpb/AuthUserListRequest.ts';
import type { AuthUserListResponse__Input as _etcdserverpb_AuthUserListResponse__Input, AuthUserListResponse as _etcdserverpb_AuthUserListResponse } from './etcdserverpb/AuthUserListResponse.ts';
import type { AuthUserRevokeRoleRequest__Input as _etcdserverpb_AuthUserRevokeRoleRequest__Input, AuthUserRevokeRoleRequest as _etcdserverpb_AuthUserRevokeRoleRequest } from './etcdserverpb/AuthUserRevokeRoleRequest.ts';
import type { AuthUserRevokeRoleResponse__Input as _etcdserverpb_AuthUserRevokeRoleResponse__Input, AuthUserRevokeRoleResponse as _etcdserverpb_AuthUserRevokeRoleResponse } from './etcdserverpb/AuthUserRevokeRoleResponse.ts';
import type { AuthenticateRequest__Input as _etcdserverpb_AuthenticateRequest__Input, AuthenticateRequest as _etcdserverpb_AuthenticateRequest } from './etcdserverpb/AuthenticateRequest.ts';
import type { AuthenticateResponse__Input as _etcdserverpb_AuthenticateResponse__Input, AuthenticateResponse as _etcdserverpb_AuthenticateResponse } from './etcdserverpb/AuthenticateResponse.ts';
import type { ClusterClient as _etcdserverpb_ClusterClient, ClusterDefinition as _etcdserverpb_ClusterDefinition } from './etcdserverpb/Cluster.ts';
import type { CompactionRequest__Input as _etcdserverpb_CompactionRequest__Input, CompactionRequest as _etcdserverpb_CompactionRequest } from './etcdserverpb/CompactionRequest.ts';
import type { CompactionResponse__Input as _etcdserverpb_CompactionResponse__Input, CompactionResponse as _etcdserverpb_CompactionResponse } from './etcdserverpb/CompactionResponse.ts';
import type { Compare__Input as _etcdserverpb_Compare__Input, Compare as _etcdserverpb_Compare } from './etcdserverpb/Compare.ts';
import type { DefragmentRequest__Input as _etcdserverpb_DefragmentRequest__Input, DefragmentRequest as _etcdserverpb_DefragmentRequest } from './etcdserverpb/DefragmentRequest.ts';
import type { DefragmentResponse__Input as _etcdserverpb_DefragmentResponse__Input, DefragmentResponse as _etcdserverpb_DefragmentResponse } from './etcdserverpb/DefragmentResponse.ts';
import type { DeleteRangeRequest__Input as _etcdserverpb_DeleteRangeRequest__Input, DeleteRangeRequest as _etcdserverpb_DeleteRangeRequest } from './etcdserverpb/DeleteRangeRequest.ts';
import type { DeleteRangeResponse__Input as _etcdserverpb_DeleteRangeResponse__Input, DeleteRangeResponse as _etcdserverpb_DeleteRangeResponse } from './etcdserverpb/DeleteRangeResponse.ts';
import type { DowngradeInfo__Input as _etcdserverpb_DowngradeInfo__Input, DowngradeInfo as _etcdserverpb_DowngradeInfo } from './etcdserverpb/DowngradeInfo.ts';
import type { DowngradeRequest__Input as _etcdserverpb_DowngradeRequest__Input, DowngradeRequest as _etcdserverpb_DowngradeRequest } from './etcdserverpb/DowngradeRequest.ts';
import type { DowngradeResponse__Input as _etcdserverpb_DowngradeResponse__Input, DowngradeResponse as _etcdserverpb_DowngradeResponse } from './etcdserverpb/DowngradeResponse.ts';
import type { HashKVRequest__Input as _etcdserverpb_HashKVRequest__Input, HashKVRequest as _etcdserverpb_HashKVRequest } from './etcdserverpb/HashKVRequest.ts';
import type { HashKVResponse__Input as _etcdserverpb_HashKVResponse__Input, HashKVResponse as _etcdserverpb_HashKVResponse } from './etcdserverpb/HashKVResponse.ts';
import type { HashRequest__Input as _etcdserverpb_HashRequest__Input, HashRequest as _etcdserverpb_HashRequest } from './etcdserverpb/HashRequest.ts';
import type { HashResponse__Input as _etcdserverpb_HashResponse__Input, HashResponse as _etcdserverpb_HashResponse } from './etcdserverpb/HashResponse.ts';
import type { KVClient as _etcdserverpb_KVClient, KVDefinition as _etcdserverpb_KVDefinition } from './etcdserverpb/KV.ts';
import type { LeaseClient as _etcdserverpb_LeaseClient, LeaseDefinition as _etcdserverpb_LeaseDefinition } from './etcdserverpb/Lease.ts';
import type { LeaseGrantRequest__Input as _etcdserverpb_LeaseGrantRequest__Input, LeaseGrantRequest as _etcdserverpb_LeaseGrantRequest } from './etcdserverpb/LeaseGrantRequest.ts';
import type { LeaseGrantResponse__Input as _etcdserverpb_LeaseGrantResponse__Input, LeaseGrantResponse as _etcdserverpb_LeaseGrantResponse } from './etcdserverpb/LeaseGrantResponse.ts';
import type { LeaseKeepAliveRequest__Input as _etcdserverpb_LeaseKeepAliveRequest__Input, LeaseKeepAliveRequest as _etcdserverpb_LeaseKeepAliveRequest } from './etcdserverpb/LeaseKeepAliveRequest.ts';
import type { LeaseKeepAliveResponse__Input as _etcdserverpb_LeaseKeepAliveResponse__Input, LeaseKeepAliveResponse as _etcdserverpb_LeaseKeepAliveResponse } from './etcdserverpb/LeaseKeepAliveResponse.ts';
import type { LeaseLeasesRequest__Input as _etcdserverpb_LeaseLeasesRequest__Input, LeaseLeasesRequest as _etcdserverpb_LeaseLeasesRequest } from './etcdserverpb/LeaseLeasesRequest.ts';
import type { LeaseLeasesResponse__Input as _etcdserverpb_LeaseLeasesResponse__Input, LeaseLeasesResponse as _etcdserverpb_LeaseLeasesResponse } from './etcdserverpb/LeaseLeasesResponse.ts';
import type { LeaseRevokeRequest__Input as _etcdserverpb_LeaseRevokeRequest__Input, LeaseRevokeRequest as _etcdserverpb_LeaseRevokeRequest } from './etcdserverpb/LeaseRevokeRequest.ts';
import type { LeaseRevokeResponse__Input as _etcdserverpb_LeaseRevokeResponse__Input, LeaseRevokeResponse as _etcdserverpb_LeaseRevokeResponse } from './etcdserverpb/LeaseRevokeResponse.ts';
import type { LeaseStatus__Input as _etcdserverpb_LeaseStatus__Input, LeaseStatus as _etcdserverpb_LeaseStatus } from './etcdserverpb/LeaseStatus.ts';
import type { LeaseTimeToLiveRequest__Input as _etcdserverpb_LeaseTimeToLiveRequest__Input, LeaseTimeToLiveRequest as _etcdserverpb_LeaseTimeToLiveRequest } from './etcdserverpb/LeaseTimeToLiveRequest.ts';
import type { LeaseTimeToLiveResponse__Input as _etcdserverpb_LeaseTimeToLiveResponse__Input, LeaseTimeToLiveResponse as _etcdserverpb_LeaseTimeToLiveResponse } from './etcdserverpb/LeaseTimeToLiveResponse.ts';
import type { MaintenanceClient as _etcdserverpb_MaintenanceClient, MaintenanceDefinition as _etcdserverpb_MaintenanceDefinition } from './etcdserverpb/Maintenance.ts';
import type { Member__Input as _etcdserverpb_Member__Input, Member as _etcdserverpb_Member } from './etcdserverpb/Member.ts';
import type { MemberAddRequest__Input as _etcdserverpb_MemberAddRequest__Input, MemberAddRequest as _etcdserverpb_MemberAddRequest } from './etcdserverpb/MemberAddRequest.ts';
import type { MemberAddResponse__Input as _etcdserverpb_MemberAddResponse__Input, MemberAddResponse as _etcdserverpb_MemberAddResponse } from './etcdserverpb/MemberAddResponse.ts';
import type { MemberListRequest__Input as _etcdserverpb_MemberListRequest__Input, MemberListRequest as _etcdserverpb_MemberListRequest } from './etcdserverpb/MemberListRequest.ts';
import type { MemberListResponse__Input as _etcdserverpb_MemberListResponse__Input, MemberListResponse as _etcdserverpb_MemberListResponse } from './etcdserverpb/MemberListResponse.ts';
import type { MemberPromoteRequest__Input as _etcdserverpb_MemberPromoteRequest__Input, MemberPromoteRequest as _etcdserverpb_MemberPromoteRequest } from './etcdserverpb/MemberPromoteRequest.ts';
import type { MemberPromoteResponse__Input as _etcdserverpb_MemberPromoteResponse__Input, MemberPromoteResponse as _etcdserverpb_MemberPromoteResponse } from './etcdserverpb/MemberPromoteResponse.ts';
import type { MemberRemoveRequest__Input as _etcdserverpb_MemberRemoveRequest__Input, MemberRemoveRequest as _etcdserverpb_MemberRemoveRequest } from './etcdserverpb/MemberRemoveRequest.ts';
import type { MemberRemoveResponse__Input as _etcdserverpb_MemberRemoveResponse__Input, MemberRemoveResponse as _etcdserverpb_MemberRemoveResponse } from './etcdserverpb/MemberRemoveResponse.ts';
import type { MemberUpdateRequest__Input as _etcdserverpb_MemberUpdateRequest__Input, MemberUpdateRequest as _etcdserverpb_MemberUpdateRequest } from './etcdserverpb/MemberUpdateRequest.ts';
import type { MemberUpdateResponse__Input as _etcdserverpb_MemberUpdateResponse__Input, MemberUpdateResponse as _etcdserverpb_MemberUpdateResponse } from './etcdserverpb/MemberUpdateResponse.ts';
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
import type { SnapshotRequest__Input as _etcdserverpb_SnapshotRequest__Input, SnapshotRequest as _etcdserverpb_SnapshotRequest } from './etcdserverpb/SnapshotRequest.ts';
import type { SnapshotResponse__Input as _etcdserverpb_SnapshotResponse__Input, SnapshotResponse as _etcdserverpb_SnapshotResponse } from './etcdserverpb/SnapshotResponse.ts';
import type { StatusRequest__Input as _etcdserverpb_StatusRequest__Input, StatusRequest as _etcdserverpb_StatusRequest } from './etcdserverpb/StatusRequest.ts';
import type { StatusResponse__Input as _etcdserverpb_StatusResponse__Input, StatusResponse as _etcdserverpb_StatusResponse } from './etcdserverpb/StatusResponse.ts';
import type { TxnRequest__Input as _etcdserverpb_TxnRequest__Input, TxnRequest as _etcdserverpb_TxnRequest } from './etcdserverpb/TxnRequest.ts';
import type { TxnResponse__Input as _etcdserverpb_TxnResponse__Input, TxnResponse as _etcdserverpb_TxnResponse } from './etcdserverpb/TxnResponse.ts';
import type { WatchClient as _etcdserverpb_WatchClient, WatchDefinition as _etcdserverpb_WatchDefinition } from './etcdserverpb/Watch.ts';
import type { WatchCancelRequest__Input as _etcdserverpb_WatchCancelRequest__Input, WatchCancelRequest as _etcdserverpb_WatchCancelRequest } from './etcdserverpb/WatchCancelRequest.ts';
import type { WatchCreateRequest__Input as _etcdserverpb_WatchCreateRequest__Input, WatchCreateRequest as _etcdserverpb_WatchCreateRequest } from './etcdserverpb/WatchCreateRequest.ts';
import type { WatchProgressRequest__Input as _etcdserverpb_WatchProgressRequest__Input, WatchProgressRequest as _etcdserverpb_WatchProgressRequest } from './etcdserverpb/WatchProgressRequest.ts';
import type { WatchRequest__Input as _etcdserverpb_WatchRequest__Input, WatchRequest as _etcdserverpb_WatchRequest } from './etcdserverpb/WatchRequest.ts';
import type { WatchResponse__Input as _etcdserverpb_WatchResponse__Input, WatchResponse as _etcdserverpb_WatchResponse } from './etcdserverpb/WatchResponse.ts';
import type { Event__Input as _mvccpb_Event__Input, Event as _mvccpb_Event } from './mvccpb/Event.ts';
import type { KeyValue__Input as _mvccpb_KeyValue__Input, KeyValue as _mvccpb_KeyValue } from './mvccpb/KeyValue.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  authpb: {
    Permission: MessageTypeDefinition<_authpb_Permission__Input, _authpb_Permission>
    Role: MessageTypeDefinition<_authpb_Role__Input, _authpb_Role>
    User: MessageTypeDefinition<_authpb_User__Input, _authpb_User>
    UserAddOptions: MessageTypeDefinition<_authpb_UserAddOptions__Input, _authpb_UserAddOptions>
  }
  etcdserverpb: {
    AlarmMember: MessageTypeDefinition<_etcdserverpb_AlarmMember__Input, _etcdserverpb_AlarmMember>
    AlarmRequest: MessageTypeDefinition<_etcdserverpb_AlarmRequest__Input, _etcdserverpb_AlarmRequest>
    AlarmResponse: MessageTypeDefinition<_etcdserverpb_AlarmResponse__Input, _etcdserverpb_AlarmResponse>
    AlarmType: EnumTypeDefinition
    Auth: SubtypeConstructor<typeof grpc.Client, _etcdserverpb_AuthClient> & { service: _etcdserverpb_AuthDefinition }
    AuthDisableRequest: MessageTypeDefinition<_etcdserverpb_AuthDisableRequest__Input, _etcdserverpb_AuthDisableRequest>
    AuthDisableResponse: MessageTypeDefinition<_etcdserverpb_AuthDisableResponse__Input, _etcdserverpb_AuthDisableResponse>
    AuthEnableRequest: MessageTypeDefinition<_etcdserverpb_AuthEnableRequest__Input, _etcdserverpb_AuthEnableRequest>
    AuthEnableResponse: MessageTypeDefinition<_etcdserverpb_AuthEnableResponse__Input, _etcdserverpb_AuthEnableResponse>
    AuthRoleAddRequest: MessageTypeDefinition<_etcdserverpb_AuthRoleAddRequest__Input, _etcdserverpb_AuthRoleAddRequest>
    AuthRoleAddResponse: MessageTypeDefinition<_etcdserverpb_AuthRoleAddResponse__Input, _etcdserverpb_AuthRoleAddResponse>
    AuthRoleDeleteRequest: MessageTypeDefinition<_etcdserverpb_AuthRoleDeleteRequest__Input, _etcdserverpb_AuthRoleDeleteRequest>
    AuthRoleDeleteResponse: MessageTypeDefinition<_etcdserverpb_AuthRoleDeleteResponse__Input, _etcdserverpb_AuthRoleDeleteResponse>
    AuthRoleGetRequest: MessageTypeDefinition<_etcdserverpb_AuthRoleGetRequest__Input, _etcdserverpb_AuthRoleGetRequest>
    AuthRoleGetResponse: MessageTypeDefinition<_etcdserverpb_AuthRoleGetResponse__Input, _etcdserverpb_AuthRoleGetResponse>
    AuthRoleGrantPermissionRequest: MessageTypeDefinition<_etcdserverpb_AuthRoleGrantPermissionRequest__Input, _etcdserverpb_AuthRoleGrantPermissionRequest>
    AuthRoleGrantPermissionResponse: MessageTypeDefinition<_etcdserverpb_AuthRoleGrantPermissionResponse__Input, _etcdserverpb_AuthRoleGrantPermissionResponse>
    AuthRoleListRequest: MessageTypeDefinition<_etcdserverpb_AuthRoleListRequest__Input, _etcdserverpb_AuthRoleListRequest>
    AuthRoleListResponse: MessageTypeDefinition<_etcdserverpb_AuthRoleListResponse__Input, _etcdserverpb_AuthRoleListResponse>
    AuthRoleRevokePermissionRequest: MessageTypeDefinition<_etcdserverpb_AuthRoleRevokePermissionRequest__Input, _etcdserverpb_AuthRoleRevokePermissionRequest>
    AuthRoleRevokePermissionResponse: MessageTypeDefinition<_etcdserverpb_AuthRoleRevokePermissionResponse__Input, _etcdserverpb_AuthRoleRevokePermissionResponse>
    AuthStatusRequest: MessageTypeDefinition<_etcdserverpb_AuthStatusRequest__Input, _etcdserverpb_AuthStatusRequest>
    AuthStatusResponse: MessageTypeDefinition<_etcdserverpb_AuthStatusResponse__Input, _etcdserverpb_AuthStatusResponse>
    AuthUserAddRequest: MessageTypeDefinition<_etcdserverpb_AuthUserAddRequest__Input, _etcdserverpb_AuthUserAddRequest>
    AuthUserAddResponse: MessageTypeDefinition<_etcdserverpb_AuthUserAddResponse__Input, _etcdserverpb_AuthUserAddResponse>
    AuthUserChangePasswordRequest: MessageTypeDefinition<_etcdserverpb_AuthUserChangePasswordRequest__Input, _etcdserverpb_AuthUserChangePasswordRequest>
    AuthUserChangePasswordResponse: MessageTypeDefinition<_etcdserverpb_AuthUserChangePasswordResponse__Input, _etcdserverpb_AuthUserChangePasswordResponse>
    AuthUserDeleteRequest: MessageTypeDefinition<_etcdserverpb_AuthUserDeleteRequest__Input, _etcdserverpb_AuthUserDeleteRequest>
    AuthUserDeleteResponse: MessageTypeDefinition<_etcdserverpb_AuthUserDeleteResponse__Input, _etcdserverpb_AuthUserDeleteResponse>
    AuthUserGetRequest: MessageTypeDefinition<_etcdserverpb_AuthUserGetRequest__Input, _etcdserverpb_AuthUserGetRequest>
    AuthUserGetResponse: MessageTypeDefinition<_etcdserverpb_AuthUserGetResponse__Input, _etcdserverpb_AuthUserGetResponse>
    AuthUserGrantRoleRequest: MessageTypeDefinition<_etcdserverpb_AuthUserGrantRoleRequest__Input, _etcdserverpb_AuthUserGrantRoleRequest>
    AuthUserGrantRoleResponse: MessageTypeDefinition<_etcdserverpb_AuthUserGrantRoleResponse__Input, _etcdserverpb_AuthUserGrantRoleResponse>
    AuthUserListRequest: MessageTypeDefinition<_etcdserverpb_AuthUserListRequest__Input, _etcdserverpb_AuthUserListRequest>
    AuthUserListResponse: MessageTypeDefinition<_etcdserverpb_AuthUserListResponse__Input, _etcdserverpb_AuthUserListResponse>
    AuthUserRevokeRoleRequest: MessageTypeDefinition<_etcdserverpb_AuthUserRevokeRoleRequest__Input, _etcdserverpb_AuthUserRevokeRoleRequest>
    AuthUserRevokeRoleResponse: MessageTypeDefinition<_etcdserverpb_AuthUserRevokeRoleResponse__Input, _etcdserverpb_AuthUserRevokeRoleResponse>
    AuthenticateRequest: MessageTypeDefinition<_etcdserverpb_AuthenticateRequest__Input, _etcdserverpb_AuthenticateRequest>
    AuthenticateResponse: MessageTypeDefinition<_etcdserverpb_AuthenticateResponse__Input, _etcdserverpb_AuthenticateResponse>
    Cluster: SubtypeConstructor<typeof grpc.Client, _etcdserverpb_ClusterClient> & { service: _etcdserverpb_ClusterDefinition }
    CompactionRequest: MessageTypeDefinition<_etcdserverpb_CompactionRequest__Input, _etcdserverpb_CompactionRequest>
    CompactionResponse: MessageTypeDefinition<_etcdserverpb_CompactionResponse__Input, _etcdserverpb_CompactionResponse>
    Compare: MessageTypeDefinition<_etcdserverpb_Compare__Input, _etcdserverpb_Compare>
    DefragmentRequest: MessageTypeDefinition<_etcdserverpb_DefragmentRequest__Input, _etcdserverpb_DefragmentRequest>
    DefragmentResponse: MessageTypeDefinition<_etcdserverpb_DefragmentResponse__Input, _etcdserverpb_DefragmentResponse>
    DeleteRangeRequest: MessageTypeDefinition<_etcdserverpb_DeleteRangeRequest__Input, _etcdserverpb_DeleteRangeRequest>
    DeleteRangeResponse: MessageTypeDefinition<_etcdserverpb_DeleteRangeResponse__Input, _etcdserverpb_DeleteRangeResponse>
    DowngradeInfo: MessageTypeDefinition<_etcdserverpb_DowngradeInfo__Input, _etcdserverpb_DowngradeInfo>
    DowngradeRequest: MessageTypeDefinition<_etcdserverpb_DowngradeRequest__Input, _etcdserverpb_DowngradeRequest>
    DowngradeResponse: MessageTypeDefinition<_etcdserverpb_DowngradeResponse__Input, _etcdserverpb_DowngradeResponse>
    HashKVRequest: MessageTypeDefinition<_etcdserverpb_HashKVRequest__Input, _etcdserverpb_HashKVRequest>
    HashKVResponse: MessageTypeDefinition<_etcdserverpb_HashKVResponse__Input, _etcdserverpb_HashKVResponse>
    HashRequest: MessageTypeDefinition<_etcdserverpb_HashRequest__Input, _etcdserverpb_HashRequest>
    HashResponse: MessageTypeDefinition<_etcdserverpb_HashResponse__Input, _etcdserverpb_HashResponse>
    KV: SubtypeConstructor<typeof grpc.Client, _etcdserverpb_KVClient> & { service: _etcdserverpb_KVDefinition }
    Lease: SubtypeConstructor<typeof grpc.Client, _etcdserverpb_LeaseClient> & { service: _etcdserverpb_LeaseDefinition }
    LeaseGrantRequest: MessageTypeDefinition<_etcdserverpb_LeaseGrantRequest__Input, _etcdserverpb_LeaseGrantRequest>
    LeaseGrantResponse: MessageTypeDefinition<_etcdserverpb_LeaseGrantResponse__Input, _etcdserverpb_LeaseGrantResponse>
    LeaseKeepAliveRequest: MessageTypeDefinition<_etcdserverpb_LeaseKeepAliveRequest__Input, _etcdserverpb_LeaseKeepAliveRequest>
    LeaseKeepAliveResponse: MessageTypeDefinition<_etcdserverpb_LeaseKeepAliveResponse__Input, _etcdserverpb_LeaseKeepAliveResponse>
    LeaseLeasesRequest: MessageTypeDefinition<_etcdserverpb_LeaseLeasesRequest__Input, _etcdserverpb_LeaseLeasesRequest>
    LeaseLeasesResponse: MessageTypeDefinition<_etcdserverpb_LeaseLeasesResponse__Input, _etcdserverpb_LeaseLeasesResponse>
    LeaseRevokeRequest: MessageTypeDefinition<_etcdserverpb_LeaseRevokeRequest__Input, _etcdserverpb_LeaseRevokeRequest>
    LeaseRevokeResponse: MessageTypeDefinition<_etcdserverpb_LeaseRevokeResponse__Input, _etcdserverpb_LeaseRevokeResponse>
    LeaseStatus: MessageTypeDefinition<_etcdserverpb_LeaseStatus__Input, _etcdserverpb_LeaseStatus>
    LeaseTimeToLiveRequest: MessageTypeDefinition<_etcdserverpb_LeaseTimeToLiveRequest__Input, _etcdserverpb_LeaseTimeToLiveRequest>
    LeaseTimeToLiveResponse: MessageTypeDefinition<_etcdserverpb_LeaseTimeToLiveResponse__Input, _etcdserverpb_LeaseTimeToLiveResponse>
    Maintenance: SubtypeConstructor<typeof grpc.Client, _etcdserverpb_MaintenanceClient> & { service: _etcdserverpb_MaintenanceDefinition }
    Member: MessageTypeDefinition<_etcdserverpb_Member__Input, _etcdserverpb_Member>
    MemberAddRequest: MessageTypeDefinition<_etcdserverpb_MemberAddRequest__Input, _etcdserverpb_MemberAddRequest>
    MemberAddResponse: MessageTypeDefinition<_etcdserverpb_MemberAddResponse__Input, _etcdserverpb_MemberAddResponse>
    MemberListRequest: MessageTypeDefinition<_etcdserverpb_MemberListRequest__Input, _etcdserverpb_MemberListRequest>
    MemberListResponse: MessageTypeDefinition<_etcdserverpb_MemberListResponse__Input, _etcdserverpb_MemberListResponse>
    MemberPromoteRequest: MessageTypeDefinition<_etcdserverpb_MemberPromoteRequest__Input, _etcdserverpb_MemberPromoteRequest>
    MemberPromoteResponse: MessageTypeDefinition<_etcdserverpb_MemberPromoteResponse__Input, _etcdserverpb_MemberPromoteResponse>
    MemberRemoveRequest: MessageTypeDefinition<_etcdserverpb_MemberRemoveRequest__Input, _etcdserverpb_MemberRemoveRequest>
    MemberRemoveResponse: MessageTypeDefinition<_etcdserverpb_MemberRemoveResponse__Input, _etcdserverpb_MemberRemoveResponse>
    MemberUpdateRequest: MessageTypeDefinition<_etcdserverpb_MemberUpdateRequest__Input, _etcdserverpb_MemberUpdateRequest>
    MemberUpdateResponse: MessageTypeDefinition<_etcdserverpb_MemberUpdateResponse__Input, _etcdserverpb_MemberUpdateResponse>
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
    SnapshotRequest: MessageTypeDefinition<_etcdserverpb_SnapshotRequest__Input, _etcdserverpb_SnapshotRequest>
    SnapshotResponse: MessageTypeDefinition<_etcdserverpb_SnapshotResponse__Input, _etcdserverpb_SnapshotResponse>
    StatusRequest: MessageTypeDefinition<_etcdserverpb_StatusRequest__Input, _etcdserverpb_StatusRequest>
    StatusResponse: MessageTypeDefinition<_etcdserverpb_StatusResponse__Input, _etcdserverpb_StatusResponse>
    TxnRequest: MessageTypeDefinition<_etcdserverpb_TxnRequest__Input, _etcdserverpb_TxnRequest>
    TxnResponse: MessageTypeDefinition<_etcdserverpb_TxnResponse__Input, _etcdserverpb_TxnResponse>
    Watch: SubtypeConstructor<typeof grpc.Client, _etcdserverpb_WatchClient> & { service: _etcdserverpb_WatchDefinition }
    WatchCancelRequest: MessageTypeDefinition<_etcdserverpb_WatchCancelRequest__Input, _etcdserverpb_WatchCancelRequest>
    WatchCreateRequest: MessageTypeDefinition<_etcdserverpb_WatchCreateRequest__Input, _etcdserverpb_WatchCreateRequest>
    WatchProgressRequest: MessageTypeDefinition<_etcdserverpb_WatchProgressRequest__Input, _etcdserverpb_WatchProgressRequest>
    WatchRequest: MessageTypeDefinition<_etcdserverpb_WatchRequest__Input, _etcdserverpb_WatchRequest>
    WatchResponse: MessageTypeDefinition<_etcdserverpb_WatchResponse__Input, _etcdserverpb_WatchResponse>
  }
  mvccpb: {
    Event: MessageTypeDefinition<_mvccpb_Event__Input, _mvccpb_Event>
    KeyValue: MessageTypeDefinition<_mvccpb_KeyValue__Input, _mvccpb_KeyValue>
  }
}

