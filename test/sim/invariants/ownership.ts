/**
 * What is owned for a time has one owner at a time, and requests of a session take effect once.
 *
 * - *Fencing*: writes that rest on the ownership of the lock, by its create revision, take effect
 *   in the order of their tokens (M. Kleppmann, "How to do distributed locking": a later owner's
 *   write is never followed by an earlier owner's). Writes of one owner may change places: one of
 *   unknown outcome may still be under way when the next one takes effect.
 * - *Exactly once* (Raft thesis §6.3): each request of a session writes a key of its own; such a
 *   key never has a second version.
 */
import { must } from '../../../src/base/index.ts';
import { mapKeyOf } from '../../../src/kv/key-layout.ts';
import type { AppliedBatch, SimMember } from '../member.ts';
import { HistoryEvent } from '../../../src/kv/index.ts';
import { holds } from '../failure.ts';
import type { Observer } from '../observer.ts';

/** What owners of the lock write: their token, and a part of one for the number of the write. */
export const fencedKey = 'x-fenced';
/** What keys begin with that requests of sessions write, each its own. */
export const sessionKeyPrefix = 's-';

/** See the module comment. */
export class Ownership implements Observer {
  readonly name = 'ownership';
  #revision = 1;
  /** Of the last owner that has written. */
  #token = 0;
  readonly #written = new Map<string, number>();

  applied(_member: SimMember, { events, revision }: AppliedBatch): void {
    if (revision <= this.#revision) {
      return;
    }
    for (const record of events) {
      const event = new HistoryEvent(record);
      if (event.main > this.#revision && !event.isDelete) {
        this.#look(event);
      }
    }
    this.#revision = revision;
  }

  #look(event: HistoryEvent): void {
    const key = mapKeyOf(event.key);
    if (key === fencedKey) {
      const token = Math.floor(Number(mapKeyOf(event.keyValue.value)));
      holds(token >= this.#token, this.name, () => {
        return `the owner of token ${token} writes after that of ${this.#token}`;
      });
      this.#token = token;
    } else if (key.startsWith(sessionKeyPrefix)) {
      const before = this.#written.get(key);
      holds(before === undefined, this.name, () => {
        return `${key} is written at ${must(before, 'a revision')} and again at ${event.main}`;
      });
      this.#written.set(key, event.main);
    }
  }
}
