/**
 * A `holdfast.v1.SnapshotChunk` as the bytes of its message, in memory that is used again once the
 * network has taken it.
 *
 * Why: such memory lies outside of V8's heap. When it is allocated at the pace of a snapshot, the
 * whole heap of the sender may be collected ten times a second.
 */
import { assert } from '../base/index.ts';
import { writeVarint } from './batch.ts';

/** Limit: bytes of one frame; a large one would hold up what else the process has to do. */
export const frameBytesMax = 256 * 1024;

/** Field 1 of the message, length-delimited; see `proto/holdfast/peer.proto`. */
const dataTag = 0x0a;
/** The tag, and a length of at most `frameBytesMax`. */
const headerBytesMax = 4;

/** See the module comment. */
export class SnapshotFrame {
  // Why unsafe: what is read was written before.
  readonly #buffer = Buffer.allocUnsafeSlow(headerBytesMax + frameBytesMax);
  #message: Buffer = this.#buffer.subarray(0, 0);

  /** The encoded message; the frame's own memory. */
  get message(): Buffer {
    return this.#message;
  }

  /** Makes it the message that carries a copy of `data`. */
  fill(data: Uint8Array): void {
    assert(data.length <= frameBytesMax, 'what is sent of a snapshot fits its frame');
    this.#buffer[0] = dataTag;
    const at = writeVarint(this.#buffer, 1, data.length);
    this.#buffer.set(data, at);
    this.#message = this.#buffer.subarray(0, at + data.length);
  }
}

/** The encoding of frames, as a service wants it. */
export function messageOf(frame: SnapshotFrame): Buffer {
  return frame.message;
}
