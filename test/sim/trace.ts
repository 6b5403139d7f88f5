/**
 * What happens in a run, a line each. Writing lines costs more than the run itself, so it is off
 * unless asked for: a run that fails is simply done again with it on.
 */

/** See the module comment. */
export class Trace {
  /** Ask first; lines are built only when somebody wants them. */
  readonly isOn: boolean;
  readonly #sink: ((line: string) => void) | undefined;

  constructor(sink?: (line: string) => void) {
    this.isOn = sink !== undefined;
    this.#sink = sink;
  }

  add(nowUs: number, text: string): void {
    this.#sink?.(`${(nowUs / 1e6).toFixed(6).padStart(11)} ${text}`);
  }
}

/** Keeps the newest `countMax` lines. */
export class LineRing {
  readonly #countMax: number;
  #lines: string[] = [];

  constructor(countMax: number) {
    this.#countMax = countMax;
  }

  add(line: string): void {
    this.#lines.push(line);
    if (this.#lines.length >= 2 * this.#countMax) {
      this.#lines = this.#lines.slice(-this.#countMax);
    }
  }

  get lines(): readonly string[] {
    return this.#lines.slice(-this.#countMax);
  }
}
