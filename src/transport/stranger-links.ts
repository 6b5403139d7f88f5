/**
 * Links to members that are not in the list of peers, but whose streams are taken.
 *
 * A new leader may be unknown to a member that lags behind, and can only bring it up to date if it
 * is answered. It says itself where it is reached. Limit: 16 links; the one that has been silent
 * for longest makes room, and one on which nothing was sent for a minute is closed.
 */
import type { TimerHandle, Timers } from '../base/index.ts';
import type { NodeId } from '../raft/index.ts';
import type { OutgoingLink } from './peer-link.ts';
import type { Peer } from './ports.ts';

/** Limit: strangers that can be answered at a time. */
const strangersMax = 16;
/** Milliseconds without a message to it after which a link is closed. */
const idleMsMax = 60_000;
const checkPeriodMs = 10_000;

interface Stranger {
  readonly link: OutgoingLink;
  usedMs: number;
}

/** See the module comment. */
export class StrangerLinks {
  readonly #dial: (peer: Peer) => OutgoingLink;
  readonly #timers: Timers;
  readonly #strangersById = new Map<NodeId, Stranger>();
  #check: TimerHandle | undefined;

  /** @param dial - makes and starts a link */
  constructor(dial: (peer: Peer) => OutgoingLink, timers: Timers) {
    this.#dial = dial;
    this.#timers = timers;
  }

  /** The link to `peer`, dialled now if there is none to that address; counts as a use of it. */
  open(peer: Peer): OutgoingLink {
    const known = this.use(peer.id);
    if (known !== undefined && isSamePlace(known.peer, peer)) {
      return known;
    }
    this.close(peer.id);
    this.#makeRoom();
    const link = this.#dial(peer);
    this.#strangersById.set(peer.id, { link, usedMs: this.#timers.nowMs() });
    this.#check ??= this.#timers.every(checkPeriodMs, () => {
      this.#closeIdle();
    });
    return link;
  }

  /** The link to `id`, if there is one; counts as a use of it. */
  use(id: NodeId): OutgoingLink | undefined {
    const stranger = this.#strangersById.get(id);
    if (stranger !== undefined) {
      stranger.usedMs = this.#timers.nowMs();
    }
    return stranger?.link;
  }

  close(id: NodeId): void {
    this.#strangersById.get(id)?.link.stop();
    this.#strangersById.delete(id);
    if (this.#strangersById.size === 0) {
      this.#check?.cancel();
      this.#check = undefined;
    }
  }

  closeAll(): void {
    for (const id of [...this.#strangersById.keys()]) {
      this.close(id);
    }
  }

  #makeRoom(): void {
    if (this.#strangersById.size >= strangersMax) {
      const byUse = [...this.#strangersById].sort(([, a], [, b]) => a.usedMs - b.usedMs);
      const [oldest] = byUse;
      if (oldest !== undefined) {
        this.close(oldest[0]);
      }
    }
  }

  #closeIdle(): void {
    const nowMs = this.#timers.nowMs();
    for (const [id, { usedMs }] of [...this.#strangersById]) {
      if (nowMs - usedMs >= idleMsMax) {
        this.close(id);
      }
    }
  }
}

/** Where a peer is dialled, and how. */
export type PeerPlace = Pick<Peer, 'address' | 'tlsHost'>;

/** Whether two peers are dialled alike. */
export function isSamePlace(a: PeerPlace, b: PeerPlace): boolean {
  return a.address === b.address && a.tlsHost === b.tlsHost;
}

/** The first of `urls` that says where to dial. */
export function placeIn(urls: readonly string[]): PeerPlace | undefined {
  for (const url of urls) {
    const [, scheme, address, host] =
      /^(https?):\/\/((\[[^\]/\s]+\]|[^/:\s]+):\d+)\/?$/.exec(url) ?? [];
    if (address !== undefined && host !== undefined) {
      const tlsHost = scheme === 'https' ? host.replace(/^\[|\]$/g, '') : undefined;
      return { address, tlsHost };
    }
  }
  return undefined;
}
