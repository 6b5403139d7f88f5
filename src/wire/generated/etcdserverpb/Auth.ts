// Original file: proto/etcd/rpc.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { AuthDisableRequest__Input as _etcdserverpb_AuthDisableRequest__Input, AuthDisableRequest as _etcdserverpb_AuthDisableRequest } from '../etcdserverpb/AuthDisableRequest.ts';
import type { AuthDisableResponse__Input as _etcdserverpb_AuthDisableResponse__Input, AuthDisableResponse as _etcdserverpb_AuthDisableResponse } from '../etcdserverpb/AuthDisableResponse.ts';
import type { AuthEnableRequest__Input as _etcdserverpb_AuthEnableRequest__Input, AuthEnableRequest as _etcdserverpb_AuthEnableRequest } from '../etcdserverpb/AuthEnableRequest.ts';
import type { AuthEnableResponse__Input as _etcdserverpb_AuthEnableResponse__Input, AuthEnableResponse as _etcdserverpb_AuthEnableResponse } from '../etcdserverpb/AuthEnableResponse.ts';
import type { AuthRoleAddRequest__Input as _etcdserverpb_AuthRoleAddRequest__Input, AuthRoleAddRequest as _etcdserverpb_AuthRoleAddRequest } from '../etcdserverpb/AuthRoleAddRequest.ts';
import type { AuthRoleAddResponse__Input as _etcdserverpb_AuthRoleAddResponse__Input, AuthRoleAddResponse as _etcdserverpb_AuthRoleAddResponse } from '../etcdserverpb/AuthRoleAddResponse.ts';
import type { AuthRoleDeleteRequest__Input as _etcdserverpb_AuthRoleDeleteRequest__Input, AuthRoleDeleteRequest as _etcdserverpb_AuthRoleDeleteRequest } from '../etcdserverpb/AuthRoleDeleteRequest.ts';
import type { AuthRoleDeleteResponse__Input as _etcdserverpb_AuthRoleDeleteResponse__Input, AuthRoleDeleteResponse as _etcdserverpb_AuthRoleDeleteResponse } from '../etcdserverpb/AuthRoleDeleteResponse.ts';
import type { AuthRoleGetRequest__Input as _etcdserverpb_AuthRoleGetRequest__Input, AuthRoleGetRequest as _etcdserverpb_AuthRoleGetRequest } from '../etcdserverpb/AuthRoleGetRequest.ts';
import type { AuthRoleGetResponse__Input as _etcdserverpb_AuthRoleGetResponse__Input, AuthRoleGetResponse as _etcdserverpb_AuthRoleGetResponse } from '../etcdserverpb/AuthRoleGetResponse.ts';
import type { AuthRoleGrantPermissionRequest__Input as _etcdserverpb_AuthRoleGrantPermissionRequest__Input, AuthRoleGrantPermissionRequest as _etcdserverpb_AuthRoleGrantPermissionRequest } from '../etcdserverpb/AuthRoleGrantPermissionRequest.ts';
import type { AuthRoleGrantPermissionResponse__Input as _etcdserverpb_AuthRoleGrantPermissionResponse__Input, AuthRoleGrantPermissionResponse as _etcdserverpb_AuthRoleGrantPermissionResponse } from '../etcdserverpb/AuthRoleGrantPermissionResponse.ts';
import type { AuthRoleListRequest__Input as _etcdserverpb_AuthRoleListRequest__Input, AuthRoleListRequest as _etcdserverpb_AuthRoleListRequest } from '../etcdserverpb/AuthRoleListRequest.ts';
import type { AuthRoleListResponse__Input as _etcdserverpb_AuthRoleListResponse__Input, AuthRoleListResponse as _etcdserverpb_AuthRoleListResponse } from '../etcdserverpb/AuthRoleListResponse.ts';
import type { AuthRoleRevokePermissionRequest__Input as _etcdserverpb_AuthRoleRevokePermissionRequest__Input, AuthRoleRevokePermissionRequest as _etcdserverpb_AuthRoleRevokePermissionRequest } from '../etcdserverpb/AuthRoleRevokePermissionRequest.ts';
import type { AuthRoleRevokePermissionResponse__Input as _etcdserverpb_AuthRoleRevokePermissionResponse__Input, AuthRoleRevokePermissionResponse as _etcdserverpb_AuthRoleRevokePermissionResponse } from '../etcdserverpb/AuthRoleRevokePermissionResponse.ts';
import type { AuthStatusRequest__Input as _etcdserverpb_AuthStatusRequest__Input, AuthStatusRequest as _etcdserverpb_AuthStatusRequest } from '../etcdserverpb/AuthStatusRequest.ts';
import type { AuthStatusResponse__Input as _etcdserverpb_AuthStatusResponse__Input, AuthStatusResponse as _etcdserverpb_AuthStatusResponse } from '../etcdserverpb/AuthStatusResponse.ts';
import type { AuthUserAddRequest__Input as _etcdserverpb_AuthUserAddRequest__Input, AuthUserAddRequest as _etcdserverpb_AuthUserAddRequest } from '../etcdserverpb/AuthUserAddRequest.ts';
import type { AuthUserAddResponse__Input as _etcdserverpb_AuthUserAddResponse__Input, AuthUserAddResponse as _etcdserverpb_AuthUserAddResponse } from '../etcdserverpb/AuthUserAddResponse.ts';
import type { AuthUserChangePasswordRequest__Input as _etcdserverpb_AuthUserChangePasswordRequest__Input, AuthUserChangePasswordRequest as _etcdserverpb_AuthUserChangePasswordRequest } from '../etcdserverpb/AuthUserChangePasswordRequest.ts';
import type { AuthUserChangePasswordResponse__Input as _etcdserverpb_AuthUserChangePasswordResponse__Input, AuthUserChangePasswordResponse as _etcdserverpb_AuthUserChangePasswordResponse } from '../etcdserverpb/AuthUserChangePasswordResponse.ts';
import type { AuthUserDeleteRequest__Input as _etcdserverpb_AuthUserDeleteRequest__Input, AuthUserDeleteRequest as _etcdserverpb_AuthUserDeleteRequest } from '../etcdserverpb/AuthUserDeleteRequest.ts';
import type { AuthUserDeleteResponse__Input as _etcdserverpb_AuthUserDeleteResponse__Input, AuthUserDeleteResponse as _etcdserverpb_AuthUserDeleteResponse } from '../etcdserverpb/AuthUserDeleteResponse.ts';
import type { AuthUserGetRequest__Input as _etcdserverpb_AuthUserGetRequest__Input, AuthUserGetRequest as _etcdserverpb_AuthUserGetRequest } from '../etcdserverpb/AuthUserGetRequest.ts';
import type { AuthUserGetResponse__Input as _etcdserverpb_AuthUserGetResponse__Input, AuthUserGetResponse as _etcdserverpb_AuthUserGetResponse } from '../etcdserverpb/AuthUserGetResponse.ts';
import type { AuthUserGrantRoleRequest__Input as _etcdserverpb_AuthUserGrantRoleRequest__Input, AuthUserGrantRoleRequest as _etcdserverpb_AuthUserGrantRoleRequest } from '../etcdserverpb/AuthUserGrantRoleRequest.ts';
import type { AuthUserGrantRoleResponse__Input as _etcdserverpb_AuthUserGrantRoleResponse__Input, AuthUserGrantRoleResponse as _etcdserverpb_AuthUserGrantRoleResponse } from '../etcdserverpb/AuthUserGrantRoleResponse.ts';
import type { AuthUserListRequest__Input as _etcdserverpb_AuthUserListRequest__Input, AuthUserListRequest as _etcdserverpb_AuthUserListRequest } from '../etcdserverpb/AuthUserListRequest.ts';
import type { AuthUserListResponse__Input as _etcdserverpb_AuthUserListResponse__Input, AuthUserListResponse as _etcdserverpb_AuthUserListResponse } from '../etcdserverpb/AuthUserListResponse.ts';
import type { AuthUserRevokeRoleRequest__Input as _etcdserverpb_AuthUserRevokeRoleRequest__Input, AuthUserRevokeRoleRequest as _etcdserverpb_AuthUserRevokeRoleRequest } from '../etcdserverpb/AuthUserRevokeRoleRequest.ts';
import type { AuthUserRevokeRoleResponse__Input as _etcdserverpb_AuthUserRevokeRoleResponse__Input, AuthUserRevokeRoleResponse as _etcdserverpb_AuthUserRevokeRoleResponse } from '../etcdserverpb/AuthUserRevokeRoleResponse.ts';
import type { AuthenticateRequest__Input as _etcdserverpb_AuthenticateRequest__Input, AuthenticateRequest as _etcdserverpb_AuthenticateRequest } from '../etcdserverpb/AuthenticateRequest.ts';
import type { AuthenticateResponse__Input as _etcdserverpb_AuthenticateResponse__Input, AuthenticateResponse as _etcdserverpb_AuthenticateResponse } from '../etcdserverpb/AuthenticateResponse.ts';

