/** Makes HTTP/2 frames; those of one turn leave in one write. */
import { frameFlag, frameHeaderBytes, frameType } from './frames.ts';

const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');
const nothing = Buffer.alloc(0);

/** See the module comment. */
export class FrameWriter {
  readonly #send: (bytes: Buffer) => void;
  #outgoing: Buffer[] = [];
  #isStopped = false;

  /** `send` gets what leaves, at the end of each turn in which there is something. */
  constructor(send: (bytes: Buffer) => void) {
    this.#send = send;
  }

  /** Nothing is sent any more. */
  stop(): void {
    this.#isStopped = true;
    this.#outgoing = [];
  }

  /** What a client says first, with its settings. */
  begin(settings: readonly (readonly [setting: number, value: number])[]): void {
    this.#enqueue(preface);
    const payload = Buffer.alloc(settings.length * 6);
    for (const [i, [setting, value]] of settings.entries()) {
      payload.writeUInt16BE(setting, i * 6);
      payload.writeUInt32BE(value, i * 6 + 2);
    }
    this.write(frameType.settings, 0, 0, payload);
  }

  /** The peer's settings have been taken. */
  acknowledgeSettings(): void {
    this.write(frameType.settings, frameFlag.ack, 0, nothing);
  }

  /** Lets the peer send more: on a stream, or on all together (0). */
  grant(streamId: number, bytes: number): void {
    const increment = Buffer.alloc(4);
    increment.writeUInt32BE(bytes, 0);
    this.write(frameType.windowUpdate, 0, streamId, increment);
  }

  /** Queues a frame; the payload must stay as it is. */
  write(type: number, flags: number, streamId: number, payload: Buffer): void {
    const header = Buffer.allocUnsafe(frameHeaderBytes);
    header.writeUIntBE(payload.length, 0, 3);
    header[3] = type;
    header[4] = flags;
    header.writeUInt32BE(streamId, 5);
    this.#enqueue(header);
    this.#enqueue(payload);
  }

  #enqueue(bytes: Buffer): void {
    if (this.#isStopped) {
      return;
    }
    if (this.#outgoing.length === 0) {
      process.nextTick(() => {
        this.#flush();
      });
    }
    this.#outgoing.push(bytes);
  }

  #flush(): void {
    const frames = this.#outgoing;
    this.#outgoing = [];
    if (!this.#isStopped) {
      this.#send(Buffer.concat(frames));
    }
  }
}
