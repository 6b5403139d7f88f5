/**
 * Room for the bytes of requests and answers that the JSON gateway has in memory. As of all that
 * clients use (`limits.ts`), a connection may have as much as it leaves free: half of all when it
 * is alone, so that who does not read its answers is in nobody's way.
 */

/** Limit: bytes that are in memory at once. */
const bytesMax = 128 * 1024 * 1024;

/** See the module comment. */
export class GatewayRoom {
  /** Of all connections. */
  bytes = 0;

  /** For a connection that begins. */
  share(): RoomShare {
    return new RoomShare(this);
  }
}

/** What one connection has of the room. */
export class RoomShare {
  readonly #room: GatewayRoom;
  #bytes = 0;

  constructor(room: GatewayRoom) {
    this.#room = room;
  }

  /** Takes room for bytes, or gives some back; false when there is not so much. */
  maybeHold(bytes: number): boolean {
    const [own, all] = [this.#bytes + bytes, this.#room.bytes + bytes];
    const hasRoom = bytes <= 0 || own <= bytesMax - all;
    if (hasRoom) {
      [this.#bytes, this.#room.bytes] = [own, all];
    }
    return hasRoom;
  }

  release(bytes: number): void {
    this.maybeHold(-bytes);
  }
}
