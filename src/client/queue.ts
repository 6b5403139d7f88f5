/**
 * Queues of owners, as etcd's concurrency recipes and the Lock and Election services keep them: a
 * key for each candidate, `NAME/LEASE` with the lease's id in hexadecimal digits, attached to that
 * lease. The first ones, by the revisions of their creation, own; as many as there are places.
 *
 * The create revision of an owner's key is its fencing token: later owners have larger ones.
 */
import { concatBytes, prefixEnd } from '../base/index.ts';
import type { KeyValueAnswer, KvMessage, RangeMessage } from '../wire/index.ts';
import { onAbort } from './abort-listeners.ts';
import type { CallOptions } from './caller.ts';
import { CompactedError, HoldfastError } from './errors.ts';
import { type Key, keyBytes, type KeyRange, type Namespace } from './keys.ts';
import type { Lease } from './lease.ts';
import type { AnswerTo, Operation, Operations } from './operations.ts';
import { WatchFeed } from './watch-feed.ts';
import type { WatchHub } from './watch-hub.ts';

/** What queues work with. */
export interface QueueParts {
  readonly operations: Operations;
  readonly watches: WatchHub;
  readonly namespace: Namespace;
}

/** A candidate's place in a queue. */
export interface Place {
  readonly key: Uint8Array;
  /** Create revision of the key. */
  readonly token: number;
  /** When it was seen there, and who owned then. */
  readonly revision: number;
  readonly owners: readonly KeyValueAnswer[];
}

/** See the module comment. */
export class Queue {
  readonly #parts: QueueParts;
  readonly #places: number;
  /** What the candidates' keys begin with. */
  readonly #prefix: Uint8Array;

  /** `places`: how many may own at a time. */
  constructor(parts: QueueParts, name: Key, places: number) {
    if (keyBytes(name).length === 0) {
      throw new HoldfastError('EMPTY_KEY', 'the name is empty');
    }
    this.#parts = parts;
    this.#places = places;
    this.#prefix = concatBytes(parts.namespace.outer(name), Buffer.from('/'));
  }