export interface AuthClient extends grpc.Client {
  AuthDisable(argument: _etcdserverpb_AuthDisableRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_AuthDisableResponse>): grpc.ClientUnaryCall;
  AuthDisable(argument: _etcdserverpb_AuthDisableRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_AuthDisableResponse>): grpc.ClientUnaryCall;
  AuthDisable(argument: _etcdserverpb_AuthDisableRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_AuthDisableResponse>): grpc.ClientUnaryCall;
  AuthDisable(argument: _etcdserverpb_AuthDisableRequest__Input, callback: grpc.requestCallback<_etcdserverpb_AuthDisableResponse>): grpc.ClientUnaryCall;
  authDisable(argument: _etcdserverpb_AuthDisableRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_AuthDisableResponse>): grpc.ClientUnaryCall;
  authDisable(argument: _etcdserverpb_AuthDisableRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_AuthDisableResponse>): grpc.ClientUnaryCall;
  authDisable(argument: _etcdserverpb_AuthDisableRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_AuthDisableResponse>): grpc.ClientUnaryCall;
  authDisable(argument: _etcdserverpb_AuthDisableRequest__Input, callback: grpc.requestCallback<_etcdserverpb_AuthDisableResponse>): grpc.ClientUnaryCall;
  
  AuthEnable(argument: _etcdserverpb_AuthEnableRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_AuthEnableResponse>): grpc.ClientUnaryCall;
  AuthEnable(argument: _etcdserverpb_AuthEnableRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_AuthEnableResponse>): grpc.ClientUnaryCall;
  AuthEnable(argument: _etcdserverpb_AuthEnableRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_AuthEnableResponse>): grpc.ClientUnaryCall;
  AuthEnable(argument: _etcdserverpb_AuthEnableRequest__Input, callback: grpc.requestCallback<_etcdserverpb_AuthEnableResponse>): grpc.ClientUnaryCall;
  authEnable(argument: _etcdserverpb_AuthEnableRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_AuthEnableResponse>): grpc.ClientUnaryCall;
  authEnable(argument: _etcdserverpb_AuthEnableRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_AuthEnableResponse>): grpc.ClientUnaryCall;
  authEnable(argument: _etcdserverpb_AuthEnableRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_AuthEnableResponse>): grpc.ClientUnaryCall;
  authEnable(argument: _etcdserverpb_AuthEnableRequest__Input, callback: grpc.requestCallback<_etcdserverpb_AuthEnableResponse>): grpc.ClientUnaryCall;
  
