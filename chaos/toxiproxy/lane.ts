/**
 * One direction of one connection: what comes from `source` passes the stages of the toxics and
 * goes to `target`.
 *
 * When a direction ends, its target is closed whole, as Toxiproxy does it. What a lane holds is
 * bounded: beyond the bound it reads no more until something has left.
 */
import type { Socket } from 'node:net';
import { createStage, type Item, type Stage, type StageMemory } from './stage.ts';
import type { Toxic } from './toxic.ts';

/**
 * Bytes that one direction holds before it stops reading. Toxiproxy's bound is 1024 chunks of up to
 * 32 KiB before each `latency`: more memory than this process should take for many connections.
 */
const heldBytesMax = 1024 * 1024;

/** Bytes of a chunk: Toxiproxy reads so many at a time. */
const chunkBytesMax = 32 * 1024;

/** The ends of a lane, and chance. */
export interface LaneOptions {
  readonly source: Socket;
  readonly target: Socket;
  readonly toxics: readonly Toxic[];
  /** The target is reset, where it would be closed. */
  readonly resets: boolean;
  readonly random: () => number;
}

interface Place {
  toxic: Toxic;
  stage: Stage;
  readonly memory: StageMemory;
}

/** See the module comment. */
export class Lane {
  readonly #source: Socket;
  readonly #target: Socket;
  readonly #resets: boolean;
  readonly #random: () => number;
  readonly #places: Place[] = [];
  #heldBytes = 0;
  #isEnded = false;

  constructor({ source, target, toxics, resets, random }: LaneOptions) {
    this.#source = source;
    this.#target = target;
    this.#resets = resets;
    this.#random = random;
    for (const toxic of toxics) {
      this.#append(toxic);
    }
    source.on('data', (bytes: Buffer) => {
      this.#read(bytes);
    });
    let hasEnded = false;
    const end = () => {
      if (!hasEnded) {
        hasEnded = true;
        this.#pass(0, { kind: 'end' });
      }
    };
    source.on('end', end);
    source.on('close', end);
  }

  /** Puts a toxic behind those that are there; the last one of these is begun anew. */
  add(toxic: Toxic): void {
    const last = this.#places.at(-1);
    // What the last one has in hand goes on before the new toxic is there.
    const held = last?.stage.interrupt() ?? [];
    this.#append(toxic);
    this.#begin(last, held);
  }

  /** Gives a toxic its new attributes; what waits in it is subject to them. */
  update(toxic: Toxic): void {
    const place = this.#places.find((each) => each.toxic.name === toxic.name);
    if (place === undefined) {
      return;
    }
    const held = place.stage.interrupt();
    place.toxic = toxic;
    this.#begin(place, held);
  }

  /** Takes a toxic away; what it holds goes on at once, and the one before it is begun anew. */
  remove(name: string): void {
    const at = this.#places.findIndex((each) => each.toxic.name === name);
    const [place] = at < 0 ? [] : this.#places.splice(at, 1);
    if (place === undefined) {
      return;
    }
    for (const item of place.stage.release()) {
      this.#pass(at, item);
    }
    const before = this.#places[at - 1];
    this.#begin(before, before?.stage.interrupt() ?? []);
  }

  /** Drops what is held; nothing happens any more. */
  close(): void {
    this.#isEnded = true;
    for (const { stage } of this.#places) {
      stage.release();
    }
  }

  #append(toxic: Toxic): void {
    const place = { toxic, memory: { passedBytes: 0 } } as Place;
    place.stage = this.#stageOf(place);
    this.#places.push(place);
  }

  /** A new stage goes on with what waited in the one before it; chance is asked again. */
  #begin(place: Place | undefined, held: readonly Item[]): void {
    if (place === undefined) {
      return;
    }
    place.stage = this.#stageOf(place);
    for (const item of held) {
      place.stage.take(item);
    }
  }

  #stageOf(place: Place): Stage {
    return createStage(place.toxic, {
      emit: (item) => {
        this.#pass(this.#places.indexOf(place) + 1, item);
      },
      drop: (byteCount) => {
        this.#left(byteCount);
      },
      memory: place.memory,
      random: this.#random,
      nowMs: () => performance.now(),
    });
  }

  #read(bytes: Buffer): void {
    this.#heldBytes += bytes.length;
    if (this.#heldBytes > heldBytesMax) {
      this.#source.pause();
    }
    const arrivedMs = performance.now();
    for (let at = 0; at < bytes.length; at += chunkBytesMax) {
      this.#pass(0, { kind: 'chunk', bytes: bytes.subarray(at, at + chunkBytesMax), arrivedMs });
    }
  }

  /** Hands `item` to the stage at `index`, or to the target behind the last one. */
  #pass(index: number, item: Item): void {
    const place = this.#places[index];
    if (place !== undefined) {
      place.stage.take(item);
    } else if (item.kind === 'chunk') {
      this.#deliver(item.bytes);
    } else if (!this.#isEnded) {
      this.#isEnded = true;
      closeSocket(this.#target, this.#resets);
    }
  }

  #deliver(bytes: Buffer): void {
    if (this.#isEnded || this.#target.destroyed) {
      // Nobody is there to take it: read on, so that the source's end is noticed.
      this.#left(bytes.length);
      return;
    }
    this.#target.write(bytes, () => {
      this.#left(bytes.length);
    });
  }

  #left(byteCount: number): void {
    this.#heldBytes -= byteCount;
    if (this.#heldBytes <= heldBytesMax / 2 && this.#source.isPaused()) {
      this.#source.resume();
    }
  }
}

/** Closes a socket, or resets it. */
export function closeSocket(socket: Socket, resets: boolean): void {
  if (resets) {
    socket.resetAndDestroy();
  } else {
    socket.destroySoon();
  }
}
