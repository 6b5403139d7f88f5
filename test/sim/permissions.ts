/**
 * Users of a run, and which keys permissions are about: those of the clients of `workload.ts`,
 * which begin with `k`, and those of its tenants, from `s` on.
 */
import type { KeySelector } from '../../src/kv/index.ts';

/** The user that may do everything, once it is there. */
export const rootName = 'root';

/** The user of a number from 1 on. */
export function userName(number: number): string {
  return `user-${number}`;
}

const numbers = Array.from({ length: 12 }, (_, i) => i);

/** Whatever ranges of permissions and requests begin or end with. */
export const boundaryKeys: readonly string[] = [
  ...['k', ...numbers.map((i) => `k${i}`), 'l'],
  ...['s', 't', 'u', 'v', 'y'],
];

/** Keys that a permission may be for, as names; those of one are all keys at once. */
const selectors: readonly (readonly [string, string?])[] = [
  ['k', 'l'],
  ['k', 'l'],
  ['k', 'k2'],
  ['k2', 'l'],
  ['k0'],
  ['k1'],
  ['k0', 'k3'],
  ['s', 'y'],
  ['s', 'u'],
  ['t', 'v'],
  ['t', 'u'],
  ['u', 'v'],
  ['v', 'y'],
  ['k', 'y'],
];

/** The choices for a permission's keys; wide ones come more than once. */
export const permittableKeys: readonly KeySelector[] = selectors.map(([key, rangeEnd]) =>
  rangeEnd === undefined
    ? { key: bytesOf(key) }
    : { key: bytesOf(key), rangeEnd: bytesOf(rangeEnd) },
);

function bytesOf(name: string): Uint8Array {
  return new TextEncoder().encode(name);
}
