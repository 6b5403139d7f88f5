/**
 * Finds out who leads by asking every endpoint, when somebody wants to know and nobody does. A call
 * does not wait for it: any member takes a write, the leader is only the shortest way.
 */
import type { MonotonicClock } from '../base/index.ts';
import { services } from '../wire/index.ts';
import type { Endpoint, Endpoints } from './endpoints.ts';
import type { CallMetadata, Credentials, OngoingCall } from './ports.ts';

/** Milliseconds between two rounds of questions. */
const roundMs = 500;

/** See the module comment. */
export class LeaderFinder {
  /** Who asks; members that want to know that tell nobody else. */
  credentials: Credentials | undefined;
  readonly #endpoints: Endpoints;
  readonly #clock: MonotonicClock;
  /** Questions under way, one for each endpoint at most; undefined while one is being asked. */
  readonly #asking = new Map<Endpoint, OngoingCall | undefined>();
  #isClosed = false;
  #nextMs = Number.NEGATIVE_INFINITY;

  constructor(endpoints: Endpoints, clock: MonotonicClock) {
    this.#endpoints = endpoints;
    this.#clock = clock;
  }

  /** Asks, unless the leader is known, or was asked for just now. */
  maybeLook(): void {
    const nowMs = this.#clock.nowMs();
    const { all, leader } = this.#endpoints;
    if (leader === undefined && all.length > 1 && nowMs >= this.#nextMs) {
      this.#nextMs = nowMs + roundMs;
      if (this.credentials === undefined) {
        this.#askAll({});
      } else {
        // Who cannot sign in is told so by the call that wants to know.
        this.credentials.metadata().then(
          (metadata) => this.#askAll(metadata),
          () => undefined,
        );
      }
    }
  }

  /** Asks nobody any more: a question that hangs would hold up the end of the process. */
  close(): void {
    this.#isClosed = true;
    for (const call of this.#asking.values()) {
      call?.cancel();
    }
  }

  #askAll(metadata: CallMetadata): void {
    for (const endpoint of this.#endpoints.all) {
      this.#ask(endpoint, metadata);
    }
  }

  #ask(endpoint: Endpoint, metadata: CallMetadata): void {
    const { link } = endpoint;
    link.connect((problem) => {
      if (problem !== undefined || this.#isClosed || this.#asking.has(endpoint)) {
        return;
      }
      this.#asking.set(endpoint, undefined);
      const { Status } = services['etcdserverpb.Maintenance'];
      const call = link.call(Status, {}, metadata, (result) => {
        this.#asking.delete(endpoint);
        // Who does not answer is not the leader that is looked for.
        if (result.kind === 'ok') {
          const { header, leader } = result.answer;
          this.#endpoints.learn(endpoint, header?.member_id ?? '', leader);
        }
      });
      if (this.#asking.has(endpoint)) {
        this.#asking.set(endpoint, call);
      }
    });
  }
}
