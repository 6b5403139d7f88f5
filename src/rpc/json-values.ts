/** Cuts what comes in pieces into values of JSON, as a stream of requests brings them. */
import { KvError } from '../base/index.ts';

const [quote, backslash, openBrace, closeBrace] = [0x22, 0x5c, 0x7b, 0x7d];

const noBytes = Buffer.alloc(0);

/** See the module comment. Values are objects; between them may stand white space. */
export class JsonValues {
  readonly #bytesMax: number;
  /** Has the value that is not whole yet in its first bytes. */
  #kept: Buffer = noBytes;
  #bytes = 0;
  #depth = 0;
  #isInString = false;
  #isEscaped = false;

  /** A value may have `bytesMax` bytes. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Bytes of the value that is not whole yet. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Takes the next piece; returns the values that are whole with it.
   *
   * @throws {KvError} INVALID_ARGUMENT — it is no JSON; REQUEST_TOO_LARGE.
   */
  push(chunk: Buffer): readonly unknown[] {
    const values: unknown[] = [];
    let start = 0;
    for (let at = 0; at < chunk.length; at++) {
      if (this.#endsWith(chunk[at] as number)) {
        this.#keep(chunk.subarray(start, at + 1));
        start = at + 1;
        values.push(this.#take());
      }
    }
    this.#keep(chunk.subarray(start));
    return values;
  }

  /** @throws {KvError} INVALID_ARGUMENT — what came last is not whole. */
  end(): void {
    if (this.#take() !== undefined) {
      throw notJson();
    }
  }

  #keep(piece: Buffer): void {
    const end = this.#bytes + piece.length;
    if (end > this.#bytesMax) {
      throw new KvError('REQUEST_TOO_LARGE');
    }
    // Copied: a list of pieces, however small, would take many times as much.
    if (end > this.#kept.length) {
      const larger = Buffer.allocUnsafe(Math.max(end, 2 * this.#kept.length));
      this.#kept.copy(larger, 0, 0, this.#bytes);
      this.#kept = larger;
    }
    piece.copy(this.#kept, this.#bytes);
    this.#bytes = end;
  }

  /** What has been kept, parsed; undefined for nothing but white space. */
  #take(): unknown {
    const text = this.#kept.toString('utf8', 0, this.#bytes);
    this.#kept = noBytes;
    this.#bytes = 0;
    return text.trim() === '' ? undefined : parseJson(text);
  }

  /** Whether a value ends with the next byte. */
  #endsWith(byte: number): boolean {
    if (this.#isInString) {
      this.#isInString = this.#isEscaped || byte !== quote;
      this.#isEscaped = !this.#isEscaped && byte === backslash;
      return false;
    }
    switch (byte) {
      case quote:
        this.#isInString = true;
        return false;
      case openBrace:
        this.#depth++;
        return false;
      case closeBrace:
        return --this.#depth <= 0;
      default:
        return false;
    }
  }
}

/** @throws {KvError} INVALID_ARGUMENT — it is no JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // What the parser says may show values.
    throw notJson();
  }
}

function notJson(): KvError {
  return new KvError('INVALID_ARGUMENT', { message: 'holdfast: the request is not JSON' });
}
