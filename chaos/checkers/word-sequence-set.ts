/**
 * A set of sequences of 32-bit words, in a few flat arrays: what a search remembers of the states
 * it has been in. A million sequences of ten words take about 50 MB and no garbage collection.
 */
import { must } from '../../src/base/index.ts';

const slotsInitial = 64;
const wordsInitial = 256;

/** Grows only; sequences are compared in full, the hash merely finds them. */
export class WordSequenceSet {
  /** All sequences, each with its length in front. Offset 0 is left out: an empty slot holds 0. */
  #words = new Uint32Array(wordsInitial);
  #wordsEnd = 1;
  /** Offsets into the words, by hash, linearly probed. */
  #slots = new Uint32Array(slotsInitial);
  #size = 0;

  /** How many sequences it holds. */
  get size(): number {
    return this.#size;
  }

  /** Adds the first `length` words of `sequence`; returns whether they were not there yet. */
  add(sequence: Uint32Array, length: number): boolean {
    const mask = this.#slots.length - 1;
    let slot = hashWords(sequence, 0, length) & mask;
    for (;;) {
      const offset = must(this.#slots[slot], 'a slot');
      if (offset === 0) {
        break;
      }
      if (this.#isAt(offset, sequence, length)) {
        return false;
      }
      slot = (slot + 1) & mask;
    }
    this.#slots[slot] = this.#append(sequence, length);
    this.#size += 1;
    if (this.#size * 2 > this.#slots.length) {
      this.#growSlots();
    }
    return true;
  }

  #isAt(offset: number, sequence: Uint32Array, length: number): boolean {
    if (this.#words[offset] !== length) {
      return false;
    }
    for (let i = 0; i < length; i++) {
      if (this.#words[offset + 1 + i] !== sequence[i]) {
        return false;
      }
    }
    return true;
  }

  #append(sequence: Uint32Array, length: number): number {
    const offset = this.#wordsEnd;
    this.#wordsEnd = offset + 1 + length;
    if (this.#wordsEnd > this.#words.length) {
      const grown = new Uint32Array(Math.max(this.#words.length * 2, this.#wordsEnd));
      grown.set(this.#words);
      this.#words = grown;
    }
    this.#words[offset] = length;
    this.#words.set(sequence.subarray(0, length), offset + 1);
    return offset;
  }

  #growSlots(): void {
    const slots = new Uint32Array(this.#slots.length * 2);
    const mask = slots.length - 1;
    for (const offset of this.#slots) {
      if (offset !== 0) {
        const length = must(this.#words[offset], 'a length');
        let slot = hashWords(this.#words, offset + 1, length) & mask;
        while (slots[slot] !== 0) {
          slot = (slot + 1) & mask;
        }
        slots[slot] = offset;
      }
    }
    this.#slots = slots;
  }
}

/** FNV-1a over words, with a final mix so that the low bits depend on all of them. */
function hashWords(words: Uint32Array, offset: number, length: number): number {
  let hash = 0x811c_9dc5;
  for (let i = offset; i < offset + length; i++) {
    hash = Math.imul(hash ^ must(words[i], 'a word'), 0x0100_0193);
    hash ^= hash >>> 15;
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}
