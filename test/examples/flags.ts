/**
 * Feature flags: asked thousands of times a second, changed now and then by somebody. Each process
 * has all of them in memory and knows of a change within milliseconds; while the members cannot be
 * reached it goes on with the flags that it has.
 */
import { createHash } from 'node:crypto';
import { type Cache, codecs, type Holdfast, HoldfastError } from 'holdfast/client';

/** For whom something is on: for everybody, or for so many in a hundred users. */
export interface Flag {
  readonly percent: number;
}

/** See the module comment. */
export class Flags implements AsyncDisposable {
  readonly #cache: Cache<Flag>;

  private constructor(cache: Cache<Flag>) {
    this.#cache = cache;
  }

  static async open(client: Pick<Holdfast, 'kv'>): Promise<Flags> {
    const kv = client.kv.namespace('flags/').as(codecs.json<Flag>());
    return new Flags(await kv.cache({ prefix: '' }, { keysMax: 10_000 }));
  }

  /** Whether a user has a feature; the same user always has the same answer. Costs no call. */
  isOn(name: string, user: string): boolean {
    return placeOf(name, user) < this.#percent(name);
  }

  /** Calls back when a flag has changed; the function that it returns ends that. */
  onChange(listener: (names: readonly string[]) => void): () => void {
    return this.#cache.listen({
      onChange: ({ changes }) => listener(changes.map(({ key }) => key)),
    });
  }

  /** Waits until a change that an answer has told is seen here. */
  async atLeast(revision: number): Promise<void> {
    return this.#cache.atLeast(revision);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#cache.close();
    return Promise.resolve();
  }

  #percent(name: string): number {
    try {
      return this.#cache.get(name)?.value.percent ?? 0;
    } catch (error) {
      // Somebody has written what is no flag: the feature is off, and the others work.
      if (error instanceof HoldfastError && error.code === 'BAD_VALUE') {
        return 0;
      }
      throw error;
    }
  }
}

/** From 0 to 100, the same for the same user and flag. */
function placeOf(name: string, user: string): number {
  const digest = createHash('sha256').update(`${name}\n${user}`).digest();
  return (digest.readUInt32BE() / 2 ** 32) * 100;
}
