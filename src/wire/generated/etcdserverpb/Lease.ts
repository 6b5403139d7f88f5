// Original file: proto/etcd/rpc.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { LeaseGrantRequest__Input as _etcdserverpb_LeaseGrantRequest__Input, LeaseGrantRequest as _etcdserverpb_LeaseGrantRequest } from '../etcdserverpb/LeaseGrantRequest.ts';
import type { LeaseGrantResponse__Input as _etcdserverpb_LeaseGrantResponse__Input, LeaseGrantResponse as _etcdserverpb_LeaseGrantResponse } from '../etcdserverpb/LeaseGrantResponse.ts';
import type { LeaseKeepAliveRequest__Input as _etcdserverpb_LeaseKeepAliveRequest__Input, LeaseKeepAliveRequest as _etcdserverpb_LeaseKeepAliveRequest } from '../etcdserverpb/LeaseKeepAliveRequest.ts';
import type { LeaseKeepAliveResponse__Input as _etcdserverpb_LeaseKeepAliveResponse__Input, LeaseKeepAliveResponse as _etcdserverpb_LeaseKeepAliveResponse } from '../etcdserverpb/LeaseKeepAliveResponse.ts';
import type { LeaseLeasesRequest__Input as _etcdserverpb_LeaseLeasesRequest__Input, LeaseLeasesRequest as _etcdserverpb_LeaseLeasesRequest } from '../etcdserverpb/LeaseLeasesRequest.ts';
import type { LeaseLeasesResponse__Input as _etcdserverpb_LeaseLeasesResponse__Input, LeaseLeasesResponse as _etcdserverpb_LeaseLeasesResponse } from '../etcdserverpb/LeaseLeasesResponse.ts';
import type { LeaseRevokeRequest__Input as _etcdserverpb_LeaseRevokeRequest__Input, LeaseRevokeRequest as _etcdserverpb_LeaseRevokeRequest } from '../etcdserverpb/LeaseRevokeRequest.ts';
import type { LeaseRevokeResponse__Input as _etcdserverpb_LeaseRevokeResponse__Input, LeaseRevokeResponse as _etcdserverpb_LeaseRevokeResponse } from '../etcdserverpb/LeaseRevokeResponse.ts';
import type { LeaseTimeToLiveRequest__Input as _etcdserverpb_LeaseTimeToLiveRequest__Input, LeaseTimeToLiveRequest as _etcdserverpb_LeaseTimeToLiveRequest } from '../etcdserverpb/LeaseTimeToLiveRequest.ts';
import type { LeaseTimeToLiveResponse__Input as _etcdserverpb_LeaseTimeToLiveResponse__Input, LeaseTimeToLiveResponse as _etcdserverpb_LeaseTimeToLiveResponse } from '../etcdserverpb/LeaseTimeToLiveResponse.ts';

export interface LeaseClient extends grpc.Client {
  LeaseGrant(argument: _etcdserverpb_LeaseGrantRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_LeaseGrantResponse>): grpc.ClientUnaryCall;
  LeaseGrant(argument: _etcdserverpb_LeaseGrantRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_LeaseGrantResponse>): grpc.ClientUnaryCall;
  LeaseGrant(argument: _etcdserverpb_LeaseGrantRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_LeaseGrantResponse>): grpc.ClientUnaryCall;
  LeaseGrant(argument: _etcdserverpb_LeaseGrantRequest__Input, callback: grpc.requestCallback<_etcdserverpb_LeaseGrantResponse>): grpc.ClientUnaryCall;
  leaseGrant(argument: _etcdserverpb_LeaseGrantRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_LeaseGrantResponse>): grpc.ClientUnaryCall;
  leaseGrant(argument: _etcdserverpb_LeaseGrantRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_LeaseGrantResponse>): grpc.ClientUnaryCall;
  leaseGrant(argument: _etcdserverpb_LeaseGrantRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_LeaseGrantResponse>): grpc.ClientUnaryCall;
  leaseGrant(argument: _etcdserverpb_LeaseGrantRequest__Input, callback: grpc.requestCallback<_etcdserverpb_LeaseGrantResponse>): grpc.ClientUnaryCall;
  
