/** How many connections may be open at a time, on several addresses together. */

/** See the module comment. */
export class ConnectionBound {
  /** Infinity for any number. */
  readonly max: number;
  /** What to do when there is no room, in words. */
  readonly remedy: string;
  readonly #onChange: (open: number) => void;
  #open = 0;

  /** `onChange` hears how many are open, whenever that changes. */
  constructor(max: number, remedy: string, onChange: (open: number) => void = () => undefined) {
    this.max = max;
    this.remedy = remedy;
    this.#onChange = onChange;
  }

  /** Whether one more would be too many. */
  get isFull(): boolean {
    return this.#open >= this.max;
  }

  /** One more is open; returns what is to be called once it has ended. */
  enter(): () => void {
    this.#onChange(++this.#open);
    return () => {
      this.#onChange(--this.#open);
    };
  }
}
