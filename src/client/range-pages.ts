/**
 * A range read in pages, all as they were at one revision: no page is too large for a message, and
 * there is one page at least, so that the revision of an empty range is known too.
 */
import { prefixEnd } from '../base/index.ts';
import type { CallOptions } from './caller.ts';
import { keyBytes, type KeyRange, rangeFields } from './keys.ts';
import type { Page, PageOptions } from './kv-types.ts';

/** Entries that are fetched at a time. */
const pageEntries = 1000;

/** Where ranges are read. */
export interface RangeSource<V> {
  /** Reads the first entries of a range, in the order of keys. */
  page(range: KeyRange, options: PageOptions): Promise<Page<V>>;
}

/**
 * See the module comment. Nothing is counted: that would be a scan of all that is left, for each
 * page.
 *
 * @throws {HoldfastError} COMPACTED — reading took longer than history is kept.
 */
export async function* rangePages<V>(
  source: RangeSource<V>,
  range: KeyRange,
  { timeoutMs, signal }: CallOptions,
): AsyncGenerator<Page<V>, void> {
  let rest = range;
  let atRevision: number | undefined;
  for (;;) {
    const page = await source.page(rest, { timeoutMs, signal, limit: pageEntries, atRevision });
    atRevision ??= page.revision;
    yield { ...page, revision: atRevision };
    const last = page.entries.at(-1);
    if (last === undefined || !page.hasMore) {
      return;
    }
    rest = { from: Buffer.concat([last.keyBytes, Buffer.of(0)]), to: endOf(range) };
  }
}

/** The first key behind a range; undefined when it has no end. */
export function endOf(range: KeyRange): Uint8Array | undefined {
  const { prefix, to } = rangeFields(range);
  if (prefix !== undefined) {
    return prefixEnd(keyBytes(prefix));
  }
  return to === undefined ? undefined : keyBytes(to);
}

/** The first key that a range may have. */
export function beginningOf(range: KeyRange): Uint8Array {
  const { prefix, from } = rangeFields(range);
  return keyBytes(prefix ?? from ?? '');
}
