/**
 * What clients may use of one member, decided: requests under way, their bytes, large answers,
 * streams, watches, the rate of requests (G8). Pure: time and the state of memory are given to it.
 *
 * A client is a connection. Of every resource it may use as much as is still free, and no more than
 * a limit of its own (dynamic thresholds, Choudhury and Hahne 1998). So one alone never takes more
 * than half, `n` greedy ones leave one part in `n + 1`, and whoever comes next finds room.
 *
 * System work and renewals have a pool of their own: nothing else can fill it. While memory is
 * short, bulk work and what would stay are refused, and other ordinary work goes on as a trickle:
 * refusing all of it would not give back what other things hold, and would turn a member with much
 * memory in use into a dead one.
 */
import type { Work, WorkClass } from './work-classes.ts';

/** How far a resource may be used: by one client, and by all together. */
export interface Bound {
  readonly client: number;
  readonly member: number;
}

/** See `docs/configuration.md` for the flags behind them. */
export interface RequestLimits {
  /** Requests of one client in a second; 0 for no limit. */
  readonly clientRequestsPerSecond: number;
  readonly inflightRequests: Bound;
  /** Bytes of requests under way, and of their answers that are not large. */
  readonly inflightBytes: Bound;
  /** Bytes of large answers under way on the member. */
  readonly bulkBytes: number;
  /** Streams, and calls that wait for others. */
  readonly streams: Bound;
  readonly watches: Bound;
  /** Leases of the cluster. */
  readonly leases: number;
}

/** Why a call is refused. */
export type RefusalReason =
  | 'rate'
  | 'requests'
  | 'bytes'
  | 'bulk'
  | 'streams'
  | 'watches'
  | 'leases'
  | 'memory';

/** A call that is not served, and had no effect. */
export interface Refusal {
  readonly reason: RefusalReason;
  /** Milliseconds after which a repetition may succeed. */
  readonly retryMs: number;
}

/** Who is refused because memory is short: nobody, bulk work, ordinary work above a trickle. */
export type Shortage = 'none' | 'bulk' | 'ordinary';

/** Limit: what system work and renewals may use; they are small and soon over. */
const preferredRequests: Bound = { client: 1024, member: 4096 };
const preferredBytes: Bound = { client: 4 * 1024 * 1024, member: 16 * 1024 * 1024 };
/** While memory is short, ordinary work has this part of its limits. */
const trickle = 1 / 16;
/** A client may send as much at once as its rate gives it in so many milliseconds. */
const burstMs = 1000;
/** Bytes of an answer from which on it is bulk work, and what a stream of bulk work counts as. */
export const bulkAnswerBytes = 1024 * 1024;

/** Milliseconds after which a repetition is worthwhile, at least. */
const pauseMsByReason: Readonly<Record<RefusalReason, number>> = {
  rate: 1,
  requests: 100,
  bytes: 100,
  bulk: 500,
  // What stays there does so for long, and memory comes back with a collection of garbage.
  streams: 1000,
  watches: 1000,
  leases: 1000,
  memory: 1000,
};

/** What is used of one pool. */
interface PoolUse {
  requests: number;
  bytes: number;
  streams: number;
}

/** What one client uses, or all; made and forgotten by {@link Limits}. */
export class ClientUse {
  readonly name: string;
  readonly ordinary: PoolUse = { requests: 0, bytes: 0, streams: 0 };
  /** Of system work and renewals. */
  readonly preferred: PoolUse = { requests: 0, bytes: 0, streams: 0 };
  bulkBytes = 0;
  watches = 0;
  /** When all that was asked so far will have been paid for at the client's rate. */
  paidMs = Number.NEGATIVE_INFINITY;

  constructor(name: string) {
    this.name = name;
  }

  get isIdle(): boolean {
    const { ordinary, preferred, bulkBytes, watches } = this;
    const calls =
      ordinary.requests + ordinary.streams + preferred.requests + preferred.streams + watches;
    return calls + ordinary.bytes + preferred.bytes + bulkBytes === 0;
  }
}

/** See the module comment. */
export class Limits {
  readonly #limits: RequestLimits;
  readonly #nowMs: () => number;
  readonly #clients = new Map<string, Map<number, ClientUse>>();
  readonly #tricklingRequests: number;
  readonly #tricklingBytes: number;
  readonly #total = new ClientUse('all');
  #refusals = 0;
  /** Set by whoever watches the member's memory. */
  shortage: Shortage = 'none';