  AuthStatus(argument: _etcdserverpb_AuthStatusRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_AuthStatusResponse>): grpc.ClientUnaryCall;
  AuthStatus(argument: _etcdserverpb_AuthStatusRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_AuthStatusResponse>): grpc.ClientUnaryCall;
  AuthStatus(argument: _etcdserverpb_AuthStatusRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_AuthStatusResponse>): grpc.ClientUnaryCall;
  AuthStatus(argument: _etcdserverpb_AuthStatusRequest__Input, callback: grpc.requestCallback<_etcdserverpb_AuthStatusResponse>): grpc.ClientUnaryCall;
  authStatus(argument: _etcdserverpb_AuthStatusRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_AuthStatusResponse>): grpc.ClientUnaryCall;
  authStatus(argument: _etcdserverpb_AuthStatusRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_AuthStatusResponse>): grpc.ClientUnaryCall;
  authStatus(argument: _etcdserverpb_AuthStatusRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_AuthStatusResponse>): grpc.ClientUnaryCall;
  authStatus(argument: _etcdserverpb_AuthStatusRequest__Input, callback: grpc.requestCallback<_etcdserverpb_AuthStatusResponse>): grpc.ClientUnaryCall;
  
  Authenticate(argument: _etcdserverpb_AuthenticateRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_AuthenticateResponse>): grpc.ClientUnaryCall;
  Authenticate(argument: _etcdserverpb_AuthenticateRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_AuthenticateResponse>): grpc.ClientUnaryCall;
  Authenticate(argument: _etcdserverpb_AuthenticateRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_AuthenticateResponse>): grpc.ClientUnaryCall;
  Authenticate(argument: _etcdserverpb_AuthenticateRequest__Input, callback: grpc.requestCallback<_etcdserverpb_AuthenticateResponse>): grpc.ClientUnaryCall;
  authenticate(argument: _etcdserverpb_AuthenticateRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_AuthenticateResponse>): grpc.ClientUnaryCall;
  authenticate(argument: _etcdserverpb_AuthenticateRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_AuthenticateResponse>): grpc.ClientUnaryCall;
  authenticate(argument: _etcdserverpb_AuthenticateRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_AuthenticateResponse>): grpc.ClientUnaryCall;
  authenticate(argument: _etcdserverpb_AuthenticateRequest__Input, callback: grpc.requestCallback<_etcdserverpb_AuthenticateResponse>): grpc.ClientUnaryCall;
  
  RoleAdd(argument: _etcdserverpb_AuthRoleAddRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_AuthRoleAddResponse>): grpc.ClientUnaryCall;
  RoleAdd(argument: _etcdserverpb_AuthRoleAddRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_AuthRoleAddResponse>): grpc.ClientUnaryCall;
  RoleAdd(argument: _etcdserverpb_AuthRoleAddRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_AuthRoleAddResponse>): grpc.ClientUnaryCall;
  RoleAdd(argument: _etcdserverpb_AuthRoleAddRequest__Input, callback: grpc.requestCallback<_etcdserverpb_AuthRoleAddResponse>): grpc.ClientUnaryCall;
  roleAdd(argument: _etcdserverpb_AuthRoleAddRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_AuthRoleAddResponse>): grpc.ClientUnaryCall;
  roleAdd(argument: _etcdserverpb_AuthRoleAddRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_AuthRoleAddResponse>): grpc.ClientUnaryCall;
  roleAdd(argument: _etcdserverpb_AuthRoleAddRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_AuthRoleAddResponse>): grpc.ClientUnaryCall;
  roleAdd(argument: _etcdserverpb_AuthRoleAddRequest__Input, callback: grpc.requestCallback<_etcdserverpb_AuthRoleAddResponse>): grpc.ClientUnaryCall;
  
