/**
 * Cuts what arrives on an HTTP/2 connection into frames.
 *
 * The first frame must be the peer's settings, and no frame may be longer than we allow; a server
 * that does not speak HTTP/2 shows itself by one or the other.
 */
import { defaultFrameBytesMax, frameHeaderBytes, frameType } from './frames.ts';

/** Takes a frame; the payload is valid until it returns. */
export type FrameListener = (
  type: number,
  flags: number,
  streamId: number,
  payload: Buffer,
) => void;

/** See the module comment. */
export class FrameReader {
  readonly #onFrame: FrameListener;
  /** The beginning of a frame whose end has not come yet. */
  #incoming: Buffer | undefined;
  #hasBegun = false;
  #isStopped = false;

  constructor(onFrame: FrameListener) {
    this.#onFrame = onFrame;
  }

  /** Nothing is told any more. */
  stop(): void {
    this.#isStopped = true;
  }

  /** Takes what has arrived, which stays the caller's; returns what is wrong with it, if it is. */
  receive(received: Buffer): string | undefined {
    const data =
      this.#incoming === undefined ? received : Buffer.concat([this.#incoming, received]);
    let at = 0;
    while (data.length - at >= frameHeaderBytes && !this.#isStopped) {
      const length = data.readUIntBE(at, 3);
      const type = data[at + 3] as number;
      if (length > defaultFrameBytesMax || (!this.#hasBegun && type !== frameType.settings)) {
        return 'it does not speak HTTP/2';
      }
      const end = at + frameHeaderBytes + length;
      if (end > data.length) {
        break;
      }
      this.#hasBegun = true;
      const payload = data.subarray(at + frameHeaderBytes, end);
      const problem = this.#tell(type, data[at + 4] as number, data.readUInt32BE(at + 5), payload);
      if (problem !== undefined) {
        return problem;
      }
      at = end;
    }
    this.#incoming = at === data.length ? undefined : Buffer.from(data.subarray(at));
    return undefined;
  }

  #tell(type: number, flags: number, stream: number, payload: Buffer): string | undefined {
    try {
      this.#onFrame(type, flags, stream & 0x7fff_ffff, payload);
      return undefined;
    } catch (error) {
      if (!(error instanceof RangeError)) {
        throw error;
      }
      return `the server's frames cannot be read: ${error.message}`;
    }
  }
}
