/**
 * Which keys are attached to which lease, as a batch of changes goes on: what the engine holds, and
 * what the batch has done since. The engine's side is one empty record per attached key.
 */
import { compareBytes, emptyBytes } from '../base/index.ts';
import type { LeaseId } from './command.ts';
import { mapKeyOf } from './key-layout.ts';
import { attachedKeys, attachmentKey, type LeaseTable, visitAttachedKeys } from './leases.ts';
import type { Reading, StateWrite } from './need.ts';

/** What a batch has done with a key and a lease. */
interface Attachment {
  readonly key: Uint8Array;
  readonly isAttached: boolean;
}

/** See the module comment. */
export class Attachments {
  readonly #leases: LeaseTable;
  readonly #writes: StateWrite[];
  /** By lease, by the map keys of the keys. */
  readonly #changes = new Map<LeaseId, Map<string, Attachment>>();

  /** `writes` takes the engine operations. */
  constructor(leases: LeaseTable, writes: StateWrite[]) {
    this.#leases = leases;
    this.#writes = writes;
  }

  /** A key goes from one lease to another; 0n is none. */
  move(key: Uint8Array, from: LeaseId, to: LeaseId): void {
    if (from === to) {
      return;
    }
    if (from !== 0n) {
      this.#note(from, key, false);
      this.#writes.push({ type: 'delete', key: attachmentKey(from, key) });
    }
    if (to !== 0n) {
      this.#leases.holdsKeys(to);
      this.#leases.writers.attached(to, key);
      this.#note(to, key, true);
      this.#writes.push({ type: 'put', key: attachmentKey(to, key), value: emptyBytes });
    }
  }

  /** What is attached to a lease now, in byte order. */
  *keysOf(id: LeaseId): Reading<readonly Uint8Array[]> {
    if (this.#leases.get(id)?.mayHoldKeys !== true) {
      return [];
    }
    const changes = this.#changes.get(id);
    const stored = yield* attachedKeys(id);
    const keys = stored.filter((key) => changes?.has(mapKeyOf(key)) !== true);
    for (const { key, isAttached } of changes?.values() ?? []) {
      if (isAttached) {
        keys.push(key);
      }
    }
    return keys.sort(compareBytes);
  }

  /** Whether something holds of every key of a lease; reads no further than to one it does not. */
  *everyKey(id: LeaseId, holds: (key: Uint8Array) => boolean): Reading<boolean> {
    if (this.#leases.get(id)?.mayHoldKeys !== true) {
      return true;
    }
    const changes = this.#changes.get(id);
    for (const { key, isAttached } of changes?.values() ?? []) {
      if (isAttached && !holds(key)) {
        return false;
      }
    }
    return yield* visitAttachedKeys(id, (key) => {
      return changes?.has(mapKeyOf(key)) === true || holds(key);
    });
  }

  #note(lease: LeaseId, key: Uint8Array, isAttached: boolean): void {
    let changes = this.#changes.get(lease);
    if (changes === undefined) {
      changes = new Map();
      this.#changes.set(lease, changes);
    }
    changes.set(mapKeyOf(key), { key, isAttached });
  }
}
