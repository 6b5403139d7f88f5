/** A typed face of vitest's string matcher, for fields of an expected object. */
import { expect } from 'vitest';

/** Matches a string that has the pattern in it. */
export function matching(pattern: RegExp | string): unknown {
  return expect.stringMatching(pattern);
}
