/**
 * The one gate that every call of a client passes: enters it into the books of `limits.ts` when it
 * arrives, before its message is read, and strikes it out when its work is over and its answer has
 * left. What is refused costs neither decoding nor a call to the member.
 *
 * A call that is cancelled stays in the books until its work has ended, or a client that sends and
 * cancels could have any amount of work done.
 */
import {
  type Metadata,
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
} from '@grpc/grpc-js';
import { KvError, type TimerHandle, type Timers } from '../base/index.ts';
import type { Metrics } from '../observability/index.ts';
import type { ConnectionEnd, GatewayIdentity } from './gateway-identity.ts';
import { LargeAnswer } from './large-answer.ts';
import {
  bulkAnswerBytes,
  type ClientUse,
  Limits,
  type Refusal,
  type RequestLimits,
  type Shortage,
} from './limits.ts';
import { decodedBytesOf, takeEncodedBytes } from './measured.ts';
import { type MemoryBounds, type MemorySample, MemoryWatch } from './memory-watch.ts';
import { onPartialMessage } from './partial-message.ts';
import { refusedStatus } from './status.ts';
import { type Work, type WorkClass, workByPath } from './work-classes.ts';

/** Between two looks at the memory: at 1 GB a second a member takes in 100 MB meanwhile. */
const samplePeriodMs = 100;
/** Looks between two sweeps of clients that have gone. */
const sweepSamples = 10;
/** Shedding is over once nothing has been refused for so long. */
const quietMs = 5000;

/** What an operator is told of shedding: that it has begun, and that it is over. */
export type SheddingEvent =
  | {
      readonly type: 'shedding-started';
      readonly reason: Refusal['reason'];
      /** Of whom the first refused call was; empty when memory is short and nobody has called. */
      readonly client: string;
      readonly residentBytes: number;
      readonly heapBytes: number;
    }
  | { readonly type: 'shedding-ended'; readonly refused: number; readonly seconds: number };

/** What admission is made of. */
export interface AdmissionOptions {
  readonly limits: RequestLimits;
  readonly requestBytesMax: number;
  readonly memory: {
    readonly bounds: MemoryBounds;
    readonly sample: () => MemorySample;
  };
  readonly metrics: Metrics;
  readonly timers: Timers;
  readonly onShedding: (event: SheddingEvent) => void;
  readonly gateway: Pick<GatewayIdentity, 'takeFrom'>;
}

type Listener = Parameters<ServerInterceptingCallInterface['start']>[0];
type CallStatus = Parameters<ServerInterceptingCallInterface['sendStatus']>[0];

const shortageNumbers: Readonly<Record<Shortage, number>> = { none: 0, bulk: 1, ordinary: 2 };

/** See the module comment. */
export class Admission {
  readonly limits: Limits;
  readonly #options: AdmissionOptions;
  readonly #memoryWatch: MemoryWatch;
  readonly #calls = new WeakMap<Metadata, AdmittedCall>();
  #timer: TimerHandle | undefined;
  #samples = 0;
  #memory: MemorySample;
  /** Since when calls are refused, how many have been, and the last time. */
  #shedding: { readonly sinceMs: number; refused: number; lastMs: number } | undefined;

  constructor(options: AdmissionOptions) {
    const { limits, requestBytesMax, timers, memory } = options;
    this.#options = options;
    this.limits = new Limits(limits, requestBytesMax, () => timers.nowMs());
    this.#memoryWatch = new MemoryWatch(memory.bounds);
    this.#memory = memory.sample();
  }

  /** For the server's options. */
  readonly interceptor: ServerInterceptor = (method, call) => {
    const work = workByPath.get(method.path);
    return work === undefined
      ? new ServerInterceptingCall(call)
      : new AdmittedCall(call, this, {
          ...{ work, path: method.path },
          ...{ isUnary: !method.responseStream, isSpoken: method.requestStream },
        });
  };

