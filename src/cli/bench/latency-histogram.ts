/**
 * Counts latencies in buckets whose width grows with the value, as HdrHistogram does: every
 * quantile is right to 1/128 of itself, at the cost of one increment per value and 26 KiB in all.
 *
 * Values are microseconds in 32 bits: 1 µs to 71 minutes; longer ones count as the longest.
 */

/** Buckets per doubling of the value; 128 keep the relative error below 0.8 %. */
const subBucketBits = 7;
const subBuckets = 1 << subBucketBits;
const exponentMax = 32 - subBucketBits - 1;
const microsecondsMax = 0xffff_ffff;

/** See the module comment. */
export class LatencyHistogram {
  readonly #counts = new Float64Array((exponentMax + 2) * subBuckets);
  #count = 0;
  #sumMs = 0;
  #maxMs = 0;

  /** How many latencies were recorded. */
  get count(): number {
    return this.#count;
  }

  /** Exact mean, milliseconds; 0 when nothing was recorded. */
  get meanMs(): number {
    return this.#count === 0 ? 0 : this.#sumMs / this.#count;
  }

  /** Exact maximum, milliseconds. */
  get maxMs(): number {
    return this.#maxMs;
  }

  /** Records one latency; negative ones, which a stepped clock could make, count as 0. */
  record(latencyMs: number): void {
    const ms = Math.max(0, latencyMs);
    const bucket = bucketOf(Math.min(Math.round(ms * 1000), microsecondsMax));
    this.#counts[bucket] = (this.#counts[bucket] as number) + 1;
    this.#count++;
    this.#sumMs += ms;
    this.#maxMs = Math.max(this.#maxMs, ms);
  }

  /** Adds everything that `other` has recorded. */
  merge(other: LatencyHistogram): void {
    for (const [bucket, count] of other.#counts.entries()) {
      this.#counts[bucket] = (this.#counts[bucket] as number) + count;
    }
    this.#count += other.#count;
    this.#sumMs += other.#sumMs;
    this.#maxMs = Math.max(this.#maxMs, other.#maxMs);
  }

  /**
   * The smallest latency, milliseconds, that at least `fraction` of all do not exceed (nearest
   * rank); 0 when nothing was recorded.
   */
  quantileMs(fraction: number): number {
    const rank = Math.max(1, Math.ceil(fraction * this.#count));
    let seen = 0;
    for (const [bucket, count] of this.#counts.entries()) {
      seen += count;
      if (seen >= rank) {
        return Math.min(bucketTop(bucket) / 1000, this.#maxMs);
      }
    }
    return this.#maxMs;
  }
}

/**
 * Values below 256 have a bucket each; from there on 128 buckets share each doubling. 1000 µs, for
 * example, is 250 · 2²: exponent 2, bucket 2 · 128 + 250.
 */
function bucketOf(microseconds: number): number {
  const exponent = Math.max(0, exponentMax - Math.clz32(microseconds));
  return exponent * subBuckets + (microseconds >>> exponent);
}

/** The largest number of microseconds that falls into `bucket`. */
function bucketTop(bucket: number): number {
  const exponent = Math.max(0, Math.floor(bucket / subBuckets) - 1);
  return (bucket - exponent * subBuckets + 1) * 2 ** exponent - 1;
}
