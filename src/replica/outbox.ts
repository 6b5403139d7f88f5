/**
 * What leaves for the peers, and when: at once, but for commit notices that the next append is
 * about to overtake.
 *
 * While one append follows another within moments, as with a caller that writes without a pause, a
 * notice that an entry is committed (ADR-013) is followed by an append that says the same and more.
 * So it waits for that one, but not longer than `holdMs`, which spares each peer a message, a turn
 * and a write to its engine. It does not wait when the peer has callers of its own that need the
 * news: its proposals, or a read that is being answered.
 *
 * Invariant: a notice that waits leaves before any message that could rest on it, or is replaced by
 * an append that carries the same commit index or a higher one.
 */
import type { EventLoop } from '../base/index.ts';
import type { CommitNotice, NodeId } from '../raft/index.ts';
import type { PeerMessage, Transport } from '../transport/index.ts';

/** Milliseconds that a notice may wait; timers may be one late. */
const holdMs = 2;
/** Milliseconds between two appends up to which a third one is expected as soon. */
const steadyGapMs = 4;
/** Milliseconds after a proposal of a peer in which its callers may wait for a commit. */
const callersWaitMs = 100;

/** See the module comment. */
export class Outbox {
  readonly #transport: Pick<Transport, 'send'>;
  readonly #eventLoop: Pick<EventLoop, 'nowMs' | 'after'>;
  /** Limit: one for each peer, the newest. */
  readonly #held = new Map<NodeId, CommitNotice>();
  /** When each peer last proposed something; one number for each that ever has. */
  readonly #proposedMs = new Map<NodeId, number>();
  #isTimerSet = false;
  #appendedMs = Number.NEGATIVE_INFINITY;
  /** Between the last two turns with appends. */
  #gapMs = Number.POSITIVE_INFINITY;

  constructor(transport: Pick<Transport, 'send'>, eventLoop: Pick<EventLoop, 'nowMs' | 'after'>) {
    this.#transport = transport;
    this.#eventLoop = eventLoop;
  }

  /** A peer's callers wait for something to be committed. */
  noteProposal(from: NodeId): void {
    this.#proposedMs.set(from, this.#eventLoop.nowMs());
  }

  /** Sends; returns what surely does not travel, as `Transport.send` does. */
  send(messages: readonly PeerMessage[]): readonly PeerMessage[] {
    this.#noteAppends(messages);
    const leaving: PeerMessage[] = [];
    for (const message of messages) {
      if (message.type === 'CommitNotice' && this.#mayWait(message.to)) {
        this.#hold(message);
        continue;
      }
      const held = this.#held.get(message.to);
      if (held !== undefined) {
        this.#held.delete(message.to);
        if (!saysAsMuch(message, held)) {
          leaving.push(held);
        }
      }
      leaving.push(message);
    }
    return leaving.length === 0 ? leaving : this.#transport.send(leaving);
  }

  #noteAppends(messages: readonly PeerMessage[]): void {
    if (messages.some((each) => each.type === 'AppendEntries' && each.entries.length > 0)) {
      const nowMs = this.#eventLoop.nowMs();
      this.#gapMs = nowMs - this.#appendedMs;
      this.#appendedMs = nowMs;
    }
  }

  #mayWait(peer: NodeId): boolean {
    const proposedMs = this.#proposedMs.get(peer) ?? Number.NEGATIVE_INFINITY;
    return this.#gapMs <= steadyGapMs && this.#eventLoop.nowMs() - proposedMs > callersWaitMs;
  }

  #hold(notice: CommitNotice): void {
    this.#held.set(notice.to, notice);
    if (!this.#isTimerSet) {
      this.#isTimerSet = true;
      this.#eventLoop.after(holdMs, () => {
        this.#isTimerSet = false;
        this.#release();
      });
    }
  }

  #release(): void {
    const notices = [...this.#held.values()];
    this.#held.clear();
    if (notices.length > 0) {
      this.#transport.send(notices);
    }
  }
}

/** Whether a message tells its peer of everything that the notice would. */
function saysAsMuch(message: PeerMessage, notice: CommitNotice): boolean {
  const { type } = message;
  return (
    (type === 'AppendEntries' || type === 'CommitNotice') &&
    message.term >= notice.term &&
    message.commitIndex >= notice.commitIndex
  );
}
