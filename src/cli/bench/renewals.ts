/** Renewals of leases over one stream as calls: answers come in the order of the requests. */
import { services } from '../../wire/index.ts';
import { type Callee, type CallResult, type Connection, grpcOk } from './connection.ts';
import { MessageStream } from './message-stream.ts';
import { readRenewedTtl } from './responses.ts';

const { LeaseKeepAlive } = services['etcdserverpb.Lease'];
const grpcNotFound = 5;
const grpcUnavailable = 14;

/** See the module comment. */
export class RenewalStream implements Callee {
  readonly #stream: MessageStream;
  #waiting: ((result: CallResult) => void)[] = [];
  /** Of `#waiting`: those before it have been answered. */
  #next = 0;

  /** `onFailure` is told what ended the stream; renewals under way have failed then. */
  constructor(connection: Connection, onFailure: (error: Error) => void) {
    this.#stream = new MessageStream(connection, LeaseKeepAlive.path, {
      onMessage: (message) => {
        const isAlive = readRenewedTtl(message) > 0;
        this.#answer({
          code: isAlive ? grpcOk : grpcNotFound,
          text: isAlive ? '' : 'the lease has ended',
          bodyBytes: message.length,
        });
      },
      onFailure: (error) => {
        while (this.#next < this.#waiting.length) {
          this.#answer({ code: grpcUnavailable, text: error.message, bodyBytes: 0 });
        }
        onFailure(error);
      },
    });
  }

  /** The path is that of the stream. */
  call(_path: string, frame: Buffer, done: (result: CallResult) => void): void {
    this.#waiting.push(done);
    this.#stream.send(frame);
  }

  #answer(result: CallResult): void {
    const done = this.#waiting[this.#next++];
    // What has been answered goes once it is half of all, so that little is moved on average.
    if (this.#next * 2 > this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#next);
      this.#next = 0;
    }
    done?.(result);
  }
}
