/**
 * One stream of `holdfast.v1.Pipeline` to one member: what has been sent on it and not been
 * answered.
 */
import { OperationBatchWriter, type PipelineAnswer, type ReceivedAnswers } from '../wire/index.ts';
import type { OpenStream } from './caller.ts';
import type { Pending } from './pending.ts';
import type { CallFailure, StreamListener } from './ports.ts';
import type { WriteSession } from './write-session.ts';

/** Limit: bytes of a message, unless one operation is longer; members take 2 MiB. */
export const batchBytesMax = 512 * 1024;

/** Whom a stream tells what comes. */
export interface PipelineStreamOwner {
  /** The member has said who it is, and takes operations from now on. */
  onWelcome(stream: PipelineStream): void;
  onLeader(stream: PipelineStream, leaderId: string): void;
  /** An operation that cannot be written as bytes: it has not been sent, and never can be. */
  onUnsendable(pending: Pending, cause: unknown): void;
  /** An operation that was sent here has been answered; many of them may follow. */
  onAnswer(stream: PipelineStream, pending: Pending, answer: PipelineAnswer): void;
  /** All that came in one message has been told; or the stream takes more again. */
  onReady(stream: PipelineStream): void;
  /** It is over; what was sent and not answered may have been done. */
  onEnd(stream: PipelineStream, failure: CallFailure | undefined): void;
}

/** See the module comment. */
export class PipelineStream implements StreamListener<ReceivedAnswers> {
  readonly #owner: PipelineStreamOwner;
  readonly #nowMs: () => number;
  readonly #sent = new Map<number, Pending>();
  #sentBytes = 0;
  #call: OpenStream<Buffer> | undefined;
  #memberId = '';
  #operationsMax = 0;
  #bytesMax = 0;
  #isBlocked = false;
  #isOver = false;
  /** When the member last said something, or was last given something while it owed nothing. */
  #heardMs: number;

  constructor(owner: PipelineStreamOwner, nowMs: () => number) {
    this.#owner = owner;
    this.#nowMs = nowMs;
    this.#heardMs = nowMs();
  }

  get address(): string | undefined {
    return this.#call?.address;
  }

  /** Whose stream it is; empty before its welcome. */
  get memberId(): string {
    return this.#memberId;
  }

  /** Whether operations may be sent now. */
  get isOpen(): boolean {
    return this.#operationsMax > 0 && this.#call !== undefined && !this.#isOver;
  }

  get isIdle(): boolean {
    return this.#sent.size === 0;
  }

  /** What has been sent here and not been answered, in the order in which it was sent. */
  get unanswered(): Iterable<Pending> {
    return this.#sent.values();
  }

  /** Milliseconds for which the member has owed something and not said anything. */
  get silentMs(): number {
    const owes = !this.isOpen || this.#sent.size > 0;
    return owes && !this.#isOver ? this.#nowMs() - this.#heardMs : 0;
  }

  opened(call: OpenStream<Buffer>): void {
    this.#call = call;
    this.#heardMs = this.#nowMs();
    if (this.#isOver) {
      call.cancel();
    } else if (this.isOpen) {
      // The member was quicker than the word that the stream is there.
      this.#owner.onWelcome(this);
      this.#owner.onReady(this);
    }
  }

  /** Whether a batch of so many bytes may be sent that has `operations` and one more. */
  takes(bytes: number, operations: number): boolean {
    return (
      this.isOpen &&
      !this.#isBlocked &&
      this.#sent.size + operations < this.#operationsMax &&
      (this.#sent.size === 0 || this.#sentBytes + bytes <= this.#bytesMax)
    );
  }

  /** Sends operations as one message; writes among them are of this session. */
  send(batch: readonly Pending[], session: WriteSession | undefined): void {
    const writer = new OperationBatchWriter();
    if (session !== undefined) {
      writer.session(session.id, session.lowestUnanswered);
    }
    let written = 0;
    const nowMs = this.#nowMs();
    if (this.#sent.size === 0) {
      this.#heardMs = nowMs;
    }
    for (const pending of batch) {
      const { id, sequence, idempotencyKey, message } = pending;
      const deadlineMs = Math.max(1, Math.ceil(pending.deadlineMs - nowMs));
      try {
        writer.add({ id, sequence, idempotencyKey, deadlineMs, message });
      } catch (cause) {
        // The others in the batch are not to suffer for it.
        this.#owner.onUnsendable(pending, cause);
        continue;
      }
      pending.attempts++;
      pending.isUnderWay = true;
      written++;
      this.#sent.set(id, pending);
      this.#sentBytes += pending.bytes;
    }
    if (written > 0) {
      this.#isBlocked = this.#call?.write(writer.finish()) === false;
    }
  }

  /** Nobody waits for this operation any more. */
  forget(pending: Pending): void {
    if (this.#sent.delete(pending.id)) {
      this.#sentBytes -= pending.bytes;
    }
  }

  /** Whether another stream may help against a member that does not know who this is. */
  forgetCredentials(): boolean {
    return this.#call?.forgetCredentials() === true;
  }

  /** Ends it once everything has been answered. */
  finish(): void {
    this.#call?.end();
  }

  /** Ends it now, without a word to the owner. */
  cancel(): void {
    this.#isOver = true;
    this.#call?.cancel();
  }

  onAnswer({ welcome, leader, answers }: ReceivedAnswers): void {
    if (this.#isOver) {
      return;
    }
    this.#heardMs = this.#nowMs();
    if (welcome !== undefined) {
      this.#operationsMax = welcome.operationsMax;
      this.#bytesMax = welcome.operationBytesMax;
      this.#memberId = welcome.memberId;
      if (this.isOpen) {
        this.#owner.onWelcome(this);
      }
    }
    if (leader !== undefined) {
      this.#owner.onLeader(this, leader);
    }
    for (const { id, answer } of answers) {
      const pending = this.#sent.get(id);
      if (pending !== undefined) {
        this.forget(pending);
        this.#owner.onAnswer(this, pending, answer);
      }
    }
    this.#owner.onReady(this);
  }

  onDrain(): void {
    this.#isBlocked = false;
    this.#owner.onReady(this);
  }

  onEnd(failure: CallFailure | undefined): void {
    if (!this.#isOver) {
      this.#isOver = true;
      this.#owner.onEnd(this, failure);
    }
  }
}
