import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { DescribeRequest__Input as _holdfast_v1_DescribeRequest__Input, DescribeRequest as _holdfast_v1_DescribeRequest } from './holdfast/v1/DescribeRequest.ts';
import type { DescribeResponse__Input as _holdfast_v1_DescribeResponse__Input, DescribeResponse as _holdfast_v1_DescribeResponse } from './holdfast/v1/DescribeResponse.ts';
import type { DescribedMember__Input as _holdfast_v1_DescribedMember__Input, DescribedMember as _holdfast_v1_DescribedMember } from './holdfast/v1/DescribedMember.ts';
import type { FetchSnapshotRequest__Input as _holdfast_v1_FetchSnapshotRequest__Input, FetchSnapshotRequest as _holdfast_v1_FetchSnapshotRequest } from './holdfast/v1/FetchSnapshotRequest.ts';
import type { PeerClient as _holdfast_v1_PeerClient, PeerDefinition as _holdfast_v1_PeerDefinition } from './holdfast/v1/Peer.ts';
import type { PeerBatch__Input as _holdfast_v1_PeerBatch__Input, PeerBatch as _holdfast_v1_PeerBatch } from './holdfast/v1/PeerBatch.ts';
import type { SnapshotChunk__Input as _holdfast_v1_SnapshotChunk__Input, SnapshotChunk as _holdfast_v1_SnapshotChunk } from './holdfast/v1/SnapshotChunk.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  holdfast: {
    v1: {
      DescribeRequest: MessageTypeDefinition<_holdfast_v1_DescribeRequest__Input, _holdfast_v1_DescribeRequest>
      DescribeResponse: MessageTypeDefinition<_holdfast_v1_DescribeResponse__Input, _holdfast_v1_DescribeResponse>
      DescribedMember: MessageTypeDefinition<_holdfast_v1_DescribedMember__Input, _holdfast_v1_DescribedMember>
      FetchSnapshotRequest: MessageTypeDefinition<_holdfast_v1_FetchSnapshotRequest__Input, _holdfast_v1_FetchSnapshotRequest>
      Peer: SubtypeConstructor<typeof grpc.Client, _holdfast_v1_PeerClient> & { service: _holdfast_v1_PeerDefinition }
      PeerBatch: MessageTypeDefinition<_holdfast_v1_PeerBatch__Input, _holdfast_v1_PeerBatch>
      SnapshotChunk: MessageTypeDefinition<_holdfast_v1_SnapshotChunk__Input, _holdfast_v1_SnapshotChunk>
    }
  }
}

