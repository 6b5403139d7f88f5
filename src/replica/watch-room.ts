/**
 * Bytes of events that a member holds for the readers of its watches (G8): those that wait, and
 * those that are on their way. All streams of the member share one room, and each has its share.
 *
 * A share is full when it holds what a stream may hold, or as much as is still free in the room
 * (dynamic thresholds, Choudhury and Hahne 1998). So `n` streams that are not read leave one part
 * in `n + 1`, and whoever comes next finds room. It has room again when half of what it held has
 * gone, or all of it: whoever is behind is looked at each time, so not for every single event.
 *
 * A share that is not full takes a revision, however long. So one that holds nothing always goes
 * on, whatever the others hold, and nobody waits for anybody else.
 *
 * Invariant: all shares together hold the bound at most, and beyond it one revision each.
 *
 * Why an event counts for each watch that is told of it, and not once for all: it is one object
 * while it waits, but each stream is sent a copy of its own, and one that is not read holds that
 * for as long as it likes, when the others have long forgotten the event. So what a share holds is
 * its own affair, and nobody's end makes it dearer for those who are left.
 */

/** Limit: bytes of events for one stream, before the last revision. */
const streamBytesMax = 4 * 1024 * 1024;

/** See the module comment. */
export class WatchRoom {
  readonly bytesMax: number;
  #bytes = 0;

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
  }

  /** What all shares hold. */
  get bytes(): number {
    return this.#bytes;
  }

  get freeBytes(): number {
    return this.bytesMax - this.#bytes;
  }

  /** The share of another stream. */
  share(bytesMax = streamBytesMax): WatchShare {
    return new WatchShare(this, bytesMax);
  }

  /** What shares hold has grown, or shrunk; for them alone. */
  change(bytes: number): void {
    this.#bytes += bytes;
  }
}

/** What one stream holds. */
export class WatchShare {
  readonly #room: WatchRoom;
  readonly #bytesMax: number;
  #bytes = 0;
  /** What it held when it became full; undefined while it is not. */
  #fullAt: number | undefined;

  constructor(room: WatchRoom, bytesMax: number) {
    this.#room = room;
    this.#bytesMax = bytesMax;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Bytes that it takes now, or the next revision if that is longer; 0 while it is full. */
  get room(): number {
    if (this.#fullAt !== undefined) {
      return 0;
    }
    // What is taken is no longer free, so it counts on both sides.
    const shared = Math.floor((this.#room.freeBytes - this.#bytes) / 2);
    return Math.max(1, Math.min(this.#bytesMax - this.#bytes, shared));
  }

  /** Bytes that may be read for it at a time, beside the next revision; 1 at least. */
  get readingRoom(): number {
    return Math.max(1, Math.min(this.#bytesMax, Math.floor(this.#room.freeBytes / 2)));
  }

  take(bytes: number): void {
    this.#change(bytes);
    if (this.#bytes > 0 && this.#bytes >= this.#limit) {
      this.#fullAt ??= this.#bytes;
    }
  }

  /** Gives back bytes; true when it is full no more. */
  give(bytes: number): boolean {
    this.#change(-bytes);
    const fullAt = this.#fullAt;
    const isFull =
      this.#bytes > 0 && (2 * this.#bytes > (fullAt ?? 0) || this.#bytes >= this.#limit);
    if (fullAt === undefined || isFull) {
      return false;
    }
    this.#fullAt = undefined;
    return true;
  }

  /** Gives back all that is left. */
  end(): void {
    this.#change(-this.#bytes);
  }

  /** What it may hold as things are. */
  get #limit(): number {
    return Math.min(this.#bytesMax, this.#room.freeBytes);
  }

  #change(bytes: number): void {
    this.#bytes += bytes;
    this.#room.change(bytes);
  }
}