  /** `requestBytesMax`: the largest request, which passes even while memory is short. */
  constructor(limits: RequestLimits, requestBytesMax: number, nowMs: () => number) {
    this.#limits = limits;
    this.#nowMs = nowMs;
    this.#tricklingRequests = Math.max(2, trickle * limits.inflightRequests.member);
    this.#tricklingBytes = Math.max(2 * requestBytesMax, trickle * limits.inflightBytes.member);
  }

  /** What all clients use together. */
  get total(): Readonly<ClientUse> {
    return this.#total;
  }

  /** How many clients are remembered. */
  get clients(): number {
    let count = 0;
    for (const ports of this.#clients.values()) {
      count += ports.size;
    }
    return count;
  }

  /** The client at an address and port. */
  client(address: string, port: number): ClientUse {
    let ports = this.#clients.get(address);
    if (ports === undefined) {
      ports = new Map();
      this.#clients.set(address, ports);
    }
    let use = ports.get(port);
    if (use === undefined) {
      use = new ClientUse(`${address}:${port}`);
      ports.set(port, use);
    }
    return use;
  }

  /** Forgets clients that use nothing; to be called about once a second. */
  sweep(): void {
    const nowMs = this.#nowMs();
    for (const [address, ports] of this.#clients) {
      for (const [port, use] of ports) {
        if (use.isIdle && use.paidMs <= nowMs) {
          ports.delete(port);
        }
      }
      if (ports.size === 0) {
        this.#clients.delete(address);
      }
    }
  }

  /** Begins a call, or says why not; `leave` ends it. */
  maybeEnter(client: ClientUse, work: Work): Refusal | undefined {
    const reason = isPreferred(work.class)
      ? this.#reasonAgainstPreferred(client, work)
      : this.#reasonAgainst(client, work);
    if (reason !== undefined) {
      return this.#refuse(reason);
    }
    const waitMs = isPreferred(work.class) ? 0 : this.#pay(client);
    if (waitMs > 0) {
      return this.#refuse('rate', waitMs);
    }
    this.#count(client, work, 1);
    return undefined;
  }

  /** Ends a call with all that it has been charged. */
  leave(client: ClientUse, work: Work, bytes: number): void {
    this.#count(client, work, -1);
    this.charge(client, work.class, -bytes);
  }

  /** Charges a call the bytes of its request, or says why not. */
  maybeCharge(client: ClientUse, workClass: WorkClass, bytes: number): Refusal | undefined {
    const pool = poolOf(workClass);
    const isTrickling = pool === 'ordinary' && this.shortage === 'ordinary';
    const { client: ownMax, member } =
      pool === 'ordinary' ? this.#limits.inflightBytes : preferredBytes;
    const own = client[pool].bytes + bytes;
    const isRoom =
      own <= ownMax &&
      own + this.#total[pool].bytes <= (isTrickling ? this.#tricklingBytes : member);
    if (!isRoom) {
      return this.#refuse(isTrickling ? 'memory' : 'bytes');
    }
    this.charge(client, workClass, bytes);
    return undefined;
  }

