/**
 * How much history is kept, from the two settings that etcd has for it. Texts mean what they mean
 * to etcd: a duration as Go writes it, a bare number of hours or of revisions by the mode, 0 for no
 * compaction. What etcd lacks is `TIME,REVISIONS`, which keeps both.
 */
import { type HistoryRetention, keepBoth, keepRevisions, keepTime } from '../replica/index.ts';

/** How a retention that is one number is meant. */
export type CompactionMode = 'periodic' | 'revision';

/** What a text says, or what it should be. */
export type RetentionResult =
  /** Nothing is compacted by itself when there is no retention. */
  | { readonly kind: 'ok'; readonly retention: HistoryRetention | undefined }
  | { readonly kind: 'invalid'; readonly mustBe: string };

const hourMs = 3_600_000;
/** Units of Go's durations, in milliseconds. */
const unitsMs: Readonly<Record<string, number>> = {
  ...{ ns: 1e-6, us: 1e-3, µs: 1e-3, μs: 1e-3 },
  ...{ ms: 1, s: 1000, m: 60_000, h: hourMs },
};
/** Less than a second would be a compaction with every few writes. */
const keepMsMin = 1000;
/** A hundred years; beyond it a number is a mistake. */
const keepMsMax = 876_000 * hourMs;
const keepRevisionsMax = 1_000_000_000_000;

const timeForm = 'a time from 1s to 876000h, as in 90m or 1h30m, or a number of hours';
const countForm = `a number of revisions up to ${keepRevisionsMax}`;

/** Reads a retention. */
export function parseRetention(mode: CompactionMode, text: string): RetentionResult {
  const parts = text.split(',').map((part) => part.trim());
  const [first = '', second] = parts;
  if (second !== undefined) {
    const keepMs = timeOf(first);
    const count = countOf(second);
    return parts.length === 2 && isTime(keepMs) && isCount(count)
      ? { kind: 'ok', retention: keepBoth(keepMs, count) }
      : { kind: 'invalid', mustBe: `TIME,REVISIONS: ${timeForm}; and ${countForm}` };
  }
  const amount = mode === 'periodic' || first === '' ? timeOf(first) : countOf(first);
  if (amount === 0) {
    return { kind: 'ok', retention: undefined };
  }
  if (mode === 'periodic') {
    return isTime(amount)
      ? { kind: 'ok', retention: keepTime(amount) }
      : { kind: 'invalid', mustBe: `${timeForm}, or 0` };
  }
  return isCount(amount)
    ? { kind: 'ok', retention: keepRevisions(amount) }
    : { kind: 'invalid', mustBe: `${countForm}, or 0, with the mode revision` };
}

function isTime(ms: number): boolean {
  return ms >= keepMsMin && ms <= keepMsMax;
}

function isCount(count: number): boolean {
  return count >= 1 && count <= keepRevisionsMax;
}

/** Milliseconds of a duration, or of a bare number of hours; NaN when it is neither. */
function timeOf(text: string): number {
  const hours = countOf(text);
  if (text === '' || hours >= 0) {
    return text === '' ? 0 : hours * hourMs;
  }
  if (!/^\+?(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/.test(text)) {
    return Number.NaN;
  }
  let ms = 0;
  for (const [, amount = '', unit = ''] of text.matchAll(/([\d.]+)([a-zµμ]+)/g)) {
    ms += Number(amount) * (unitsMs[unit] ?? Number.NaN);
  }
  return ms;
}

/** A whole number that is not negative; NaN for all else. */
function countOf(text: string): number {
  return /^\+?\d+$/.test(text) ? Number(text) : Number.NaN;
}