  /** Begins to watch the memory. */
  start(): void {
    this.#timer = this.#options.timers.every(samplePeriodMs, () => {
      this.#look();
    });
  }

  stop(): void {
    this.#timer?.cancel();
  }

  /** The books' entry of a call that is under way, by the metadata it came with. */
  callOf(metadata: Metadata): AdmittedCall | undefined {
    return this.#calls.get(metadata);
  }

  /** Whose call it is that comes by the gateway of this process. */
  clientBehind(metadata: Metadata): ClientUse | undefined {
    const end = this.#options.gateway.takeFrom(metadata);
    return end && this.clientAt(end);
  }

  /** The client at the other end of a connection. */
  clientAt({ remoteAddress = 'unknown', remotePort = 0 }: ConnectionEnd): ClientUse {
    return this.limits.client(remoteAddress, remotePort);
  }

  /** Makes a call known to `callOf`. */
  remember(metadata: Metadata, call: AdmittedCall): void {
    this.#calls.set(metadata, call);
  }

  /** @throws {KvError} TOO_MANY_REQUESTS — the cluster has all the leases it may have. */
  checkLeases(count: number): void {
    this.throwRefusal(this.limits.maybeGrant(count), 'ordinary', '');
  }

  /** @throws {KvError} TOO_MANY_REQUESTS — unless there is no refusal. */
  throwRefusal(refusal: Refusal | undefined, workClass: WorkClass, client: string): void {
    if (refusal !== undefined) {
      this.noteRefusal(refusal, workClass, client);
      throw refusalError(refusal);
    }
  }

  noteRefusal({ reason }: Refusal, workClass: WorkClass, client: string): void {
    const { metrics, timers } = this.#options;
    metrics.countRefusal(reason, workClass);
    this.#beginShedding(reason, client);
    if (this.#shedding !== undefined) {
      this.#shedding.refused++;
      this.#shedding.lastMs = timers.nowMs();
    }
  }

  /** Counts a call that ended here, without having reached its service. */
  noteEnded(path: string): void {
    const method = path.slice(path.lastIndexOf('/') + 1);
    this.#options.metrics.countRequest(method, 'TOO_MANY_REQUESTS', 0);
  }

  #look(): void {
    const { memory, metrics } = this.#options;
    const { limits } = this;
    this.#memory = memory.sample();
    limits.shortage = this.#memoryWatch.look(this.#memory);
    if (limits.shortage !== 'none') {
      this.#beginShedding('memory', '');
    }
    this.#maybeEndShedding();
    if (++this.#samples % sweepSamples === 0) {
      limits.sweep();
    }
    const { ordinary, preferred, bulkBytes } = limits.total;
    metrics.inflightRequests.set(ordinary.requests + preferred.requests);
    metrics.inflightBytes.set(ordinary.bytes + preferred.bytes + bulkBytes);
    metrics.clientStreams.set(ordinary.streams + preferred.streams);
    metrics.clients.set(limits.clients);
    metrics.memoryShortage.set(shortageNumbers[limits.shortage]);
  }

  #beginShedding(reason: Refusal['reason'], client: string): void {
    if (this.#shedding === undefined) {
      const nowMs = this.#options.timers.nowMs();
      this.#shedding = { sinceMs: nowMs, refused: 0, lastMs: nowMs };
      this.#options.onShedding({ type: 'shedding-started', reason, client, ...this.#memory });
    }
  }

  #maybeEndShedding(): void {
    const shedding = this.#shedding;
    const nowMs = this.#options.timers.nowMs();
    const isOver = this.limits.shortage === 'none' && nowMs - (shedding?.lastMs ?? 0) >= quietMs;
    if (shedding !== undefined && isOver) {
      this.#shedding = undefined;
      const { refused, sinceMs } = shedding;
      const seconds = Math.round(nowMs - sinceMs) / 1000;
      this.#options.onShedding({ type: 'shedding-ended', refused, seconds });
    }
  }
}

/** The error of a refusal. */
function refusalError({ reason, retryMs }: Refusal): KvError {
  return new KvError('TOO_MANY_REQUESTS', { details: { reason, retryMs } });
}