  RoleDelete(argument: _etcdserverpb_AuthRoleDeleteRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_AuthRoleDeleteResponse>): grpc.ClientUnaryCall;
  RoleDelete(argument: _etcdserverpb_AuthRoleDeleteRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_AuthRoleDeleteResponse>): grpc.ClientUnaryCall;
  RoleDelete(argument: _etcdserverpb_AuthRoleDeleteRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_AuthRoleDeleteResponse>): grpc.ClientUnaryCall;
  RoleDelete(argument: _etcdserverpb_AuthRoleDeleteRequest__Input, callback: grpc.requestCallback<_etcdserverpb_AuthRoleDeleteResponse>): grpc.ClientUnaryCall;
  roleDelete(argument: _etcdserverpb_AuthRoleDeleteRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_AuthRoleDeleteResponse>): grpc.ClientUnaryCall;
  roleDelete(argument: _etcdserverpb_AuthRoleDeleteRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_AuthRoleDeleteResponse>): grpc.ClientUnaryCall;
  roleDelete(argument: _etcdserverpb_AuthRoleDeleteRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_AuthRoleDeleteResponse>): grpc.ClientUnaryCall;
  roleDelete(argument: _etcdserverpb_AuthRoleDeleteRequest__Input, callback: grpc.requestCallback<_etcdserverpb_AuthRoleDeleteResponse>): grpc.ClientUnaryCall;
  
  RoleGet(argument: _etcdserverpb_AuthRoleGetRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_AuthRoleGetResponse>): grpc.ClientUnaryCall;
  RoleGet(argument: _etcdserverpb_AuthRoleGetRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_AuthRoleGetResponse>): grpc.ClientUnaryCall;
  RoleGet(argument: _etcdserverpb_AuthRoleGetRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_AuthRoleGetResponse>): grpc.ClientUnaryCall;
  RoleGet(argument: _etcdserverpb_AuthRoleGetRequest__Input, callback: grpc.requestCallback<_etcdserverpb_AuthRoleGetResponse>): grpc.ClientUnaryCall;
  roleGet(argument: _etcdserverpb_AuthRoleGetRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_AuthRoleGetResponse>): grpc.ClientUnaryCall;
  roleGet(argument: _etcdserverpb_AuthRoleGetRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_AuthRoleGetResponse>): grpc.ClientUnaryCall;
  roleGet(argument: _etcdserverpb_AuthRoleGetRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_AuthRoleGetResponse>): grpc.ClientUnaryCall;
  roleGet(argument: _etcdserverpb_AuthRoleGetRequest__Input, callback: grpc.requestCallback<_etcdserverpb_AuthRoleGetResponse>): grpc.ClientUnaryCall;
  
  RoleGrantPermission(argument: _etcdserverpb_AuthRoleGrantPermissionRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_AuthRoleGrantPermissionResponse>): grpc.ClientUnaryCall;
  RoleGrantPermission(argument: _etcdserverpb_AuthRoleGrantPermissionRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_AuthRoleGrantPermissionResponse>): grpc.ClientUnaryCall;
  RoleGrantPermission(argument: _etcdserverpb_AuthRoleGrantPermissionRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_AuthRoleGrantPermissionResponse>): grpc.ClientUnaryCall;
  RoleGrantPermission(argument: _etcdserverpb_AuthRoleGrantPermissionRequest__Input, callback: grpc.requestCallback<_etcdserverpb_AuthRoleGrantPermissionResponse>): grpc.ClientUnaryCall;
  roleGrantPermission(argument: _etcdserverpb_AuthRoleGrantPermissionRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_AuthRoleGrantPermissionResponse>): grpc.ClientUnaryCall;
  roleGrantPermission(argument: _etcdserverpb_AuthRoleGrantPermissionRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_AuthRoleGrantPermissionResponse>): grpc.ClientUnaryCall;
  roleGrantPermission(argument: _etcdserverpb_AuthRoleGrantPermissionRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_AuthRoleGrantPermissionResponse>): grpc.ClientUnaryCall;
  roleGrantPermission(argument: _etcdserverpb_AuthRoleGrantPermissionRequest__Input, callback: grpc.requestCallback<_etcdserverpb_AuthRoleGrantPermissionResponse>): grpc.ClientUnaryCall;
  
