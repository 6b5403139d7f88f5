/**
 * What several watchers of the same keys have heard: one sequence, which the first to hear an event
 * extends and every other one must hear just so. At the end it is compared with what was written
 * and with what is stored.
 */
import type { StoredKey } from '../harness/kv-client.ts';
import type { WatchedEvent } from '../harness/watch-client.ts';

/** Limit: problems that are kept; the first ones tell. */
const problemsMax = 20;

/** An event, and when the first watcher heard of it. */
export interface HeardEvent extends WatchedEvent {
  readonly heardMs: number;
}

/** One watcher. */
interface Listener {
  readonly name: string;
  readonly prevKv: boolean;
  /** It is the first to hear of an event. */
  readonly onNew: (event: HeardEvent) => void;
}

/** See the module comment. */
export class EventLedger {
  readonly events: HeardEvent[] = [];
  readonly problems: string[] = [];
  /** The newest event of each key, by the first watcher. */
  readonly #newestByKey = new Map<string, HeardEvent>();
  /** Where the previous event of a key stands, for each event that has one. */
  readonly #previous: (HeardEvent | undefined)[] = [];
  /** History below this revision may be gone. */
  compactRevision = 0;

  note(problem: string): void {
    if (this.problems.length < problemsMax) {
      this.problems.push(problem);
    }
  }

  /** Keys as the events leave them. */
  get state(): ReadonlyMap<string, string> {
    const state = new Map<string, string>();
    for (const { key, value, type } of this.events) {
      if (type === 'put') {
        state.set(key, value);
      } else {
        state.delete(key);
      }
    }
    return state;
  }

  /** Compares what a member stores, which has come to rest. */
  compareState(kvs: readonly StoredKey[], whose: string): void {
    const { state } = this;
    for (const { key, value } of kvs) {
      if (state.get(key) !== value) {
        this.note(`${whose} stores ${key} as ${value}, events say ${state.get(key) ?? 'nothing'}`);
      }
    }
    if (kvs.length !== state.size) {
      this.note(`${whose} stores ${kvs.length} keys, events leave ${state.size}`);
    }
  }

  /** Takes what one watcher hears; `prevKv`: it asks for what was before. */
  listen({ name, prevKv, onNew }: Listener): (events: readonly WatchedEvent[]) => void {
    let at = 0;
    return (events) => {
      for (const event of events) {
        const known = this.events[at] ?? this.#extend(event, onNew);
        if (textOf(known) !== textOf(event)) {
          this.note(`${name} hears ${textOf(event)} where another heard ${textOf(known)}`);
        }
        if (prevKv) {
          this.#comparePrevious(name, event, this.#previous[at]);
        }
        at++;
      }
    };
  }

  #extend(event: WatchedEvent, onNew: (event: HeardEvent) => void): HeardEvent {
    const heard = { ...event, heardMs: performance.now() };
    this.events.push(heard);
    this.#previous.push(this.#newestByKey.get(event.key));
    this.#newestByKey.set(event.key, heard);
    onNew(heard);
    return heard;
  }

  #comparePrevious(name: string, event: WatchedEvent, before: HeardEvent | undefined): void {
    const { previous, revision } = event;
    const truly = before?.type === 'put' ? before : undefined;
    // What came before an event that is compacted itself may be gone.
    const mayMiss = previous === undefined && revision <= this.compactRevision;
    const isTrue = previous?.value === truly?.value && previous?.modRevision === truly?.revision;
    if (!isTrue && !mayMiss) {
      this.note(
        `${name} is told that ${previous?.value ?? 'nothing'} was before ${textOf(event)}: ` +
          `${truly === undefined ? 'nothing' : textOf(truly)} was`,
      );
    }
  }
}

function textOf({ revision, type, key, value, isExpiry }: WatchedEvent): string {
  return `${revision} ${type}${isExpiry ? ' (expired)' : ''} ${key} ${value}`;
}
