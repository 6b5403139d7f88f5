/**
 * Packs frames for one write each: a frame alone, or the first of a segment behind its header.
 *
 * Invariant: one frame at a time. What `pack` returns is good until the next call, since the buffer
 * is used again; one that grew large for a large frame is given back.
 */
import type { Entry, HardState } from '../raft/index.ts';
import {
  bodyBytesOf,
  encodeFrame,
  encodeSegmentHeader,
  frameBytes,
  type FrameContext,
  frameHeaderBytes,
  type SegmentHeader,
  segmentHeaderBytes,
  viewOf,
} from './record.ts';

/** Bytes of the buffer at first. */
const initialBytes = 256 * 1024;
/** Limit: bytes of the buffer that are kept between frames. */
const keptBytesMax = 8 * 1024 * 1024;

/** What is to be written. */
export interface PackedFrame {
  readonly bytes: Uint8Array;
  /** Bytes to write, from the start of `bytes`. */
  readonly length: number;
  /** Where in it the frame's entries begin. */
  readonly bodyAt: number;
}

/** See the module comment. */
export class FramePacker {
  #bytes = new Uint8Array(initialBytes);
  #view = viewOf(this.#bytes);

  /** A frame for the end of a segment in use; `length` is its size, as `frameBytes` tells it. */
  pack(entries: readonly Entry[], length: number, context: FrameContext): PackedFrame {
    this.#reserve(length);
    encodeFrame({ bytes: this.#bytes, view: this.#view, at: 0 }, entries, context);
    return { bytes: this.#bytes, length, bodyAt: frameHeaderBytes };
  }

  /** The header of a segment and its first frame. */
  packFirst(header: SegmentHeader, entries: readonly Entry[], hardState: HardState): PackedFrame {
    const at = segmentHeaderBytes;
    const length = at + frameBytes(bodyBytesOf(entries));
    this.#reserve(length);
    encodeSegmentHeader(this.#view, header);
    const { salt, firstFrameNumber: number } = header;
    const context = { salt, number, hardState, position: at };
    encodeFrame({ bytes: this.#bytes, view: this.#view, at }, entries, context);
    return { bytes: this.#bytes, length, bodyAt: at + frameHeaderBytes };
  }

  /** The last frame has been written. */
  release(): void {
    if (this.#bytes.length > keptBytesMax) {
      this.#resize(keptBytesMax);
    }
  }

  #reserve(bytes: number): void {
    if (bytes > this.#bytes.length) {
      this.#resize(Math.max(bytes, this.#bytes.length * 2));
    }
  }

  #resize(bytes: number): void {
    this.#bytes = new Uint8Array(bytes);
    this.#view = viewOf(this.#bytes);
  }
}
