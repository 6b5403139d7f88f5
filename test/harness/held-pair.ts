/** A connection within the process whose writer waits for its reader, as it does by TCP. */
import { Duplex } from 'node:stream';
import { must } from '../../src/base/index.ts';

/** Two ends, each of which reads what the other one writes. */
export function heldPair(): readonly [Duplex, Duplex] {
  const near = new HeldEnd();
  const far = new HeldEnd();
  near.other = far;
  far.other = near;
  return [near, far];
}

class HeldEnd extends Duplex {
  other: HeldEnd | undefined;
  /** Lets the other end go on writing. */
  #goOn: (() => void) | undefined;

  override _read(): void {
    const goOn = this.#goOn;
    this.#goOn = undefined;
    goOn?.();
  }

  override _write(chunk: Buffer, _encoding: string, callback: () => void): void {
    const reader = must(this.other, 'the other end');
    if (reader.push(chunk)) {
      callback();
    } else {
      reader.#goOn = callback;
    }
  }

  override _final(callback: () => void): void {
    this.other?.push(null);
    callback();
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    const { other } = this;
    if (other?.destroyed === false) {
      other.destroy();
    }
    callback(error);
  }
}
