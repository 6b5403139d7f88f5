/**
 * Finds out who leads by asking every endpoint, when somebody wants to know and nobody does. A call
 * does not wait for it: any member takes a write, the leader is only the shortest way.
 */
import type { MonotonicClock } from '../base/index.ts';
import { services } from '../wire/index.ts';
import type { Endpoint, Endpoints } from './endpoints.ts';
import type { CallMetadata, Credentials } from './ports.ts';

/** Milliseconds between two rounds of questions. */
const roundMs = 500;

/** See the module comment. */
export class LeaderFinder {
  /** Who asks; members that want to know that tell nobody else. */
  credentials: Credentials | undefined;
  readonly #endpoints: Endpoints;
  readonly #clock: MonotonicClock;
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

  #askAll(metadata: CallMetadata): void {
    for (const endpoint of this.#endpoints.all) {
      this.#ask(endpoint, metadata);
    }
  }

  #ask(endpoint: Endpoint, metadata: CallMetadata): void {
    const { link } = endpoint;
    link.connect((problem) => {
      if (problem === undefined) {
        link.call(services['etcdserverpb.Maintenance'].Status, {}, metadata, (result) => {
          // Who does not answer is not the leader that is looked for.
          if (result.kind === 'ok') {
            const { header, leader } = result.answer;
            this.#endpoints.learn(endpoint, header?.member_id ?? '', leader);
          }
        });
      }
    });
  }
}
