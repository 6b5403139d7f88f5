// Original file: proto/etcd/election.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { CampaignRequest__Input as _v3electionpb_CampaignRequest__Input, CampaignRequest as _v3electionpb_CampaignRequest } from '../v3electionpb/CampaignRequest.ts';
import type { CampaignResponse__Input as _v3electionpb_CampaignResponse__Input, CampaignResponse as _v3electionpb_CampaignResponse } from '../v3electionpb/CampaignResponse.ts';
import type { LeaderRequest__Input as _v3electionpb_LeaderRequest__Input, LeaderRequest as _v3electionpb_LeaderRequest } from '../v3electionpb/LeaderRequest.ts';
import type { LeaderResponse__Input as _v3electionpb_LeaderResponse__Input, LeaderResponse as _v3electionpb_LeaderResponse } from '../v3electionpb/LeaderResponse.ts';
import type { ProclaimRequest__Input as _v3electionpb_ProclaimRequest__Input, ProclaimRequest as _v3electionpb_ProclaimRequest } from '../v3electionpb/ProclaimRequest.ts';
import type { ProclaimResponse__Input as _v3electionpb_ProclaimResponse__Input, ProclaimResponse as _v3electionpb_ProclaimResponse } from '../v3electionpb/ProclaimResponse.ts';
import type { ResignRequest__Input as _v3electionpb_ResignRequest__Input, ResignRequest as _v3electionpb_ResignRequest } from '../v3electionpb/ResignRequest.ts';
import type { ResignResponse__Input as _v3electionpb_ResignResponse__Input, ResignResponse as _v3electionpb_ResignResponse } from '../v3electionpb/ResignResponse.ts';

export interface ElectionClient extends grpc.Client {
  Campaign(argument: _v3electionpb_CampaignRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_v3electionpb_CampaignResponse>): grpc.ClientUnaryCall;
  Campaign(argument: _v3electionpb_CampaignRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_v3electionpb_CampaignResponse>): grpc.ClientUnaryCall;
  Campaign(argument: _v3electionpb_CampaignRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_v3electionpb_CampaignResponse>): grpc.ClientUnaryCall;
  Campaign(argument: _v3electionpb_CampaignRequest__Input, callback: grpc.requestCallback<_v3electionpb_CampaignResponse>): grpc.ClientUnaryCall;
  campaign(argument: _v3electionpb_CampaignRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_v3electionpb_CampaignResponse>): grpc.ClientUnaryCall;
  campaign(argument: _v3electionpb_CampaignRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_v3electionpb_CampaignResponse>): grpc.ClientUnaryCall;
  campaign(argument: _v3electionpb_CampaignRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_v3electionpb_CampaignResponse>): grpc.ClientUnaryCall;
  campaign(argument: _v3electionpb_CampaignRequest__Input, callback: grpc.requestCallback<_v3electionpb_CampaignResponse>): grpc.ClientUnaryCall;
  
  Leader(argument: _v3electionpb_LeaderRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_v3electionpb_LeaderResponse>): grpc.ClientUnaryCall;
  Leader(argument: _v3electionpb_LeaderRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_v3electionpb_LeaderResponse>): grpc.ClientUnaryCall;
  Leader(argument: _v3electionpb_LeaderRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_v3electionpb_LeaderResponse>): grpc.ClientUnaryCall;
  Leader(argument: _v3electionpb_LeaderRequest__Input, callback: grpc.requestCallback<_v3electionpb_LeaderResponse>): grpc.ClientUnaryCall;
  leader(argument: _v3electionpb_LeaderRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_v3electionpb_LeaderResponse>): grpc.ClientUnaryCall;
  leader(argument: _v3electionpb_LeaderRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_v3electionpb_LeaderResponse>): grpc.ClientUnaryCall;
  leader(argument: _v3electionpb_LeaderRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_v3electionpb_LeaderResponse>): grpc.ClientUnaryCall;
  leader(argument: _v3electionpb_LeaderRequest__Input, callback: grpc.requestCallback<_v3electionpb_LeaderResponse>): grpc.ClientUnaryCall;
  
