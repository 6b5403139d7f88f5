/** Leases for a load generator: with ids of its own, so that it knows them again. */
import { services } from '../../wire/index.ts';
import { ExitError } from '../exit.ts';
import { type Connection, grpcOk } from './connection.ts';
import { runLoad } from './load.ts';
import { frameMessage, unframeMessage } from './requests.ts';
import type { WorkloadRequest } from './workload.ts';

const { LeaseGrant, LeaseKeepAlive, LeaseLeases, LeaseRevoke } = services['etcdserverpb.Lease'];
const clientsMax = 200;

/** Leases with ascending ids. */
export class Leases {
  readonly #connections: readonly Connection[];
  readonly #signal: AbortSignal;
  readonly #firstId: bigint;
  readonly count: number;

  /** None of them is there yet. */
  constructor(connections: readonly Connection[], count: number, signal: AbortSignal) {
    this.#connections = connections;
    this.#signal = signal;
    this.count = count;
    // Unlike those of other runs: microseconds since the epoch, and room for many in each.
    const epochMs = performance.timeOrigin + performance.now();
    this.#firstId = BigInt(Math.floor(epochMs * 1000)) << 10n;
  }

  /** Grants all; `ttlOf` is asked for the seconds of each when it is sent. */
  async grant(ttlOf: () => number): Promise<void> {
    await this.#each(LeaseGrant.path, (ID) =>
      LeaseGrant.requestSerialize({ ID: String(ID), TTL: ttlOf() }),
    );
  }

  async revoke(): Promise<void> {
    await this.#each(LeaseRevoke.path, (ID) => LeaseRevoke.requestSerialize({ ID: String(ID) }));
  }

  /** Requests that renew one after the other, without end. */
  renewals(): () => WorkloadRequest {
    const frames = Array.from({ length: this.count }, (_, at) =>
      frameMessage(LeaseKeepAlive.requestSerialize({ ID: String(this.#firstId + BigInt(at)) })),
    );
    let next = 0;
    return () => {
      const frame = frames[next] as Buffer;
      next = (next + 1) % frames.length;
      return { path: LeaseKeepAlive.path, frame };
    };
  }

  /** How many of them there are. */
  async countLeft(): Promise<number> {
    const [connection] = this.#connections;
    const request = frameMessage(LeaseLeases.requestSerialize({}));
    const result = await connection?.callForAnswer(LeaseLeases.path, request);
    const message = result === undefined ? undefined : unframeMessage(result.answer);
    if (result?.code !== grpcOk || message === undefined) {
      throw new ExitError(1, `holdfast bench: leases cannot be listed: ${result?.text ?? ''}`);
    }
    const lastId = this.#firstId + BigInt(this.count - 1);
    return LeaseLeases.responseDeserialize(message).leases.filter(({ ID }) => {
      const id = BigInt(ID);
      return id >= this.#firstId && id <= lastId;
    }).length;
  }

  async #each(path: string, requestOf: (id: bigint) => Buffer): Promise<void> {
    let sent = 0;
    const { errors } = await runLoad({
      callees: this.#connections,
      clients: Math.min(clientsMax, this.count),
      next: () =>
        sent === this.count
          ? undefined
          : { path, frame: frameMessage(requestOf(this.#firstId + BigInt(sent++))) },
      end: { kind: 'total', total: this.count },
      signal: this.#signal,
    });
    const [first] = errors;
    if (first !== undefined) {
      throw new ExitError(
        1,
        `holdfast bench: leases are refused: ${first.count} × ${first.code}: ${first.text}`,
      );
    }
  }
}
