/**
 * The memory of this process: what is in use, and where it ends. Linux tells a container's limit,
 * which counts if it is below what the machine has.
 */
import { totalmem } from 'node:os';
import { getHeapStatistics } from 'node:v8';

/** Bytes of the whole process and of V8's heap. */
interface MemoryBytes {
  readonly residentBytes: number;
  readonly heapBytes: number;
}

/** In use now. */
export function memoryInUse(): MemoryBytes {
  const { rss, heapUsed } = process.memoryUsage();
  return { residentBytes: rss, heapBytes: heapUsed };
}

/** Where it ends; `limitBytes` is what an operator has set for the whole process. */
export function memoryBounds(limitBytes: number | undefined): MemoryBytes {
  return {
    residentBytes: limitBytes ?? smallerLimit(process.constrainedMemory(), totalmem()),
    heapBytes: getHeapStatistics().heap_size_limit,
  };
}

/**
 * A container's limit if there is one, else the machine's memory. Without a limit the system tells
 * 0, nothing, or more than any machine has.
 *
 * @internal for tests.
 */
export function smallerLimit(constrainedBytes: number | undefined, totalBytes: number): number {
  return constrainedBytes === undefined || constrainedBytes === 0
    ? totalBytes
    : Math.min(constrainedBytes, totalBytes);
}