  RoleList(argument: _etcdserverpb_AuthRoleListRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_AuthRoleListResponse>): grpc.ClientUnaryCall;
  RoleList(argument: _etcdserverpb_AuthRoleListRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_AuthRoleListResponse>): grpc.ClientUnaryCall;
  RoleList(argument: _etcdserverpb_AuthRoleListRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_AuthRoleListResponse>): grpc.ClientUnaryCall;
  RoleList(argument: _etcdserverpb_AuthRoleListRequest__Input, callback: grpc.requestCallback<_etcdserverpb_AuthRoleListResponse>): grpc.ClientUnaryCall;
  roleList(argument: _etcdserverpb_AuthRoleListRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_AuthRoleListResponse>): grpc.ClientUnaryCall;
  roleList(argument: _etcdserverpb_AuthRoleListRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_AuthRoleListResponse>): grpc.ClientUnaryCall;
  roleList(argument: _etcdserverpb_AuthRoleListRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_AuthRoleListResponse>): grpc.ClientUnaryCall;
  roleList(argument: _etcdserverpb_AuthRoleListRequest__Input, callback: grpc.requestCallback<_etcdserverpb_AuthRoleListResponse>): grpc.ClientUnaryCall;
  
  RoleRevokePermission(argument: _etcdserverpb_AuthRoleRevokePermissionRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_AuthRoleRevokePermissionResponse>): grpc.ClientUnaryCall;
  RoleRevokePermission(argument: _etcdserverpb_AuthRoleRevokePermissionRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_AuthRoleRevokePermissionResponse>): grpc.ClientUnaryCall;
  RoleRevokePermission(argument: _etcdserverpb_AuthRoleRevokePermissionRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_AuthRoleRevokePermissionResponse>): grpc.ClientUnaryCall;
  RoleRevokePermission(argument: _etcdserverpb_AuthRoleRevokePermissionRequest__Input, callback: grpc.requestCallback<_etcdserverpb_AuthRoleRevokePermissionResponse>): grpc.ClientUnaryCall;
  roleRevokePermission(argument: _etcdserverpb_AuthRoleRevokePermissionRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_AuthRoleRevokePermissionResponse>): grpc.ClientUnaryCall;
  roleRevokePermission(argument: _etcdserverpb_AuthRoleRevokePermissionRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_AuthRoleRevokePermissionResponse>): grpc.ClientUnaryCall;
  roleRevokePermission(argument: _etcdserverpb_AuthRoleRevokePermissionRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_AuthRoleRevokePermissionResponse>): grpc.ClientUnaryCall;
  roleRevokePermission(argument: _etcdserverpb_AuthRoleRevokePermissionRequest__Input, callback: grpc.requestCallback<_etcdserverpb_AuthRoleRevokePermissionResponse>): grpc.ClientUnaryCall;
  
  UserAdd(argument: _etcdserverpb_AuthUserAddRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_AuthUserAddResponse>): grpc.ClientUnaryCall;
  UserAdd(argument: _etcdserverpb_AuthUserAddRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_AuthUserAddResponse>): grpc.ClientUnaryCall;
  UserAdd(argument: _etcdserverpb_AuthUserAddRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_AuthUserAddResponse>): grpc.ClientUnaryCall;
  UserAdd(argument: _etcdserverpb_AuthUserAddRequest__Input, callback: grpc.requestCallback<_etcdserverpb_AuthUserAddResponse>): grpc.ClientUnaryCall;
  userAdd(argument: _etcdserverpb_AuthUserAddRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_AuthUserAddResponse>): grpc.ClientUnaryCall;
  userAdd(argument: _etcdserverpb_AuthUserAddRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_AuthUserAddResponse>): grpc.ClientUnaryCall;
  userAdd(argument: _etcdserverpb_AuthUserAddRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_AuthUserAddResponse>): grpc.ClientUnaryCall;
  userAdd(argument: _etcdserverpb_AuthUserAddRequest__Input, callback: grpc.requestCallback<_etcdserverpb_AuthUserAddResponse>): grpc.ClientUnaryCall;
  
  UserChangePassword(argument: _etcdserverpb_AuthUserChangePasswordRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_AuthUserChangePasswordResponse>): grpc.ClientUnaryCall;
  UserChangePassword(argument: _etcdserverpb_AuthUserChangePasswordRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_AuthUserChangePasswordResponse>): grpc.ClientUnaryCall;
  UserChangePassword(argument: _etcdserverpb_AuthUserChangePasswordRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_AuthUserChangePasswordResponse>): grpc.ClientUnaryCall;
  UserChangePassword(argument: _etcdserverpb_AuthUserChangePasswordRequest__Input, callback: grpc.requestCallback<_etcdserverpb_AuthUserChangePasswordResponse>): grpc.ClientUnaryCall;
  userChangePassword(argument: _etcdserverpb_AuthUserChangePasswordRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_AuthUserChangePasswordResponse>): grpc.ClientUnaryCall;
  userChangePassword(argument: _etcdserverpb_AuthUserChangePasswordRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_AuthUserChangePasswordResponse>): grpc.ClientUnaryCall;
  userChangePassword(argument: _etcdserverpb_AuthUserChangePasswordRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_AuthUserChangePasswordResponse>): grpc.ClientUnaryCall;
  userChangePassword(argument: _etcdserverpb_AuthUserChangePasswordRequest__Input, callback: grpc.requestCallback<_etcdserverpb_AuthUserChangePasswordResponse>): grpc.ClientUnaryCall;
  
