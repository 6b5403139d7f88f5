/**
 * The client library in the place of a connection: what its users get, with all that it does for
 * them. One client for all callers, as one process has.
 */
import { codecs, Holdfast, type Kv } from '../../client/index.ts';
import { ProtoReader, readPutRequest, readRangeRequest } from '../../wire/index.ts';
import type { Access } from './access.ts';
import { type Callee, type CallResult, type Endpoint, grpcOk } from './connection.ts';
import { unframeMessage } from './requests.ts';

const grpcUnknown = 2;
const done: CallResult = { code: grpcOk, text: '', bodyBytes: 1 };

/** See the module comment. */
export class LibraryCallee implements Callee {
  readonly #client: Holdfast<Uint8Array>;
  readonly #kv: Kv<Uint8Array>;

  constructor(endpoints: readonly Endpoint[], { pem, account }: Access) {
    this.#client = new Holdfast({
      endpoints: endpoints.map(({ host, port }) => `${host}:${port}`),
      codec: codecs.bytes,
      tls: pem ?? false,
      auth: account,
      // Whoever measures knows where; the load generator itself speaks plain text anywhere.
      insecure: true,
    });
    this.#kv = this.#client.kv;
  }

  call(path: string, frame: Buffer, onEnd: (result: CallResult) => void): void {
    this.#call(path, frame).then(
      () => {
        onEnd(done);
      },
      (error: unknown) => {
        onEnd({ code: grpcUnknown, text: String(error), bodyBytes: 0 });
      },
    );
  }

  async close(): Promise<void> {
    await this.#client.close();
  }

  async #call(path: string, frame: Buffer): Promise<unknown> {
    const reader = new ProtoReader(unframeMessage(frame) ?? frame);
    if (path.endsWith('/Put')) {
      const { key, value } = readPutRequest(reader);
      return this.#kv.put(key, value);
    }
    if (path.endsWith('/Range')) {
      const { key, serializable } = readRangeRequest(reader);
      return this.#kv.get(key, { consistency: serializable ? 'serializable' : 'linearizable' });
    }
    throw new Error(`the client library is not measured with ${path}`);
  }
}