  /**
   * Charges a stream what it holds of a message, or says why not: beyond twice the limits, since
   * whatever is under way on the stream ends with it.
   */
  maybeHold(client: ClientUse, workClass: WorkClass, bytes: number): Refusal | undefined {
    const pool = poolOf(workClass);
    const { client: ownMax, member } =
      pool === 'ordinary' ? this.#limits.inflightBytes : preferredBytes;
    const [own, all] = [client[pool].bytes + bytes, this.#total[pool].bytes + bytes];
    if (own > 2 * ownMax || all > 2 * member) {
      return this.#refuse('bytes');
    }
    this.charge(client, workClass, bytes);
    return undefined;
  }

  /** Charges a call what is there already. */
  charge(client: ClientUse, workClass: WorkClass, bytes: number): void {
    const pool = poolOf(workClass);
    client[pool].bytes += bytes;
    this.#total[pool].bytes += bytes;
  }

  /**
   * Charges a call that is, or has become, bulk work for its answer, or says why not; one that is
   * alone goes on, however large its answer. `chargedBytes`: what it has been charged so.
   */
  maybeGrow(client: ClientUse, chargedBytes: number, bytes: number): Refusal | undefined {
    if (this.shortage !== 'none') {
      return this.#refuse('memory');
    }
    const isAlone = this.#total.bulkBytes === chargedBytes;
    if (!isAlone && client.bulkBytes + this.#total.bulkBytes + bytes > this.#limits.bulkBytes) {
      return this.#refuse('bulk');
    }
    this.grow(client, bytes);
    return undefined;
  }

  /** Charges bulk work what is there already, or, below 0, what is over. */
  grow(client: ClientUse, bytes: number): void {
    client.bulkBytes += bytes;
    this.#total.bulkBytes += bytes;
  }

  /** Begins a watch that takes so many places, or says why not; `endWatches` ends it. */
  maybeWatch(client: ClientUse, places = 1): Refusal | undefined {
    if (this.shortage === 'ordinary') {
      return this.#refuse('memory');
    }
    // The last of them is judged with the others taken.
    const others = places - 1;
    const [own, all] = [client.watches + others, this.#total.watches + others];
    if (!isBelow(this.#limits.watches, own, all)) {
      return this.#refuse('watches');
    }
    this.endWatches(client, -places);
    return undefined;
  }

  /** Ends watches that have taken so many places. */
  endWatches(client: ClientUse, places: number): void {
    client.watches -= places;
    this.#total.watches -= places;
  }

  /**
   * Whether one more lease may be granted while the cluster has `leases`.
   *
   * @remarks
   * Limit: soft. It is judged by what this member has applied, so grants that are under way at the
   * same time may go beyond it, by no more than the requests that may be. A rule in the state
   * machine would have to be the same on all members at every entry, and this is a flag.
   */
  maybeGrant(leases: number): Refusal | undefined {
    return leases < this.#limits.leases ? undefined : this.#refuse('leases');
  }

  #reasonAgainstPreferred(client: ClientUse, { keeps }: Work): RefusalReason | undefined {
    const [own, all] = [client.preferred, this.#total.preferred];
    if (keeps === 'stream') {
      return isBelow(this.#limits.streams, own.streams, all.streams) ? undefined : 'streams';
    }
    return isBelow(preferredRequests, own.requests, all.requests) ? undefined : 'requests';
  }

  #reasonAgainst(client: ClientUse, { class: workClass, keeps }: Work): RefusalReason | undefined {
    const { shortage } = this;
    const [own, all] = [client.ordinary, this.#total.ordinary];
    if (shortage !== 'none' && (workClass === 'bulk' || shortage === 'ordinary')) {
      const isTrickle =
        workClass === 'ordinary' &&
        keeps === 'nothing' &&
        own.requests + all.requests < this.#tricklingRequests;
      if (!isTrickle) {
        return 'memory';
      }
    }
    const { streams, inflightRequests } = this.#limits;
    if (keeps === 'stream') {
      return isBelow(streams, own.streams, all.streams) ? undefined : 'streams';
    }
    return isBelow(inflightRequests, own.requests, all.requests) ? undefined : 'requests';
  }

  /** Has the client pay for a request; milliseconds to wait if it cannot. */
  #pay(client: ClientUse): number {
    const { clientRequestsPerSecond } = this.#limits;
    if (clientRequestsPerSecond === 0) {
      return 0;
    }
    const nowMs = this.#nowMs();
    const paidMs = Math.max(client.paidMs, nowMs) + 1000 / clientRequestsPerSecond;
    const waitMs = paidMs - nowMs - burstMs;
    if (waitMs <= 0) {
      client.paidMs = paidMs;
    }
    return waitMs;
  }

  /**
   * Repetitions are spread over a pause again as long, or all would come back at once: each refusal
   * is put a golden section further, which fills the pause evenly whenever it is looked at.
   */
  #refuse(reason: RefusalReason, pauseMs = pauseMsByReason[reason]): Refusal {
    this.#refusals++;
    const part = (this.#refusals * 0.618_033_988_749_895) % 1;
    return { reason, retryMs: Math.ceil(pauseMs * (1 + part)) };
  }

  #count(client: ClientUse, { class: workClass, keeps }: Work, change: number): void {
    const pool = poolOf(workClass);
    const what = keeps === 'stream' ? 'streams' : 'requests';
    client[pool][what] += change;
    this.#total[pool][what] += change;
  }
}

function isPreferred(workClass: WorkClass): boolean {
  return workClass === 'system' || workClass === 'renewal';
}

function poolOf(workClass: WorkClass): 'ordinary' | 'preferred' {
  return isPreferred(workClass) ? 'preferred' : 'ordinary';
}

/** Whether one more is within the limits: at most the client's own, and at most what is free. */
function isBelow(bound: Bound, own: number, all: number): boolean {
  return own < bound.client && own + all < bound.member;
}