  UserDelete(argument: _etcdserverpb_AuthUserDeleteRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_AuthUserDeleteResponse>): grpc.ClientUnaryCall;
  UserDelete(argument: _etcdserverpb_AuthUserDeleteRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_AuthUserDeleteResponse>): grpc.ClientUnaryCall;
  UserDelete(argument: _etcdserverpb_AuthUserDeleteRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_AuthUserDeleteResponse>): grpc.ClientUnaryCall;
  UserDelete(argument: _etcdserverpb_AuthUserDeleteRequest__Input, callback: grpc.requestCallback<_etcdserverpb_AuthUserDeleteResponse>): grpc.ClientUnaryCall;
  userDelete(argument: _etcdserverpb_AuthUserDeleteRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_AuthUserDeleteResponse>): grpc.ClientUnaryCall;
  userDelete(argument: _etcdserverpb_AuthUserDeleteRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_AuthUserDeleteResponse>): grpc.ClientUnaryCall;
  userDelete(argument: _etcdserverpb_AuthUserDeleteRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_AuthUserDeleteResponse>): grpc.ClientUnaryCall;
  userDelete(argument: _etcdserverpb_AuthUserDeleteRequest__Input, callback: grpc.requestCallback<_etcdserverpb_AuthUserDeleteResponse>): grpc.ClientUnaryCall;
  
  UserGet(argument: _etcdserverpb_AuthUserGetRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_AuthUserGetResponse>): grpc.ClientUnaryCall;
  UserGet(argument: _etcdserverpb_AuthUserGetRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_AuthUserGetResponse>): grpc.ClientUnaryCall;
  UserGet(argument: _etcdserverpb_AuthUserGetRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_AuthUserGetResponse>): grpc.ClientUnaryCall;
  UserGet(argument: _etcdserverpb_AuthUserGetRequest__Input, callback: grpc.requestCallback<_etcdserverpb_AuthUserGetResponse>): grpc.ClientUnaryCall;
  userGet(argument: _etcdserverpb_AuthUserGetRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_AuthUserGetResponse>): grpc.ClientUnaryCall;
  userGet(argument: _etcdserverpb_AuthUserGetRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_AuthUserGetResponse>): grpc.ClientUnaryCall;
  userGet(argument: _etcdserverpb_AuthUserGetRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_AuthUserGetResponse>): grpc.ClientUnaryCall;
  userGet(argument: _etcdserverpb_AuthUserGetRequest__Input, callback: grpc.requestCallback<_etcdserverpb_AuthUserGetResponse>): grpc.ClientUnaryCall;
  
  UserGrantRole(argument: _etcdserverpb_AuthUserGrantRoleRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_AuthUserGrantRoleResponse>): grpc.ClientUnaryCall;
  UserGrantRole(argument: _etcdserverpb_AuthUserGrantRoleRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_AuthUserGrantRoleResponse>): grpc.ClientUnaryCall;
  UserGrantRole(argument: _etcdserverpb_AuthUserGrantRoleRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_AuthUserGrantRoleResponse>): grpc.ClientUnaryCall;
  UserGrantRole(argument: _etcdserverpb_AuthUserGrantRoleRequest__Input, callback: grpc.requestCallback<_etcdserverpb_AuthUserGrantRoleResponse>): grpc.ClientUnaryCall;
  userGrantRole(argument: _etcdserverpb_AuthUserGrantRoleRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_AuthUserGrantRoleResponse>): grpc.ClientUnaryCall;
  userGrantRole(argument: _etcdserverpb_AuthUserGrantRoleRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_AuthUserGrantRoleResponse>): grpc.ClientUnaryCall;
  userGrantRole(argument: _etcdserverpb_AuthUserGrantRoleRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_AuthUserGrantRoleResponse>): grpc.ClientUnaryCall;
  userGrantRole(argument: _etcdserverpb_AuthUserGrantRoleRequest__Input, callback: grpc.requestCallback<_etcdserverpb_AuthUserGrantRoleResponse>): grpc.ClientUnaryCall;
  
  UserList(argument: _etcdserverpb_AuthUserListRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_AuthUserListResponse>): grpc.ClientUnaryCall;
  UserList(argument: _etcdserverpb_AuthUserListRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_AuthUserListResponse>): grpc.ClientUnaryCall;
  UserList(argument: _etcdserverpb_AuthUserListRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_AuthUserListResponse>): grpc.ClientUnaryCall;
  UserList(argument: _etcdserverpb_AuthUserListRequest__Input, callback: grpc.requestCallback<_etcdserverpb_AuthUserListResponse>): grpc.ClientUnaryCall;
  userList(argument: _etcdserverpb_AuthUserListRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_AuthUserListResponse>): grpc.ClientUnaryCall;
  userList(argument: _etcdserverpb_AuthUserListRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_AuthUserListResponse>): grpc.ClientUnaryCall;
  userList(argument: _etcdserverpb_AuthUserListRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_AuthUserListResponse>): grpc.ClientUnaryCall;
  userList(argument: _etcdserverpb_AuthUserListRequest__Input, callback: grpc.requestCallback<_etcdserverpb_AuthUserListResponse>): grpc.ClientUnaryCall;
  
