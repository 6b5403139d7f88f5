// Original file: proto/etcd/rpc.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { WatchRequest__Input as _etcdserverpb_WatchRequest__Input, WatchRequest as _etcdserverpb_WatchRequest } from '../etcdserverpb/WatchRequest.ts';
import type { WatchResponse__Input as _etcdserverpb_WatchResponse__Input, WatchResponse as _etcdserverpb_WatchResponse } from '../etcdserverpb/WatchResponse.ts';

export interface WatchClient extends grpc.Client {
  Watch(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_etcdserverpb_WatchRequest__Input, _etcdserverpb_WatchResponse>;
  Watch(options?: grpc.CallOptions): grpc.ClientDuplexStream<_etcdserverpb_WatchRequest__Input, _etcdserverpb_WatchResponse>;
  watch(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_etcdserverpb_WatchRequest__Input, _etcdserverpb_WatchResponse>;
  watch(options?: grpc.CallOptions): grpc.ClientDuplexStream<_etcdserverpb_WatchRequest__Input, _etcdserverpb_WatchResponse>;
  
}

export interface WatchHandlers extends grpc.UntypedServiceImplementation {
  Watch: grpc.handleBidiStreamingCall<_etcdserverpb_WatchRequest, _etcdserverpb_WatchResponse__Input>;
  
}

export interface WatchDefinition extends grpc.ServiceDefinition {
  Watch: MethodDefinition<_etcdserverpb_WatchRequest__Input, _etcdserverpb_WatchResponse__Input, _etcdserverpb_WatchRequest, _etcdserverpb_WatchResponse>
}