/** What a call is. */
interface CallKind {
  readonly work: Work;
  readonly path: string;
  /** Whether it has one answer, which ends it. */
  readonly isUnary: boolean;
  /** Whether its client sends messages for as long as it lasts. */
  readonly isSpoken: boolean;
}

/** One call on its way: between the wire, from which it hears, and its service. */
export class AdmittedCall extends ServerInterceptingCall {
  readonly #next: ServerInterceptingCallInterface;
  readonly #admission: Admission;
  readonly #kind: CallKind;
  #clientUse: ClientUse | undefined;
  #listener: Listener | undefined;
  #state: 'new' | 'entered' | 'working' | 'answered' | 'over' = 'new';
  #isCancelled = false;
  /** Charged for its request, and its answer unless that is large. */
  #bytes = 0;
  #ownAnswer: LargeAnswer | undefined;
  /** Charged for a message that is not whole yet. */
  #partialBytes = 0;

  constructor(call: ServerInterceptingCallInterface, admission: Admission, kind: CallKind) {
    super(call);
    this.#next = call;
    this.#admission = admission;
    this.#kind = kind;
  }

  /** Whose call it is: that of its connection, unless its metadata says otherwise. */
  get #client(): ClientUse {
    this.#clientUse ??= this.#admission.clientAt(this.#next.getConnectionInfo());
    return this.#clientUse;
  }

  get #largeAnswer(): LargeAnswer {
    this.#ownAnswer ??= this.largeAnswer();
    return this.#ownAnswer;
  }

  override start(listener: Listener): void {
    this.#listener = listener;
    onPartialMessage(this.#next, (bytes) => {
      this.#chargePartial(bytes);
    });
    this.#next.start(this);
  }

  override sendMetadata(metadata: Metadata): void {
    this.#next.sendMetadata(metadata);
  }

  override sendMessage(message: unknown, callback: () => void): void {
    if (!this.#kind.isUnary) {
      this.#next.sendMessage(message, callback);
      return;
    }
    this.#state = 'answered';
    takeEncodedBytes();
    this.#next.sendMessage(message, callback);
    this.#chargeAnswer(takeEncodedBytes());
    if (this.#isCancelled) {
      this.#leave();
    }
  }

  override sendStatus(status: CallStatus): void {
    this.#leave();
    this.#next.sendStatus(status);
  }

  onReceiveMetadata(metadata: Metadata): void {
    const { limits } = this.#admission;
    const { work } = this.#kind;
    this.#clientUse = this.#admission.clientBehind(metadata);
    const refusal = limits.maybeEnter(this.#client, work);
    if (refusal !== undefined) {
      this.#refuse(refusal);
      return;
    }
    this.#state = 'entered';
    if (work.class === 'bulk') {
      const isTooMuch = this.#largeAnswer.maybeReserve(bulkAnswerBytes);
      if (isTooMuch !== undefined) {
        this.#refuse(isTooMuch);
        return;
      }
    }
    if (asksBack.has(this.#kind.path)) {
      this.#admission.remember(metadata, this);
    }
    this.#listener?.onReceiveMetadata(metadata);
  }

  onReceiveMessage(message: unknown): void {
    const bytes = decodedBytesOf(message);
    const { work } = this.#kind;
    // The messages of a stream are paced by its service: each is soon done with, and what is
    // charged here stays for as long as the call.
    if (bytes > 0 && this.#state === 'entered' && !this.#kind.isSpoken) {
      const refusal = this.#admission.limits.maybeCharge(this.#client, work.class, bytes);
      if (refusal !== undefined) {
        this.#refuse(refusal);
        return;
      }
      this.#bytes += bytes;
    }
    this.#listener?.onReceiveMessage(message);
  }

  onReceiveHalfClose(): void {
    if (this.#state === 'entered') {
      this.#state = 'working';
    }
    this.#listener?.onReceiveHalfClose();
  }

  onCancel(): void {
    this.#isCancelled = true;
    const isBeingWorkedOn = this.#kind.isUnary && this.#state === 'working';
    if (!isBeingWorkedOn) {
      this.#leave();
    }
    this.#listener?.onCancel();
  }

  /**
   * Charges what a long answer takes while it is being made: from so many bytes on it is bulk work.
   *
   * @throws {KvError} TOO_MANY_REQUESTS — there is no room for it.
   */
  grow(answerBytes: number): void {
    this.#largeAnswer.grow(answerBytes);
  }

  /** An account for an answer of a stream that carries many. */
  largeAnswer(): LargeAnswer {
    return new LargeAnswer(this.#admission, this.#client);
  }

  /**
   * Begins an operation of a stream that carries many; `endOperation` ends it.
   *
   * @throws {KvError} TOO_MANY_REQUESTS — there is no room for it; it had no effect.
   */
  beginOperation(work: Work, bytes: number): void {
    const { limits } = this.#admission;
    const entering = limits.maybeEnter(this.#client, work);
    this.#admission.throwRefusal(entering, work.class, this.#client.name);
    const charging = limits.maybeCharge(this.#client, work.class, bytes);
    if (charging !== undefined) {
      limits.leave(this.#client, work, 0);
      this.#admission.throwRefusal(charging, work.class, this.#client.name);
    }
  }

  /** Ends an operation, with the work and the bytes that it was begun with. */
  endOperation(work: Work, bytes: number): void {
    this.#admission.limits.leave(this.#client, work, bytes);
  }

  /** Begins a watch of so many places; false when the client, or the member, has too many. */
  maybeWatch(places: number): boolean {
    const refusal = this.#admission.limits.maybeWatch(this.#client, places);
    if (refusal !== undefined) {
      this.#admission.noteRefusal(refusal, 'ordinary', this.#client.name);
    }
    return refusal === undefined;
  }

  /** Ends watches that have taken so many places. */
  endWatches(places: number): void {
    this.#admission.limits.endWatches(this.#client, places);
  }

  #chargePartial(bytes: number): void {
    const more = bytes - this.#partialBytes;
    if (this.#state !== 'entered' || more === 0) {
      return;
    }
    const { limits } = this.#admission;
    const { work } = this.#kind;
    if (more < 0) {
      limits.charge(this.#client, work.class, more);
    } else {
      const refusal = this.#kind.isSpoken
        ? limits.maybeHold(this.#client, work.class, more)
        : limits.maybeCharge(this.#client, work.class, more);
      if (refusal !== undefined) {
        this.#refuse(refusal);
        return;
      }
    }
    this.#partialBytes = bytes;
  }

  #chargeAnswer(bytes: number): void {
    const { limits } = this.#admission;
    if (this.#largeAnswer.isCharged) {
      return;
    }
    if (bytes < bulkAnswerBytes) {
      limits.charge(this.#client, this.#kind.work.class, bytes);
      this.#bytes += bytes;
    } else {
      this.#largeAnswer.charge(bytes);
    }
  }

  #refuse(refusal: Refusal): void {
    const { work, path } = this.#kind;
    this.#admission.noteRefusal(refusal, work.class, this.#client.name);
    this.#admission.noteEnded(path);
    this.#leave();
    this.#next.sendStatus(refusedStatus(refusal));
  }

  #leave(): void {
    if (this.#state !== 'over' && this.#state !== 'new') {
      const { limits } = this.#admission;
      limits.leave(this.#client, this.#kind.work, this.#bytes + this.#partialBytes);
      this.#largeAnswer.end();
    }
    this.#state = 'over';
  }
}

/** Methods that ask for the entry of their call later. */
const asksBack: ReadonlySet<string> = new Set([
  '/etcdserverpb.KV/Range',
  '/etcdserverpb.KV/RangeStream',
  '/etcdserverpb.KV/Txn',
  '/etcdserverpb.KV/DeleteRange',
  '/etcdserverpb.Lease/LeaseTimeToLive',
  '/etcdserverpb.Watch/Watch',
  '/holdfast.v1.Pipeline/Operate',
]);