  UserRevokeRole(argument: _etcdserverpb_AuthUserRevokeRoleRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_AuthUserRevokeRoleResponse>): grpc.ClientUnaryCall;
  UserRevokeRole(argument: _etcdserverpb_AuthUserRevokeRoleRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_AuthUserRevokeRoleResponse>): grpc.ClientUnaryCall;
  UserRevokeRole(argument: _etcdserverpb_AuthUserRevokeRoleRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_AuthUserRevokeRoleResponse>): grpc.ClientUnaryCall;
  UserRevokeRole(argument: _etcdserverpb_AuthUserRevokeRoleRequest__Input, callback: grpc.requestCallback<_etcdserverpb_AuthUserRevokeRoleResponse>): grpc.ClientUnaryCall;
  userRevokeRole(argument: _etcdserverpb_AuthUserRevokeRoleRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_AuthUserRevokeRoleResponse>): grpc.ClientUnaryCall;
  userRevokeRole(argument: _etcdserverpb_AuthUserRevokeRoleRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_AuthUserRevokeRoleResponse>): grpc.ClientUnaryCall;
  userRevokeRole(argument: _etcdserverpb_AuthUserRevokeRoleRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_AuthUserRevokeRoleResponse>): grpc.ClientUnaryCall;
  userRevokeRole(argument: _etcdserverpb_AuthUserRevokeRoleRequest__Input, callback: grpc.requestCallback<_etcdserverpb_AuthUserRevokeRoleResponse>): grpc.ClientUnaryCall;
  
}

export interface AuthHandlers extends grpc.UntypedServiceImplementation {
  AuthDisable: grpc.handleUnaryCall<_etcdserverpb_AuthDisableRequest, _etcdserverpb_AuthDisableResponse__Input>;
  
  AuthEnable: grpc.handleUnaryCall<_etcdserverpb_AuthEnableRequest, _etcdserverpb_AuthEnableResponse__Input>;
  
  AuthStatus: grpc.handleUnaryCall<_etcdserverpb_AuthStatusRequest, _etcdserverpb_AuthStatusResponse__Input>;
  
  Authenticate: grpc.handleUnaryCall<_etcdserverpb_AuthenticateRequest, _etcdserverpb_AuthenticateResponse__Input>;
  
  RoleAdd: grpc.handleUnaryCall<_etcdserverpb_AuthRoleAddRequest, _etcdserverpb_AuthRoleAddResponse__Input>;
  
  RoleDelete: grpc.handleUnaryCall<_etcdserverpb_AuthRoleDeleteRequest, _etcdserverpb_AuthRoleDeleteResponse__Input>;
  
  RoleGet: grpc.handleUnaryCall<_etcdserverpb_AuthRoleGetRequest, _etcdserverpb_AuthRoleGetResponse__Input>;
  
  RoleGrantPermission: grpc.handleUnaryCall<_etcdserverpb_AuthRoleGrantPermissionRequest, _etcdserverpb_AuthRoleGrantPermissionResponse__Input>;
  
  RoleList: grpc.handleUnaryCall<_etcdserverpb_AuthRoleListRequest, _etcdserverpb_AuthRoleListResponse__Input>;
  
  RoleRevokePermission: grpc.handleUnaryCall<_etcdserverpb_AuthRoleRevokePermissionRequest, _etcdserverpb_AuthRoleRevokePermissionResponse__Input>;
  
  UserAdd: grpc.handleUnaryCall<_etcdserverpb_AuthUserAddRequest, _etcdserverpb_AuthUserAddResponse__Input>;
  
  UserChangePassword: grpc.handleUnaryCall<_etcdserverpb_AuthUserChangePasswordRequest, _etcdserverpb_AuthUserChangePasswordResponse__Input>;
  
  UserDelete: grpc.handleUnaryCall<_etcdserverpb_AuthUserDeleteRequest, _etcdserverpb_AuthUserDeleteResponse__Input>;
  
  UserGet: grpc.handleUnaryCall<_etcdserverpb_AuthUserGetRequest, _etcdserverpb_AuthUserGetResponse__Input>;
  
  UserGrantRole: grpc.handleUnaryCall<_etcdserverpb_AuthUserGrantRoleRequest, _etcdserverpb_AuthUserGrantRoleResponse__Input>;
  
  UserList: grpc.handleUnaryCall<_etcdserverpb_AuthUserListRequest, _etcdserverpb_AuthUserListResponse__Input>;
  
