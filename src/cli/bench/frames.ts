/** HTTP/2 frames (RFC 9113 §4 and §6): their types, flags and settings, as numbers of the wire. */

/** Kinds of frames. */
export const frameType = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

/** Flags; what a bit means depends on the kind of frame. */
export const frameFlag = {
  endStream: 0x1,
  ack: 0x1,
  endHeaders: 0x4,
  padded: 0x8,
  priority: 0x20,
} as const;

/** Settings of a connection. */
export const setting = {
  headerTableSize: 1,
  enablePush: 2,
  streamsMax: 3,
  initialWindow: 4,
  frameSizeMax: 5,
} as const;

/** What each frame begins with: length, type, flags, stream. */
export const frameHeaderBytes = 9;
/** What a frame may hold, unless the receiver allows more. */
export const defaultFrameBytesMax = 16_384;
/** What may be under way to a receiver that has said nothing of it. */
export const defaultWindowBytes = 65_535;
/** The largest window, and the largest number of a stream. */
export const windowBytesMax = 0x7fff_ffff;

/** What a DATA or HEADERS frame holds, without padding and priority. */
export function withoutPadding(flags: number, payload: Buffer): Buffer {
  let start = 0;
  let end = payload.length;
  if ((flags & frameFlag.padded) !== 0) {
    start = 1;
    end -= payload[0] as number;
  }
  // DATA has no priority; the flag's bit is unused there.
  if ((flags & frameFlag.priority) !== 0) {
    start += 5;
  }
  return payload.subarray(start, Math.max(start, end));
}
