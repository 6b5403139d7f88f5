/**
 * A watcher that follows a cluster: it watches a prefix on one member, and goes on with the next
 * one when its stream ends, from the revision after the last that it knows to be complete. It asks
 * for notices of progress too, and relies on them (etcd API guarantees: Watch, bookmarkable).
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type ClientDuplexStream, credentials, makeClientConstructor } from '@grpc/grpc-js';
import type { Event } from '../../src/wire/generated/mvccpb/Event.ts';
import type { WatchClient as WatchService } from '../../src/wire/generated/etcdserverpb/Watch.ts';
import type {
  WatchRequest__Input,
  WatchRequest,
} from '../../src/wire/generated/etcdserverpb/WatchRequest.ts';
import type { WatchResponse } from '../../src/wire/generated/etcdserverpb/WatchResponse.ts';
import { services } from '../../src/wire/index.ts';
import { endOfPrefix } from './kv-client.ts';

const reconnectMs = 50;
const progressMs = 300;

/** A key's former state, as a watch tells it. */
export interface PreviousKv {
  readonly value: string;
  readonly modRevision: number;
}

/** One change of one key. */
export interface WatchedEvent {
  readonly revision: number;
  readonly type: 'put' | 'delete';
  readonly key: string;
  readonly value: string;
  /** Ended by time: its own or its lease's. */
  readonly isExpiry: boolean;
  readonly previous: PreviousKv | undefined;
}

/** What is watched, and who wants to know. */
export interface FollowerOptions {
  readonly prefix: string;
  readonly startRevision: number;
  /** Whether events bring what the key was before. */
  readonly prevKv: boolean;
  /** Of one response. */
  readonly onEvents: (events: readonly WatchedEvent[]) => void;
  /** Something that must not be. */
  readonly onProblem: (problem: string) => void;
}

type WatchStream = ClientDuplexStream<WatchRequest__Input, WatchResponse>;

/** See the module comment. */
export class Follower {
  readonly #endpoints: readonly string[];
  readonly #options: FollowerOptions;
  #at: number;
  #nextRevision: number;
  #stream: WatchStream | undefined;
  #isStopped = false;
  readonly #running: Promise<void>;
  /** How often it went on with another member. */
  moves = 0;

  /** Begins with `endpoints[first]`. */
  constructor(endpoints: readonly string[], first: number, options: FollowerOptions) {
    this.#endpoints = endpoints;
    this.#at = first;
    this.#options = options;
    this.#nextRevision = options.startRevision;
    this.#running = this.#run();
  }

  /** Everything below this revision has been told. */
  get nextRevision(): number {
    return this.#nextRevision;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#stream?.cancel();
    await this.#running;
  }

  /** Ends its stream, so that it goes on with the next member. */
  move(): void {
    this.#stream?.cancel();
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      await this.#watch(this.#endpoints[this.#at % this.#endpoints.length] ?? '');
      this.#at++;
      this.moves++;
      await sleep(reconnectMs);
    }
  }

  /** Watches on one member until the stream ends. */
  async #watch(endpoint: string): Promise<void> {
    const Watch = makeClientConstructor(services['etcdserverpb.Watch'], 'Watch');
    const client = new Watch(endpoint, credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
      'grpc.max_receive_message_length': -1,
    }) as unknown as WatchService;
    const stream = client.watch();
    this.#stream = stream;
    const asking = setInterval(() => {
      stream.write({ progress_request: {} } satisfies Partial<WatchRequest>);
    }, progressMs);
    try {
      await new Promise<void>((resolve) => {
        stream.on('data', (response: WatchResponse) => {
          this.#take(response);
        });
        stream.on('error', () => {
          resolve();
        });
        stream.on('end', resolve);
        const { prefix, prevKv } = this.#options;
        stream.write({
          create_request: {
            ...{ key: Buffer.from(prefix), range_end: endOfPrefix(prefix) },
            ...{ start_revision: this.#nextRevision, prev_kv: prevKv },
          },
        });
      });
    } finally {
      clearInterval(asking);
      stream.cancel();
      client.close();
    }
  }

  #take({ header, events, canceled, created, compact_revision }: WatchResponse): void {
    const { onEvents, onProblem, prefix } = this.#options;
    if (canceled) {
      onProblem(`${prefix}: cancelled at ${this.#nextRevision}, compacted ${compact_revision}`);
      this.#stream?.cancel();
      return;
    }
    const seen = events.map(watchedEvent);
    for (const { revision, key } of seen) {
      if (revision < this.#nextRevision) {
        onProblem(`${prefix}: ${key} at ${revision} comes after ${this.#nextRevision - 1}`);
      }
    }
    const last = seen.at(-1);
    if (last !== undefined) {
      // A revision comes as a whole: nothing of it may follow.
      this.#nextRevision = Math.max(this.#nextRevision, last.revision + 1);
      onEvents(seen);
    } else if (!created) {
      this.#nextRevision = Math.max(this.#nextRevision, Number(header?.revision ?? 0) + 1);
    }
  }
}

function watchedEvent({ type, kv, prev_kv: previous, expired }: Event): WatchedEvent {
  return {
    revision: Number(kv?.mod_revision),
    type: type === 'DELETE' ? 'delete' : 'put',
    key: kv?.key.toString() ?? '',
    value: kv?.value.toString() ?? '',
    isExpiry: expired,
    previous:
      previous === null
        ? undefined
        : { value: previous.value.toString(), modRevision: Number(previous.mod_revision) },
  };
}
