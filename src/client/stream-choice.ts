/**
 * Which stream a pipeline's operations are sent on: one to the leader where it is known, or to any
 * member, which takes operations too; the next one when it breaks or its member falls silent, and
 * when somebody else leads.
 *
 * A stream that was left is finished: what it owes may still come. What a broken one owed is its
 * user's again.
 *
 * Invariant: operations are sent on one stream at a time; at most one is being opened.
 */
import type { TimerHandle } from '../base/index.ts';
import { operateMethod, type PipelineAnswer } from '../wire/index.ts';
import type { MemberCaller } from './caller.ts';
import type { Endpoints } from './endpoints.ts';
import { codeOf, HoldfastError } from './errors.ts';
import type { LeaderFinder } from './leader-finder.ts';
import type { RetryPace } from './pace.ts';
import type { Pending } from './pending.ts';
import { PipelineStream, type PipelineStreamOwner } from './pipeline-stream.ts';
import type { CallFailure, Environment } from './ports.ts';

/** A member that owes answers and says nothing for so long is given up; milliseconds. */
const silenceMaxMs = 3000;
/** Milliseconds between looks for silent members. */
const lookMs = 500;
/** Milliseconds between two moves to another leader: not all of them are followed. */
const moveMs = 1000;
/** Limit: streams in a row that members refuse since they do not know who the client is. */
const refusalsMax = 1;

/** What a {@link StreamChoice} works with. */
export interface StreamChoiceParts {
  readonly environment: Environment;
  readonly caller: MemberCaller;
  readonly endpoints: Endpoints;
  readonly pace: RetryPace;
  readonly finder: LeaderFinder;
}

/** Whose operations they are. */
export interface StreamChoiceUser {
  /** Whether any operation has no answer yet: only then is silence looked for. */
  readonly isWaiting: boolean;
  onAnswer(stream: PipelineStream, pending: Pending, answer: PipelineAnswer): void;
  onUnsendable(pending: Pending, cause: unknown): void;
  /** More may be sent than before; or a stream has to be asked for again. */
  onReady(): void;
  /** What a stream owed that is no more, in the order in which it was sent. */
  onLost(unanswered: readonly Pending[]): void;
  /** The members do not have pipelines. */
  onUnsupported(): void;
  /** There will be no stream. */
  onRefused(error: HoldfastError): void;
}

/** See the module comment. */
export class StreamChoice implements PipelineStreamOwner {
  readonly #parts: StreamChoiceParts;
  readonly #user: StreamChoiceUser;
  /** Where operations are sent. */
  #stream: PipelineStream | undefined;
  /** The next one, which is being opened. */
  #opening: PipelineStream | undefined;
  /** Those that still owe answers. */
  readonly #finishing = new Set<PipelineStream>();
  /** Undefined until a member has been asked. */
  #isSupported: boolean | undefined;
  #isClosed = false;
  /** Streams in a row that ended before they were of use. */
  #failures = 0;
  /** Streams in a row that members ended since they do not know, or do not let in, who this is. */
  #refusals = 0;
  #avoid: string | undefined;
  #nextMoveMs = Number.NEGATIVE_INFINITY;
  #problem: string | undefined;
  #problemCause: unknown;
  #lastAddress: string | undefined;
  #look: TimerHandle | undefined;
  /** Of the pause before another stream is asked for. */
  #retry: TimerHandle | undefined;

  constructor(parts: StreamChoiceParts, user: StreamChoiceUser) {
    this.#parts = parts;
    this.#user = user;
  }

  /** Whether members have pipelines; undefined until one has been asked. */
  get isSupported(): boolean | undefined {
    return this.#isSupported;
  }

  /** Whether there is a stream, or was one until now. */
  get hasStream(): boolean {
    return this.#stream !== undefined;
  }

  /** Whom operations are sent to, or were sent to last. */
  get address(): string | undefined {
    return this.#stream?.address ?? this.#lastAddress;
  }

