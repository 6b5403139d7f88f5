/**
 * A client that watches all keys on one member and goes on after whatever breaks: from the revision
 * behind the last that it has seen, or from behind a compaction. It asks for progress notes, which
 * promise that nothing older will come.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { MemberConnection } from './connection.ts';
import type { Recorder, WatchEvent, WatchResponseRecord, WatchStream } from './history.ts';
import { fromWire } from './store-calls.ts';

const progressPeriodMs = 500;
const retryMs = 100;
const allKeys = Buffer.from([0]);

interface WireResponse {
  readonly header?: { readonly revision: string } | null;
  readonly created: boolean;
  readonly canceled: boolean;
  readonly compact_revision: string;
  readonly events: readonly {
    readonly type: string;
    readonly kv: Parameters<typeof fromWire>[0] | null;
  }[];
}

type WatchCall = ReturnType<MemberConnection['openWatch']>;

/** See the module comment. */
export class Watcher {
  readonly name: string;
  readonly #connection: MemberConnection;
  readonly #recorder: Recorder;
  readonly #streams: WatchStream[] = [];
  readonly #running: Promise<void>;
  #call: WatchCall | undefined;
  #nextRevision = 1;
  readonly #stopped = new AbortController();

  constructor(name: string, connection: MemberConnection, recorder: Recorder) {
    this.name = name;
    this.#connection = connection;
    this.#recorder = recorder;
    this.#running = this.#run();
  }

  /** The last revision that it has seen all of. */
  get seenRevision(): number {
    return this.#nextRevision - 1;
  }

  /** Ends the present stream, as a client that goes away does; it comes back at once. */
  interrupt(): void {
    this.#call?.cancel();
  }

  /** Waits until it has seen `revision`; false if it has not in time. */
  async hasCaughtUp(revision: number, limitMs: number): Promise<boolean> {
    const endMs = performance.now() + limitMs;
    while (this.seenRevision < revision && performance.now() < endMs) {
      await sleep(20);
    }
    return this.seenRevision >= revision;
  }

  /** Ends it and writes down what it got. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    this.#call?.cancel();
    await this.#running;
    const { member } = this.#connection;
    this.#recorder.add({ kind: 'watch', watcher: this.name, member, streams: this.#streams });
    this.#connection.close();
  }

  async #run(): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      this.#streams.push(await this.#stream());
      await sleep(retryMs);
    }
  }

  async #stream(): Promise<WatchStream> {
    const startRevision = this.#nextRevision;
    const responses: WatchResponseRecord[] = [];
    const call = this.#connection.openWatch();
    this.#call = call;
    const timer = setInterval(() => call.write({ progress_request: {} }), progressPeriodMs);
    const compactRevision = await new Promise<number | undefined>((resolve) => {
      call.on('data', (response: WireResponse) => {
        if (response.canceled) {
          resolve(Number(response.compact_revision));
        } else if (!response.created) {
          responses.push(this.#take(response));
        }
      });
      const broken = () => {
        resolve(undefined);
      };
      call.on('error', broken);
      call.on('end', broken);
      call.write({
        create_request: { key: allKeys, range_end: allKeys, start_revision: startRevision },
      });
    });
    clearInterval(timer);
    call.cancel();
    if (compactRevision !== undefined && compactRevision > 0) {
      this.#nextRevision = Math.max(this.#nextRevision, compactRevision + 1);
      return { startRevision, responses, end: 'compacted', compactRevision };
    }
    return { startRevision, responses, end: this.#stopped.signal.aborted ? 'closed' : 'broken' };
  }

  #take(response: WireResponse): WatchResponseRecord {
    const events = response.events.flatMap(({ type, kv }) =>
      kv === null ? [] : [eventOf(type, kv)],
    );
    const revision = Number(response.header?.revision ?? 0);
    // A note vouches for its whole revision, events for the one they are of.
    const seen = events.at(-1)?.modRevision ?? revision;
    this.#nextRevision = Math.max(this.#nextRevision, seen + 1);
    return { atMs: this.#recorder.nowMs(), revision, events };
  }
}

function eventOf(type: string, kv: Parameters<typeof fromWire>[0]): WatchEvent {
  return { type: type === 'DELETE' ? 'delete' : 'put', ...fromWire(kv) };
}
