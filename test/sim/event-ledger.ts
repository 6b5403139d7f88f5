/** All events of a run by ascending revision, as the first member that applied them told them. */
import { HistoryEvent, type KeyValue } from '../../src/kv/index.ts';
import { mapKeyOf } from '../../src/kv/key-layout.ts';
import type { AppliedBatch } from './member.ts';

/** An event, and what its key was before it. */
export interface TrueEvent {
  readonly event: HistoryEvent;
  readonly before: KeyValue | undefined;
}

/** See the module comment. */
export class EventLedger {
  readonly #events: TrueEvent[] = [];
  readonly #newestByKey = new Map<string, KeyValue>();
  revision = 1;
  /** Of any member: history up to here may be gone. */
  compactRevision = -1;

  add({ events, revision, compactRevision }: AppliedBatch): void {
    this.compactRevision = Math.max(this.compactRevision, compactRevision);
    if (revision <= this.revision) {
      return;
    }
    for (const record of events) {
      const event = new HistoryEvent(record);
      if (event.main > this.revision) {
        const key = mapKeyOf(event.key);
        this.#events.push({ event, before: this.#newestByKey.get(key) });
        if (event.isDelete) {
          this.#newestByKey.delete(key);
        } else {
          this.#newestByKey.set(key, event.keyValue);
        }
      }
    }
    this.revision = revision;
  }

  between(from: number, through: number): readonly TrueEvent[] {
    return this.#events.slice(this.#indexOf(from), this.#indexOf(through + 1));
  }

  /** Of the first event at or after a revision. */
  #indexOf(revision: number): number {
    let low = 0;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#events[middle] as TrueEvent).event.main < revision) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }
}
