/** Members' metrics, as far as faults need them. */

const patienceMs = 2000;

/** Reads `http://address/metrics`, by name with labels; empty when nobody answers in time. */
export async function readMetrics(address: string): Promise<ReadonlyMap<string, number>> {
  try {
    const response = await fetch(`http://${address}/metrics`, {
      signal: AbortSignal.timeout(patienceMs),
    });
    return parseMetrics(await response.text());
  } catch {
    // A member that is down or paused has nothing to say, which is what the caller sees.
    return new Map();
  }
}

/** Parses the text format of Prometheus. */
function parseMetrics(text: string): ReadonlyMap<string, number> {
  const metrics = new Map<string, number>();
  for (const line of text.split('\n')) {
    const at = line.lastIndexOf(' ');
    if (!line.startsWith('#') && at > 0) {
      metrics.set(line.slice(0, at), Number(line.slice(at + 1)));
    }
  }
  return metrics;
}

/** The sum of all series of a metric. */
export function sumOf(metrics: ReadonlyMap<string, number>, name: string): number {
  let sum = 0;
  for (const [series, value] of metrics) {
    if (series === name || series.startsWith(`${name}{`)) {
      sum += value;
    }
  }
  return sum;
}

/** The largest series of a metric. */
export function maxOf(metrics: ReadonlyMap<string, number>, name: string): number {
  let max = 0;
  for (const [series, value] of metrics) {
    if (series === name || series.startsWith(`${name}{`)) {
      max = Math.max(max, value);
    }
  }
  return max;
}

/** The smallest series of a metric that has been measured at all. */
export function minOf(metrics: ReadonlyMap<string, number>, name: string): number {
  let min = Number.POSITIVE_INFINITY;
  for (const [series, value] of metrics) {
    if (value > 0 && (series === name || series.startsWith(`${name}{`))) {
      min = Math.min(min, value);
    }
  }
  return min;
}