  LeaseKeepAlive(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_etcdserverpb_LeaseKeepAliveRequest__Input, _etcdserverpb_LeaseKeepAliveResponse>;
  LeaseKeepAlive(options?: grpc.CallOptions): grpc.ClientDuplexStream<_etcdserverpb_LeaseKeepAliveRequest__Input, _etcdserverpb_LeaseKeepAliveResponse>;
  leaseKeepAlive(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_etcdserverpb_LeaseKeepAliveRequest__Input, _etcdserverpb_LeaseKeepAliveResponse>;
  leaseKeepAlive(options?: grpc.CallOptions): grpc.ClientDuplexStream<_etcdserverpb_LeaseKeepAliveRequest__Input, _etcdserverpb_LeaseKeepAliveResponse>;
  
  LeaseLeases(argument: _etcdserverpb_LeaseLeasesRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_LeaseLeasesResponse>): grpc.ClientUnaryCall;
  LeaseLeases(argument: _etcdserverpb_LeaseLeasesRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_LeaseLeasesResponse>): grpc.ClientUnaryCall;
  LeaseLeases(argument: _etcdserverpb_LeaseLeasesRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_LeaseLeasesResponse>): grpc.ClientUnaryCall;
  LeaseLeases(argument: _etcdserverpb_LeaseLeasesRequest__Input, callback: grpc.requestCallback<_etcdserverpb_LeaseLeasesResponse>): grpc.ClientUnaryCall;
  leaseLeases(argument: _etcdserverpb_LeaseLeasesRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_LeaseLeasesResponse>): grpc.ClientUnaryCall;
  leaseLeases(argument: _etcdserverpb_LeaseLeasesRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_LeaseLeasesResponse>): grpc.ClientUnaryCall;
  leaseLeases(argument: _etcdserverpb_LeaseLeasesRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_LeaseLeasesResponse>): grpc.ClientUnaryCall;
  leaseLeases(argument: _etcdserverpb_LeaseLeasesRequest__Input, callback: grpc.requestCallback<_etcdserverpb_LeaseLeasesResponse>): grpc.ClientUnaryCall;
  
  LeaseRevoke(argument: _etcdserverpb_LeaseRevokeRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_LeaseRevokeResponse>): grpc.ClientUnaryCall;
  LeaseRevoke(argument: _etcdserverpb_LeaseRevokeRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_LeaseRevokeResponse>): grpc.ClientUnaryCall;
  LeaseRevoke(argument: _etcdserverpb_LeaseRevokeRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_LeaseRevokeResponse>): grpc.ClientUnaryCall;
  LeaseRevoke(argument: _etcdserverpb_LeaseRevokeRequest__Input, callback: grpc.requestCallback<_etcdserverpb_LeaseRevokeResponse>): grpc.ClientUnaryCall;
  leaseRevoke(argument: _etcdserverpb_LeaseRevokeRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_LeaseRevokeResponse>): grpc.ClientUnaryCall;
  leaseRevoke(argument: _etcdserverpb_LeaseRevokeRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_LeaseRevokeResponse>): grpc.ClientUnaryCall;
  leaseRevoke(argument: _etcdserverpb_LeaseRevokeRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_LeaseRevokeResponse>): grpc.ClientUnaryCall;
  leaseRevoke(argument: _etcdserverpb_LeaseRevokeRequest__Input, callback: grpc.requestCallback<_etcdserverpb_LeaseRevokeResponse>): grpc.ClientUnaryCall;
  
  LeaseTimeToLive(argument: _etcdserverpb_LeaseTimeToLiveRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_LeaseTimeToLiveResponse>): grpc.ClientUnaryCall;
  LeaseTimeToLive(argument: _etcdserverpb_LeaseTimeToLiveRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_LeaseTimeToLiveResponse>): grpc.ClientUnaryCall;
  LeaseTimeToLive(argument: _etcdserverpb_LeaseTimeToLiveRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_LeaseTimeToLiveResponse>): grpc.ClientUnaryCall;
  LeaseTimeToLive(argument: _etcdserverpb_LeaseTimeToLiveRequest__Input, callback: grpc.requestCallback<_etcdserverpb_LeaseTimeToLiveResponse>): grpc.ClientUnaryCall;
  leaseTimeToLive(argument: _etcdserverpb_LeaseTimeToLiveRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_LeaseTimeToLiveResponse>): grpc.ClientUnaryCall;
  leaseTimeToLive(argument: _etcdserverpb_LeaseTimeToLiveRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_LeaseTimeToLiveResponse>): grpc.ClientUnaryCall;
  leaseTimeToLive(argument: _etcdserverpb_LeaseTimeToLiveRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_LeaseTimeToLiveResponse>): grpc.ClientUnaryCall;
  leaseTimeToLive(argument: _etcdserverpb_LeaseTimeToLiveRequest__Input, callback: grpc.requestCallback<_etcdserverpb_LeaseTimeToLiveResponse>): grpc.ClientUnaryCall;
  
}

export interface LeaseHandlers extends grpc.UntypedServiceImplementation {
  LeaseGrant: grpc.handleUnaryCall<_etcdserverpb_LeaseGrantRequest, _etcdserverpb_LeaseGrantResponse__Input>;
  
  LeaseKeepAlive: grpc.handleBidiStreamingCall<_etcdserverpb_LeaseKeepAliveRequest, _etcdserverpb_LeaseKeepAliveResponse__Input>;
  
  LeaseLeases: grpc.handleUnaryCall<_etcdserverpb_LeaseLeasesRequest, _etcdserverpb_LeaseLeasesResponse__Input>;
  
  LeaseRevoke: grpc.handleUnaryCall<_etcdserverpb_LeaseRevokeRequest, _etcdserverpb_LeaseRevokeResponse__Input>;
  
  LeaseTimeToLive: grpc.handleUnaryCall<_etcdserverpb_LeaseTimeToLiveRequest, _etcdserverpb_LeaseTimeToLiveResponse__Input>;
  
}

export interface LeaseDefinition extends grpc.ServiceDefinition {
  LeaseGrant: MethodDefinition<_etcdserverpb_LeaseGrantRequest__Input, _etcdserverpb_LeaseGrantResponse__Input, _etcdserverpb_LeaseGrantRequest, _etcdserverpb_LeaseGrantResponse>
  LeaseKeepAlive: MethodDefinition<_etcdserverpb_LeaseKeepAliveRequest__Input, _etcdserverpb_LeaseKeepAliveResponse__Input, _etcdserverpb_LeaseKeepAliveRequest, _etcdserverpb_LeaseKeepAliveResponse>
  LeaseLeases: MethodDefinition<_etcdserverpb_LeaseLeasesRequest__Input, _etcdserverpb_LeaseLeasesResponse__Input, _etcdserverpb_LeaseLeasesRequest, _etcdserverpb_LeaseLeasesResponse>
  LeaseRevoke: MethodDefinition<_etcdserverpb_LeaseRevokeRequest__Input, _etcdserverpb_LeaseRevokeResponse__Input, _etcdserverpb_LeaseRevokeRequest, _etcdserverpb_LeaseRevokeResponse>
  LeaseTimeToLive: MethodDefinition<_etcdserverpb_LeaseTimeToLiveRequest__Input, _etcdserverpb_LeaseTimeToLiveResponse__Input, _etcdserverpb_LeaseTimeToLiveRequest, _etcdserverpb_LeaseTimeToLiveResponse>
}