  Observe(argument: _v3electionpb_LeaderRequest__Input, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_v3electionpb_LeaderResponse>;
  Observe(argument: _v3electionpb_LeaderRequest__Input, options?: grpc.CallOptions): grpc.ClientReadableStream<_v3electionpb_LeaderResponse>;
  observe(argument: _v3electionpb_LeaderRequest__Input, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_v3electionpb_LeaderResponse>;
  observe(argument: _v3electionpb_LeaderRequest__Input, options?: grpc.CallOptions): grpc.ClientReadableStream<_v3electionpb_LeaderResponse>;
  
  Proclaim(argument: _v3electionpb_ProclaimRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_v3electionpb_ProclaimResponse>): grpc.ClientUnaryCall;
  Proclaim(argument: _v3electionpb_ProclaimRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_v3electionpb_ProclaimResponse>): grpc.ClientUnaryCall;
  Proclaim(argument: _v3electionpb_ProclaimRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_v3electionpb_ProclaimResponse>): grpc.ClientUnaryCall;
  Proclaim(argument: _v3electionpb_ProclaimRequest__Input, callback: grpc.requestCallback<_v3electionpb_ProclaimResponse>): grpc.ClientUnaryCall;
  proclaim(argument: _v3electionpb_ProclaimRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_v3electionpb_ProclaimResponse>): grpc.ClientUnaryCall;
  proclaim(argument: _v3electionpb_ProclaimRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_v3electionpb_ProclaimResponse>): grpc.ClientUnaryCall;
  proclaim(argument: _v3electionpb_ProclaimRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_v3electionpb_ProclaimResponse>): grpc.ClientUnaryCall;
  proclaim(argument: _v3electionpb_ProclaimRequest__Input, callback: grpc.requestCallback<_v3electionpb_ProclaimResponse>): grpc.ClientUnaryCall;
  
  Resign(argument: _v3electionpb_ResignRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_v3electionpb_ResignResponse>): grpc.ClientUnaryCall;
  Resign(argument: _v3electionpb_ResignRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_v3electionpb_ResignResponse>): grpc.ClientUnaryCall;
  Resign(argument: _v3electionpb_ResignRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_v3electionpb_ResignResponse>): grpc.ClientUnaryCall;
  Resign(argument: _v3electionpb_ResignRequest__Input, callback: grpc.requestCallback<_v3electionpb_ResignResponse>): grpc.ClientUnaryCall;
  resign(argument: _v3electionpb_ResignRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_v3electionpb_ResignResponse>): grpc.ClientUnaryCall;
  resign(argument: _v3electionpb_ResignRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_v3electionpb_ResignResponse>): grpc.ClientUnaryCall;
  resign(argument: _v3electionpb_ResignRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_v3electionpb_ResignResponse>): grpc.ClientUnaryCall;
  resign(argument: _v3electionpb_ResignRequest__Input, callback: grpc.requestCallback<_v3electionpb_ResignResponse>): grpc.ClientUnaryCall;
  
}

export interface ElectionHandlers extends grpc.UntypedServiceImplementation {
  Campaign: grpc.handleUnaryCall<_v3electionpb_CampaignRequest, _v3electionpb_CampaignResponse__Input>;
  
  Leader: grpc.handleUnaryCall<_v3electionpb_LeaderRequest, _v3electionpb_LeaderResponse__Input>;
  
  Observe: grpc.handleServerStreamingCall<_v3electionpb_LeaderRequest, _v3electionpb_LeaderResponse__Input>;
  
  Proclaim: grpc.handleUnaryCall<_v3electionpb_ProclaimRequest, _v3electionpb_ProclaimResponse__Input>;
  
  Resign: grpc.handleUnaryCall<_v3electionpb_ResignRequest, _v3electionpb_ResignResponse__Input>;
  
}

export interface ElectionDefinition extends grpc.ServiceDefinition {
  Campaign: MethodDefinition<_v3electionpb_CampaignRequest__Input, _v3electionpb_CampaignResponse__Input, _v3electionpb_CampaignRequest, _v3electionpb_CampaignResponse>
  Leader: MethodDefinition<_v3electionpb_LeaderRequest__Input, _v3electionpb_LeaderResponse__Input, _v3electionpb_LeaderRequest, _v3electionpb_LeaderResponse>
  Observe: MethodDefinition<_v3electionpb_LeaderRequest__Input, _v3electionpb_LeaderResponse__Input, _v3electionpb_LeaderRequest, _v3electionpb_LeaderResponse>
  Proclaim: MethodDefinition<_v3electionpb_ProclaimRequest__Input, _v3electionpb_ProclaimResponse__Input, _v3electionpb_ProclaimRequest, _v3electionpb_ProclaimResponse>
  Resign: MethodDefinition<_v3electionpb_ResignRequest__Input, _v3electionpb_ResignResponse__Input, _v3electionpb_ResignRequest, _v3electionpb_ResignResponse>
}