  UserRevokeRole: grpc.handleUnaryCall<_etcdserverpb_AuthUserRevokeRoleRequest, _etcdserverpb_AuthUserRevokeRoleResponse__Input>;
  
}

export interface AuthDefinition extends grpc.ServiceDefinition {
  AuthDisable: MethodDefinition<_etcdserverpb_AuthDisableRequest__Input, _etcdserverpb_AuthDisableResponse__Input, _etcdserverpb_AuthDisableRequest, _etcdserverpb_AuthDisableResponse>
  AuthEnable: MethodDefinition<_etcdserverpb_AuthEnableRequest__Input, _etcdserverpb_AuthEnableResponse__Input, _etcdserverpb_AuthEnableRequest, _etcdserverpb_AuthEnableResponse>
  AuthStatus: MethodDefinition<_etcdserverpb_AuthStatusRequest__Input, _etcdserverpb_AuthStatusResponse__Input, _etcdserverpb_AuthStatusRequest, _etcdserverpb_AuthStatusResponse>
  Authenticate: MethodDefinition<_etcdserverpb_AuthenticateRequest__Input, _etcdserverpb_AuthenticateResponse__Input, _etcdserverpb_AuthenticateRequest, _etcdserverpb_AuthenticateResponse>
  RoleAdd: MethodDefinition<_etcdserverpb_AuthRoleAddRequest__Input, _etcdserverpb_AuthRoleAddResponse__Input, _etcdserverpb_AuthRoleAddRequest, _etcdserverpb_AuthRoleAddResponse>
  RoleDelete: MethodDefinition<_etcdserverpb_AuthRoleDeleteRequest__Input, _etcdserverpb_AuthRoleDeleteResponse__Input, _etcdserverpb_AuthRoleDeleteRequest, _etcdserverpb_AuthRoleDeleteResponse>
  RoleGet: MethodDefinition<_etcdserverpb_AuthRoleGetRequest__Input, _etcdserverpb_AuthRoleGetResponse__Input, _etcdserverpb_AuthRoleGetRequest, _etcdserverpb_AuthRoleGetResponse>
  RoleGrantPermission: MethodDefinition<_etcdserverpb_AuthRoleGrantPermissionRequest__Input, _etcdserverpb_AuthRoleGrantPermissionResponse__Input, _etcdserverpb_AuthRoleGrantPermissionRequest, _etcdserverpb_AuthRoleGrantPermissionResponse>
  RoleList: MethodDefinition<_etcdserverpb_AuthRoleListRequest__Input, _etcdserverpb_AuthRoleListResponse__Input, _etcdserverpb_AuthRoleListRequest, _etcdserverpb_AuthRoleListResponse>
  RoleRevokePermission: MethodDefinition<_etcdserverpb_AuthRoleRevokePermissionRequest__Input, _etcdserverpb_AuthRoleRevokePermissionResponse__Input, _etcdserverpb_AuthRoleRevokePermissionRequest, _etcdserverpb_AuthRoleRevokePermissionResponse>
  UserAdd: MethodDefinition<_etcdserverpb_AuthUserAddRequest__Input, _etcdserverpb_AuthUserAddResponse__Input, _etcdserverpb_AuthUserAddRequest, _etcdserverpb_AuthUserAddResponse>
  UserChangePassword: MethodDefinition<_etcdserverpb_AuthUserChangePasswordRequest__Input, _etcdserverpb_AuthUserChangePasswordResponse__Input, _etcdserverpb_AuthUserChangePasswordRequest, _etcdserverpb_AuthUserChangePasswordResponse>
  UserDelete: MethodDefinition<_etcdserverpb_AuthUserDeleteRequest__Input, _etcdserverpb_AuthUserDeleteResponse__Input, _etcdserverpb_AuthUserDeleteRequest, _etcdserverpb_AuthUserDeleteResponse>
  UserGet: MethodDefinition<_etcdserverpb_AuthUserGetRequest__Input, _etcdserverpb_AuthUserGetResponse__Input, _etcdserverpb_AuthUserGetRequest, _etcdserverpb_AuthUserGetResponse>
  UserGrantRole: MethodDefinition<_etcdserverpb_AuthUserGrantRoleRequest__Input, _etcdserverpb_AuthUserGrantRoleResponse__Input, _etcdserverpb_AuthUserGrantRoleRequest, _etcdserverpb_AuthUserGrantRoleResponse>
  UserList: MethodDefinition<_etcdserverpb_AuthUserListRequest__Input, _etcdserverpb_AuthUserListResponse__Input, _etcdserverpb_AuthUserListRequest, _etcdserverpb_AuthUserListResponse>
  UserRevokeRole: MethodDefinition<_etcdserverpb_AuthUserRevokeRoleRequest__Input, _etcdserverpb_AuthUserRevokeRoleResponse__Input, _etcdserverpb_AuthUserRevokeRoleRequest, _etcdserverpb_AuthUserRevokeRoleResponse>
}
