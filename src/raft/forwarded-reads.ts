/**
 * Reads that a node passes on to its leader, because only a leader can tell a read index (Raft
 * thesis §6.4): those that wait for the next message, and those on their way.
 *
 * All that wait travel as one, under a number that is never used again; an answer to an earlier run
 * of the node, or to reads that were given up, matches nothing.
 */
import { assert, must } from '../base/index.ts';
import type { Message } from './message.ts';
import type { NodeId } from './types.ts';

/** Limit: read rounds of this node on their way to the leader. */
const underWayMax = 1024;

/** See the module comment. */
export class ForwardedReads {
  #waiting: number[] = [];
  /** By the context they travel under; oldest first. */
  readonly #underWay = new Map<number, readonly number[]>();
  #context: number;

  /** `context` is where the numbers start: at random, so that no two runs share any. */
  constructor(context: number) {
    this.#context = context;
  }

  /** Reads that wait for the next `flush`. */
  get waiting(): number {
    return this.#waiting.length;
  }

  add(context: number): void {
    this.#waiting.push(context);
  }

  /**
   * The message that carries what waits, if anything does; `given up` are the oldest under way,
   * once there are too many.
   */
  flush(
    id: NodeId,
    leader: NodeId,
  ): { readonly message?: Message | undefined; readonly givenUp: readonly number[] } {
    if (this.#waiting.length === 0) {
      return { givenUp: [] };
    }
    assert(leader !== 0 && leader !== id, 'reads wait for forwarding only under another leader');
    const context = ++this.#context;
    this.#underWay.set(context, this.#waiting);
    this.#waiting = [];
    const message = { type: 'ReadIndex', from: id, to: leader, term: 0, context } as const;
    if (this.#underWay.size <= underWayMax) {
      return { message, givenUp: [] };
    }
    const [oldest, contexts] = must([...this.#underWay][0], 'the oldest forwarded read');
    this.#underWay.delete(oldest);
    return { message, givenUp: contexts };
  }

  /** The reads that travelled under `context`: they are answered. */
  take(context: number): readonly number[] {
    const contexts = this.#underWay.get(context) ?? [];
    this.#underWay.delete(context);
    return contexts;
  }

  /** Forgets all of them: under another leader nobody will answer. Returns what they were. */
  drop(): readonly number[] {
    const contexts = [...[...this.#underWay.values()].flat(), ...this.#waiting];
    this.#underWay.clear();
    this.#waiting = [];
    return contexts;
  }
}
