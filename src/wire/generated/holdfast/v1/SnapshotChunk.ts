// Original file: proto/holdfast/peer.proto


export interface SnapshotChunk__Input {
  'data'?: (Buffer | Uint8Array | string);
}

export interface SnapshotChunk {
  'data': (Buffer);
}