  /** All candidates, as the client names keys. */
  get range(): KeyRange {
    return { prefix: this.#parts.namespace.inner(Buffer.from(this.#prefix)) };
  }

  /** The owners' keys, the first one first, and the revision at which they were read. */
  async owners(options: CallOptions = {}): Promise<{
    readonly kvs: readonly KeyValueAnswer[];
    readonly revision: number;
  }> {
    const answer = await this.#parts.operations.run(
      { message: { type: 'range', range: this.#first() }, purpose: 'read' },
      options,
    );
    this.#checkOwners(answer.kvs);
    return answer;
  }

  /**
   * Puts a candidate into the queue; once, however often it is asked for.
   *
   * @throws {HoldfastError} LEASE_NOT_FOUND; INVALID_ARGUMENT — other keys have this prefix.
   */
  async enter(lease: Lease, value: Uint8Array, options: CallOptions): Promise<Place> {
    const key = concatBytes(this.#prefix, Buffer.from(BigInt.asUintN(64, lease.id).toString(16)));
    const put = { key, value, lease: String(lease.id) };
    const first: KvMessage = { type: 'range', range: this.#first() };
    const { revision, succeeded, responses } = await this.#parts.operations.run(
      {
        message: {
          type: 'txn',
          txn: {
            compare: [{ key, target: 'create', result: 'equal', operand: 0 }],
            success: [{ type: 'put', put }, first],
            failure: [{ type: 'range', range: { key } }, first],
          },
        },
        purpose: 'idempotent',
      },
      options,
    );
    const [own = [], owners = []] = responses.map((each) =>
      each.type === 'range' ? each.kvs : [],
    );
    this.#checkOwners(owners);
    const token = succeeded ? revision : (own[0]?.createRevision ?? 0);
    return { key, token, revision, owners };
  }

  /**
   * Waits until a candidate owns.
   *
   * @throws {HoldfastError} OWNERSHIP_LOST — its key is gone; the reason of `signal`.
   */
  async turn(place: Place, signal: AbortSignal): Promise<void> {
    let isOwner = isAmong(place, place.owners);
    while (!isOwner) {
      signal.throwIfAborted();
      const { before, revision } = await this.#ahead(place, signal);
      isOwner = before.length < this.#places;
      if (!isOwner) {
        await this.#anyGone(before, revision, signal);
      }
    }
  }

  /** Resolves once the key of this place is not there any more, or `signal` has fired. */
  async gone({ key, token, revision }: Place, signal: AbortSignal): Promise<void> {
    let fromRevision = revision + 1;
    for (;;) {
      try {
        await this.#deletion({ key, fromRevision, signal });
        return;
      } catch (error) {
        if (!(error instanceof CompactedError)) {
          throw error;
        }
      }
      const message = { type: 'range', range: { key } } as const;
      const answer = await this.#read({ message, purpose: 'read' }, signal);
      if (answer.kvs[0]?.createRevision !== token) {
        return;
      }
      fromRevision = answer.revision + 1;
    }
  }

  /** A key without a lease is nobody's candidacy: it would be waited for until it is deleted. */
  #checkOwners(owners: readonly KeyValueAnswer[]): void {
    const stranger = owners.find(({ lease }) => lease === '0');
    if (stranger !== undefined) {
      const key = JSON.stringify(this.#parts.namespace.inner(stranger.key).toString());
      const text = `${key} stands among the candidates and is none: give another name`;
      throw new HoldfastError('INVALID_ARGUMENT', text);
    }
  }

  /** Those before a place that stand nearest to it: as long as all are there, it cannot own. */
  async #ahead(
    { key, token }: Place,
    signal: AbortSignal,
  ): Promise<{ readonly before: readonly KeyValueAnswer[]; readonly revision: number }> {
    const nearest: RangeMessage = {
      ...this.#all(),
      ...{ limit: this.#places, sortTarget: 'create', sortOrder: 'descend', keysOnly: true },
      maxCreateRevision: token - 1,
    };
    const message = {
      type: 'txn',
      txn: {
        compare: [{ key, target: 'create', result: 'equal', operand: token } as const],
        success: [{ type: 'range', range: nearest } as const],
        failure: [],
      },
    } as const;
    const { revision, responses } = await this.#read({ message, purpose: 'read' }, signal);
    const [before] = responses;
    if (before?.type !== 'range') {
      throw new HoldfastError('OWNERSHIP_LOST', 'the key of a waiting candidate is gone');
    }
    return { before: before.kvs, revision };
  }

  /** Who is in the queue has no deadline: it reads until `signal` fires, as at its lease's end. */
  async #read<Type extends KvMessage['type']>(
    operation: Operation<Type>,
    signal: AbortSignal,
  ): Promise<AnswerTo<Type>> {
    for (;;) {
      try {
        return await this.#parts.operations.run(operation, { signal });
      } catch (error) {
        signal.throwIfAborted();
        if ((error as HoldfastError).code !== 'DEADLINE_EXCEEDED') {
          throw error;
        }
      }
    }
  }

  /** Waits until one of these keys is deleted; or may have been, where history is gone. */
  async #anyGone(
    keys: readonly KeyValueAnswer[],
    revision: number,
    signal: AbortSignal,
  ): Promise<void> {
    const enough = new AbortController();
    const leaveSignal = onAbort(signal, () => enough.abort(signal.reason));
    const fromRevision = revision + 1;
    const waits = keys.map(async ({ key }) =>
      this.#deletion({ key, fromRevision, signal: enough.signal }),
    );
    try {
      await Promise.race(waits);
    } catch (error) {
      if (!(error instanceof CompactedError)) {
        throw error;
      }
    } finally {
      leaveSignal();
      enough.abort();
      await Promise.allSettled(waits);
    }
  }

  /** Waits until a key is deleted; ends in good order when `signal` fires. */
  async #deletion({
    key,
    fromRevision,
    signal,
  }: {
    readonly key: Uint8Array;
    readonly fromRevision: number;
    readonly signal: AbortSignal;
  }): Promise<void> {
    if (signal.aborted) {
      return;
    }
    const { watches } = this.#parts;
    const feed = new WatchFeed(watches, { key, without: 'put' }, fromRevision);
    const stop = (): void => feed.close();
    watches.add(feed);
    const leaveSignal = onAbort(signal, stop);
    try {
      for (let batch = await feed.take(); batch !== undefined; batch = await feed.take()) {
        if (batch.events.length > 0) {
          return;
        }
      }
    } finally {
      leaveSignal();
      stop();
    }
  }

  #first(): RangeMessage {
    return {
      ...this.#all(),
      ...{ limit: this.#places, sortTarget: 'create', sortOrder: 'ascend' },
    };
  }

  #all(): { readonly key: Uint8Array; readonly rangeEnd: Uint8Array | undefined } {
    return { key: this.#prefix, rangeEnd: prefixEnd(this.#prefix) };
  }
}

/** Whether a place is that of an owner. */
export function isAmong({ key }: Pick<Place, 'key'>, owners: readonly KeyValueAnswer[]): boolean {
  return owners.some((owner) => owner.key.equals(key));
}
