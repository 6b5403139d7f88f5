/**
 * The members as the client knows them: their addresses, who of them leads, and which have failed
 * lately.
 *
 * An endpoint that has failed is passed over for a while that doubles with each failure, as long as
 * another one is there; if all have failed, the one whose time is up first is tried. Who leads is
 * learnt from what members say of themselves and of the leader, by member id: an address may be
 * known to the client by another name than to the cluster.
 */
import type { MonotonicClock } from '../base/index.ts';
import type { Link, Transport } from './ports.ts';

const penaltyMinMs = 100;
const penaltyMaxMs = 5000;

/** One member's address, and what is known of it. */
export class Endpoint {
  /** `host:port` */
  readonly address: string;
  readonly link: Link;
  /** The member that answers there; undefined until it has said so. */
  memberId: string | undefined;
  /** Failures since the last success. */
  failures = 0;
  /** Whether the last attempt to connect has failed by a certificate. */
  hasWrongCertificate = false;
  /** Not to be preferred before this time. */
  avoidedUntilMs = 0;

  constructor(address: string, link: Link) {
    this.address = address;
    this.link = link;
  }
}

/** Where a call is to go: to the leader if it is known, to anyone, or to one address. */
export type Route = 'leader' | 'any' | { readonly address: string };

/** See the module comment. */
export class Endpoints {
  readonly all: readonly Endpoint[];
  readonly #clock: MonotonicClock;
  #leaderId: string | undefined;
  #next: number;
  #hasConnected = false;

  /** `first` is the index of the endpoint that is tried first, to spread clients over members. */
  constructor(
    addresses: readonly string[],
    { transport, clock, first }: { transport: Transport; clock: MonotonicClock; first: number },
  ) {
    this.all = addresses.map((address) => new Endpoint(address, transport.open(address)));
    this.#clock = clock;
    this.#next = first;
  }

  /** The leader's endpoint, when it is known and has not failed since. */
  get leader(): Endpoint | undefined {
    const id = this.#leaderId;
    return id === undefined ? undefined : this.all.find((each) => each.memberId === id);
  }

  /** Whether a leader was named that none of the endpoints is known to be. */
  get isLeaderUnknown(): boolean {
    return this.leader === undefined;
  }

  at(address: string | undefined): Endpoint | undefined {
    return this.all.find((each) => each.address === address);
  }

  /** Picks an endpoint; other ones than `avoided` if there are. */
  choose(route: Route, avoided?: Endpoint): Endpoint {
    if (typeof route === 'object') {
      const named = this.at(route.address);
      if (named !== undefined) {
        return named;
      }
    }
    const { leader } = this;
    if (route === 'leader' && leader !== undefined && this.#isUsable(leader, avoided)) {
      return leader;
    }
    return this.#inTurn(avoided);
  }

  /** Whether every endpoint fails by a certificate: waiting helps nothing then. */
  get areAllRefused(): boolean {
    return this.all.every(({ hasWrongCertificate }) => hasWrongCertificate);
  }

  /** Whether any endpoint has ever been connected. */
  get hasConnected(): boolean {
    return this.#hasConnected;
  }

  /** There is a connection to an endpoint. */
  connected(endpoint: Endpoint): void {
    this.#hasConnected = true;
    endpoint.hasWrongCertificate = false;
  }

  /** An endpoint has answered. */
  succeeded(endpoint: Endpoint): void {
    endpoint.failures = 0;
    endpoint.avoidedUntilMs = 0;
  }

  /** An endpoint cannot be reached, or does not answer. */
  failed(endpoint: Endpoint): void {
    const penaltyMs = Math.min(penaltyMaxMs, penaltyMinMs * 2 ** Math.min(endpoint.failures, 16));
    endpoint.failures++;
    endpoint.avoidedUntilMs = this.#clock.nowMs() + penaltyMs;
    if (endpoint.memberId !== undefined && endpoint.memberId === this.#leaderId) {
      this.#leaderId = undefined;
    }
  }

  failedAt(address: string): void {
    const endpoint = this.at(address);
    if (endpoint !== undefined) {
      this.failed(endpoint);
    }
  }

  /** What the member at an endpoint says of itself, and of who leads; `0` is nobody. */
  learn(endpoint: Endpoint, memberId: string, leaderId: string): void {
    endpoint.memberId = memberId;
    if (leaderId !== '0') {
      this.#leaderId = leaderId;
    }
  }

  close(): void {
    for (const { link } of this.all) {
      link.close();
    }
  }

  #inTurn(avoided: Endpoint | undefined): Endpoint {
    const count = this.all.length;
    const start = this.#next++ % count;
    let best: Endpoint | undefined;
    for (let i = 0; i < count; i++) {
      const candidate = this.all[(start + i) % count] as Endpoint;
      if (this.#isUsable(candidate, avoided)) {
        return candidate;
      }
      const isBetter =
        best === undefined ||
        best === avoided ||
        (candidate !== avoided && candidate.avoidedUntilMs < best.avoidedUntilMs);
      best = isBetter ? candidate : best;
    }
    return best as Endpoint;
  }

  #isUsable(endpoint: Endpoint, avoided: Endpoint | undefined): boolean {
    return endpoint !== avoided && endpoint.avoidedUntilMs <= this.#clock.nowMs();
  }
}
