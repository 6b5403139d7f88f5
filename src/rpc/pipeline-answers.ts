/**
 * The way of a pipeline's answers to its client, and the pace of the stream that follows from it.
 *
 * Answers that become known in one turn leave in one message. What the client does not take stays
 * here and counts; a stream that owes too much is not read on until half of that is done. What an
 * answer is charged in the books of admission is given back once the client has taken it.
 *
 * Invariant: what an operation counts for is counted from its coming until its answer leaves.
 */
import type { ServerDuplexStream } from '@grpc/grpc-js';
import type { EventLoop } from '../base/index.ts';
import { AnswerBatchWriter, type PipelineResponse, type ReceivedBatch } from '../wire/index.ts';
import type { LargeAnswer } from './large-answer.ts';
import type { ServiceContext } from './service.ts';

/** Milliseconds without a word after which a long read says that it goes on. */
const signOfLifeMs = 1000;

/** Limit: operations of a stream that are unanswered. A busy client has some thousand callers. */
const operationsMax = 4096;
/** Limit: bytes of a stream's operations and unsent answers. */
const operationBytesMax = 16 * 1024 * 1024;

/** A stream of a client's batches, and of answers to them. */
export type OperateCall = ServerDuplexStream<ReceivedBatch, Buffer>;

/** What is to be known of an operation to answer it. */
export interface Answerable {
  readonly id: number;
  /** What it counts for. */
  readonly bytes: number;
  /** What its answer is charged, if that may be large. */
  readonly account: LargeAnswer | undefined;
}

/** Where answers go, and what they are sent with. */
export interface PipelineAnswersParts {
  readonly call: OperateCall;
  readonly context: ServiceContext;
  readonly loop: Pick<EventLoop, 'afterCallback'>;
  /** The stream is over. */
  readonly onClose: () => void;
}

/** See the module comment. */
export class PipelineAnswers {
  readonly #parts: PipelineAnswersParts;
  /** Answers that have not left yet; undefined when there are none. */
  #writer: AnswerBatchWriter | undefined;
  /** Operations whose answers are in `#writer`, and what they counted for. */
  #written = { operations: 0, bytes: 0 };
  /** Accounts of the answers in `#writer`, and of those that have left and are not taken yet. */
  #writtenAccounts: LargeAnswer[] = [];
  readonly #leavingAccounts = new Set<LargeAnswer>();
  /** Operations that have come and whose answers have not left. Invariant: with their bytes. */
  #operations = 0;
  #bytes = 0;
  #isFlushDue = false;
  /** The client takes nothing for now. */
  #isBlocked = false;
  #isOver = false;
  /** The client sends nothing more. */
  #hasEnded = false;
  #toldLeader: number | undefined;
  /** When anything was written last. */
  #writtenMs = 0;

  constructor(parts: PipelineAnswersParts) {
    this.#parts = parts;
  }

  /** Nothing is answered any more. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Says who answers here. */
  open(): void {
    const { call, context } = this.#parts;
    call.on('drain', () => {
      this.#isBlocked = false;
      this.#flush();
    });
    call.on('end', () => {
      this.#hasEnded = true;
      this.#maybeEnd();
    });
    const { clusterId, memberId } = context.member;
    this.#pending().welcome({
      ...{ clusterId: String(clusterId), memberId: String(memberId) },
      ...{ operationsMax, operationBytesMax },
    });
    this.#flush();
  }

  /** An operation has come, and is going to be answered. */
  expect({ bytes }: Answerable): void {
    this.#operations++;
    this.#bytes += bytes;
  }

  /** Has the stream not be read on if it owes too much. */
  maybePause(): void {
    if (this.#operations >= operationsMax || this.#bytes >= operationBytesMax) {
      this.#parts.call.pause();
    }
  }

  /** Answers an operation. What throws, since it is too long, has not been added. */
  add({ id, bytes, account }: Answerable, response: PipelineResponse, isRepeated: boolean): void {
    if (this.#isOver) {
      account?.end();
      return;
    }
    const answers = this.#pending();
    const before = answers.bytes;
    answers.add(id, isRepeated, response);
    const added = answers.bytes - before;
    this.#bytes += added;
    this.#written.operations++;
    this.#written.bytes += bytes + added;
    if (response.type === 'failure') {
      account?.end();
    } else if (account !== undefined) {
      this.#writtenAccounts.push(account);
    }
    if (!this.#isFlushDue && !this.#isBlocked) {
      this.#isFlushDue = true;
      this.#parts.loop.afterCallback(() => {
        this.#isFlushDue = false;
        this.#flush();
      });
    }
  }

  /** A range that takes long is under way: its client must not think that nobody is here. */
  maybeShowLife(startMs: number): void {
    const sinceMs = Math.max(startMs, this.#writtenMs);
    const isDue = this.#parts.context.nowMs() - sinceMs >= signOfLifeMs;
    if (isDue && this.#writer === undefined) {
      this.#pending();
      this.#flush();
    }
  }

  /** The client has gone, or is turned away: what has not left is dropped. */
  close(): void {
    this.#isOver = true;
    this.#writer = undefined;
    this.#taken([...this.#writtenAccounts, ...this.#leavingAccounts]);
    this.#parts.onClose();
  }

  #pending(): AnswerBatchWriter {
    this.#writer ??= new AnswerBatchWriter();
    return this.#writer;
  }

  #flush(): void {
    if (this.#isOver || this.#isBlocked || this.#writer === undefined) {
      return;
    }
    const { call, context } = this.#parts;
    const { leader } = context.member;
    if (leader !== this.#toldLeader) {
      this.#toldLeader = leader;
      this.#writer.leader(String(leader));
    }
    const batch = this.#writer.finish();
    this.#operations -= this.#written.operations;
    this.#bytes -= this.#written.bytes;
    this.#writer = undefined;
    this.#written = { operations: 0, bytes: 0 };
    const accounts = this.#writtenAccounts;
    this.#writtenAccounts = [];
    for (const account of accounts) {
      this.#leavingAccounts.add(account);
    }
    this.#isBlocked = !call.write(batch, () => {
      this.#taken(accounts);
    });
    this.#writtenMs = context.nowMs();
    const isRelieved =
      this.#operations <= operationsMax / 2 && this.#bytes <= operationBytesMax / 2;
    if (isRelieved && call.isPaused()) {
      call.resume();
    }
    this.#maybeEnd();
  }

  #taken(accounts: Iterable<LargeAnswer>): void {
    for (const account of accounts) {
      account.end();
      this.#leavingAccounts.delete(account);
    }
  }

  /**
   * A client that has ended its side gets the answers it waits for, and the end. They may still be
   * on their way then, and count until it has taken them, or has gone.
   */
  #maybeEnd(): void {
    if (this.#hasEnded && !this.#isOver && this.#operations === 0) {
      this.#isOver = true;
      this.#parts.onClose();
      this.#parts.call.end();
    }
  }
}
