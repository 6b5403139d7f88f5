/**
 * A call with any number of requests and answers, as watches and renewals are: frames go out,
 * messages come in. It is to last as long as it is used: whatever ends it is a failure.
 */
import { type Connection, decodeGrpcMessage, type RequestStream } from './connection.ts';
import type { CallListener } from './http2-session.ts';

/** Who uses it. */
export interface MessageListener {
  /** A message; the listener must copy what it keeps. */
  onMessage(message: Buffer): void;
  /** The call has ended, and nothing follows. */
  onFailure(error: Error): void;
}

const frameHeaderBytes = 5;

/** See the module comment. */
export class MessageStream implements CallListener {
  readonly #listener: MessageListener;
  readonly #requests: RequestStream;
  /** The beginning of a message whose end has not come yet. */
  #kept: Buffer[] = [];
  #keptBytes = 0;
  /** Bytes that `#kept` needs before it is worth looking at. */
  #wantedBytes = 0;
  #code = '';
  #text = '';

  /** @throws {Error} the connection is lost, or takes no more calls */
  constructor(connection: Connection, path: string, listener: MessageListener) {
    this.#listener = listener;
    this.#requests = connection.openStream(path, this);
  }

  send(frame: Buffer): void {
    this.#requests.send(frame);
  }

  onData(piece: Buffer): void {
    let data = piece;
    if (this.#kept.length > 0) {
      this.#kept.push(Buffer.from(piece));
      this.#keptBytes += piece.length;
      if (this.#keptBytes < this.#wantedBytes) {
        return;
      }
      data = Buffer.concat(this.#kept);
      this.#kept = [];
    }
    let at = 0;
    let end = endOfFrame(data, at);
    while (end <= data.length) {
      this.#listener.onMessage(data.subarray(at + frameHeaderBytes, end));
      at = end;
      end = endOfFrame(data, at);
    }
    if (at < data.length) {
      this.#kept = [Buffer.from(data.subarray(at))];
      this.#keptBytes = data.length - at;
      this.#wantedBytes = end - at;
    }
  }

  onHeader(name: string, value: string): void {
    if (name === 'grpc-status') {
      this.#code = value;
    } else if (name === 'grpc-message') {
      this.#text = value;
    }
  }

  onEnd(): void {
    const text = decodeGrpcMessage(this.#text);
    this.onFailure(`the member ended the stream: ${text} (code ${this.#code})`);
  }

  onFailure(reason: string): void {
    this.#listener.onFailure(new Error(reason));
  }
}

/** Where the frame that begins at `at` ends, or at least its header, if that is not there yet. */
function endOfFrame(data: Buffer, at: number): number {
  const headerEnd = at + frameHeaderBytes;
  return headerEnd <= data.length ? headerEnd + data.readUInt32BE(at + 1) : headerEnd;
}
