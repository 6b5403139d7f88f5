/**
 * One direction of one connection: what comes from `source` passes the stages of the toxics and
 * goes to `target`.
 *
 * When a direction ends, its target is closed whole, as Toxiproxy does it. What a lane holds is
 * bounded: beyond the bound it reads no more until something has left.
 */
import type { Socket } from 'node:net';
import { createStage, type Item, type Stage } from './stage.ts';
import type { Toxic } from './toxic.ts';

/** Bytes that one direction holds before it stops reading: Toxiproxy's 1024 chunks of 1 KiB. */
const heldBytesMax = 1024 * 1024;

/** The ends of a lane, and chance. */
export interface LaneOptions {
  readonly source: Socket;
  readonly target: Socket;
  readonly toxics: readonly Toxic[];
  readonly random: () => number;
}

interface Place {
  toxic: Toxic;
  stage: Stage;
}

/** See the module comment. */
export class Lane {
  readonly #source: Socket;
  readonly #target: Socket;
  readonly #random: () => number;
  readonly #places: Place[] = [];
  #heldBytes = 0;
  #isEnded = false;

  constructor({ source, target, toxics, random }: LaneOptions) {
    this.#source = source;
    this.#target = target;
    this.#random = random;
    for (const toxic of toxics) {
      this.add(toxic);
    }
    source.on('data', (bytes: Buffer) => {
      this.#heldBytes += bytes.length;
      if (this.#heldBytes > heldBytesMax) {
        source.pause();
      }
      this.#pass(0, { kind: 'chunk', bytes, arrivedMs: performance.now() });
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

  /** Puts a toxic behind those that are there. */
  add(toxic: Toxic): void {
    const place = { toxic } as Place;
    place.stage = this.#stageOf(place);
    this.#places.push(place);
  }

  /** Gives a toxic its new attributes; what it holds is subject to them. */
  update(toxic: Toxic): void {
    const place = this.#places.find((each) => each.toxic.name === toxic.name);
    if (place === undefined) {
      return;
    }
    const wasSilent = place.toxic.type === 'timeout';
    const held = place.stage.release();
    place.toxic = toxic;
    place.stage = this.#stageOf(place);
    // A timeout that is changed goes on dropping; only its removal ends the connection.
    for (const item of wasSilent ? [] : held) {
      place.stage.take(item);
    }
  }

  /** Takes a toxic away; what it holds goes on at once. */
  remove(name: string): void {
    const at = this.#places.findIndex((each) => each.toxic.name === name);
    const [place] = at < 0 ? [] : this.#places.splice(at, 1);
    for (const item of place?.stage.release() ?? []) {
      this.#pass(at, item);
    }
  }

  /** Drops what is held; nothing happens any more. */
  close(): void {
    this.#isEnded = true;
    for (const { stage } of this.#places) {
      stage.release();
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
      reset: () => {
        this.#isEnded = true;
        this.#source.resetAndDestroy();
        this.#target.resetAndDestroy();
      },
      random: this.#random,
      nowMs: () => performance.now(),
    });
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
      this.#target.destroySoon();
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