  /** What went wrong last with a member. */
  get problem(): { readonly text: string | undefined; readonly cause: unknown } {
    return { text: this.#problem, cause: this.#problemCause };
  }

  /** The stream to send on; undefined while there is none: then one is opened. */
  current(): PipelineStream | undefined {
    const stream = this.#stream;
    if (stream?.isOpen === true) {
      return stream;
    }
    this.#open();
    return undefined;
  }

  /** Nobody waits for this operation any more. */
  forget(pending: Pending): void {
    this.#stream?.forget(pending);
    for (const stream of this.#finishing) {
      stream.forget(pending);
    }
  }

  /** Nothing more is sent on it; what it owes may still come. */
  leave(stream: PipelineStream): void {
    if (this.#stream === stream) {
      this.#stream = undefined;
      this.#finish(stream);
    }
  }

  /** From now on a member that owes something, and says nothing, is noticed. */
  startLooking(): void {
    this.#look ??= this.#parts.environment.loop.every(lookMs, () => this.#lookForSilence());
  }

  close(): void {
    this.#isClosed = true;
    this.#stopLooking();
    this.#retry?.cancel();
    for (const stream of [this.#stream, this.#opening, ...this.#finishing]) {
      stream?.cancel();
    }
  }

  onWelcome(stream: PipelineStream): void {
    this.#isSupported = true;
    this.#failures = 0;
    this.#refusals = 0;
    this.#avoid = undefined;
    if (stream === this.#opening) {
      this.#opening = undefined;
      const before = this.#stream;
      this.#stream = stream;
      if (before !== undefined) {
        this.#finish(before);
      }
    }
  }

  onLeader(stream: PipelineStream, leaderId: string): void {
    const { endpoints, finder } = this.#parts;
    const endpoint = endpoints.at(stream.address);
    if (endpoint !== undefined) {
      endpoints.learn(endpoint, stream.memberId, leaderId);
      endpoints.succeeded(endpoint);
      finder.maybeLook();
    }
  }

  onAnswer(stream: PipelineStream, pending: Pending, answer: PipelineAnswer): void {
    this.#user.onAnswer(stream, pending, answer);
  }

  onUnsendable(pending: Pending, cause: unknown): void {
    this.#user.onUnsendable(pending, cause);
  }

  onReady(stream: PipelineStream): void {
    if (this.#finishing.has(stream) && stream.isIdle) {
      this.#finishing.delete(stream);
    }
    if (stream === this.#stream) {
      this.#maybeMove(stream);
    }
    // What came on a stream that was left has made room in the session, too.
    this.#user.onReady();
  }

  onEnd(stream: PipelineStream, failure: CallFailure | undefined): void {
    if (stream !== this.#stream && stream !== this.#opening && stream.isIdle) {
      // It was left, and has nothing to say any more.
      this.#finishing.delete(stream);
      return;
    }
    const wasOpening = stream === this.#opening;
    const code = failure === undefined ? 'CONNECTION_LOST' : codeOf(failure);
    if (wasOpening && code === 'NOT_IMPLEMENTED' && this.#isSupported === undefined) {
      this.#opening = undefined;
      this.#isSupported = false;
      this.#stopLooking();
      this.#user.onUnsupported();
      return;
    }
    this.#noteProblem(stream.address, failure?.message ?? 'the stream has ended', failure?.cause);
    const isFinal = code === 'UNAUTHENTICATED' || code === 'PERMISSION_DENIED';
    if (isFinal && ++this.#refusals > refusalsMax) {
      this.#drop(stream);
      this.#user.onRefused(new HoldfastError(code, `pipeline: ${failure?.message ?? ''}`));
      return;
    }
    this.#lose(stream);
  }

  #open(): void {
    if (this.#opening === undefined && !this.#isClosed) {
      const { caller, environment } = this.#parts;
      const stream = new PipelineStream(this, () => environment.loop.nowMs());
      this.#opening = stream;
      this.#parts.finder.maybeLook();
      caller
        .stream({
          ...{ what: 'pipeline', method: operateMethod, route: 'leader' },
          ...{ listener: stream, avoid: this.#avoid },
          onProblem: (address, problem) => this.#noteProblem(address, problem),
        })
        .then(
          (call) => stream.opened(call),
          (error: unknown) => {
            // Closed, or refused for good.
            this.#opening = undefined;
            this.#user.onRefused(error as HoldfastError);
          },
        );
    }
  }

  /** What a stream owed is sent again on the next one. */
  #lose(stream: PipelineStream): void {
    this.#failures++;
    this.#avoid = stream.address;
    this.#drop(stream);
    this.#user.onLost([...stream.unanswered]);
    if (this.#failures === 1) {
      this.#user.onReady();
    } else {
      const pauseMs = this.#parts.pace.pauseMs(this.#failures - 1);
      // Streams that are lost together are followed by one: the first pause to end ends all.
      this.#retry ??= this.#parts.environment.loop.after(pauseMs, () => {
        this.#retry = undefined;
        this.#user.onReady();
      });
    }
  }

  #drop(stream: PipelineStream): void {
    this.#finishing.delete(stream);
    this.#stream = this.#stream === stream ? undefined : this.#stream;
    this.#opening = this.#opening === stream ? undefined : this.#opening;
  }

  #finish(stream: PipelineStream): void {
    stream.finish();
    if (!stream.isIdle) {
      this.#finishing.add(stream);
    }
  }

  /** To the leader, once that is known to be somebody else. */
  #maybeMove(stream: PipelineStream): void {
    const { leader } = this.#parts.endpoints;
    if (leader?.failures !== 0 || leader.address === stream.address) {
      return;
    }
    const nowMs = this.#parts.environment.loop.nowMs();
    if (nowMs >= this.#nextMoveMs && this.#opening === undefined) {
      this.#nextMoveMs = nowMs + moveMs;
      this.#open();
    }
  }

  /** A member that is stopped, or cut off, breaks no connection: it is only silent. */
  #lookForSilence(): void {
    for (const stream of [this.#stream, this.#opening, ...this.#finishing]) {
      if (stream?.address !== undefined && stream.silentMs > silenceMaxMs) {
        this.#noteProblem(stream.address, `silent for ${silenceMaxMs} ms`);
        this.#parts.endpoints.failedAt(stream.address);
        stream.cancel();
        this.#lose(stream);
      }
    }
    if (!this.#user.isWaiting) {
      this.#stopLooking();
    }
  }

  #stopLooking(): void {
    this.#look?.cancel();
    this.#look = undefined;
  }

  #noteProblem(address: string | undefined, problem: string, cause?: unknown): void {
    this.#lastAddress = address ?? this.#lastAddress;
    this.#problem = `${address ?? 'a member'}: ${problem}`;
    this.#problemCause = cause;
  }
}
