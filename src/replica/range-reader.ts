/**
 * Serves range requests from a member's readable state.
 *
 * A range is read at one revision, so that it may take many trips to the engine while writes go on:
 * later changes carry higher revisions and are looked through. Only compaction can take away what
 * it needs; a read at the present revision that was overtaken by one is done again, a read in the
 * past is refused.
 */
import { KvError } from '../base/index.ts';
import {
  type RangeGauge,
  type RangeOperation,
  type RangeOutcome,
  rangeQuery,
  type Reading,
  type ReadPoint,
  type StateMachine,
} from '../kv/index.ts';
import type { RangeAnswer, RangeOptions } from './api.ts';
import type { StateLane } from './state-lane.ts';

/** Limit: how often a read overtaken by compactions is done again before its caller is told. */
const attemptsMax = 4;

/** See the module comment. */
export class RangeReader {
  readonly #stateMachine: StateMachine;
  readonly #lane: StateLane;

  constructor(stateMachine: StateMachine, lane: StateLane) {
    this.#stateMachine = stateMachine;
    this.#lane = lane;
  }

  /** The answer when it needs nothing from the engine, else undefined. */
  maybeReadCached(range: RangeOperation): RangeAnswer | undefined {
    const point = this.#readPoint();
    const outcome = this.#stateMachine.cachedPoint(range, point);
    return outcome === undefined ? undefined : answerOf(outcome, point);
  }

  /**
   * Reads a range at the readable revision, or at the one it names.
   *
   * `charge` is told after each trip to the engine how many bytes are kept, and throws when the
   * answer may not grow. With `bytesMax` the answer ends with the key by which it has so many, as
   * at a limit; of reads in key order.
   *
   * @throws {KvError} COMPACTED, FUTURE_REVISION — as the range's revision demands; what `charge`
   *   throws.
   */
  async read(
    range: RangeOperation,
    { charge, bytesMax }: Pick<RangeOptions, 'charge' | 'bytesMax'> = {},
  ): Promise<RangeAnswer> {
    for (let attempt = 1; ; attempt++) {
      const point = this.#readPoint();
      const gauge: RangeGauge = { keptBytes: 0, keptBytesMax: bytesMax };
      const query = rangeQuery(range, point, undefined, gauge);
      const reading = charge === undefined ? query : eachTrip(query, () => charge(gauge.keptBytes));
      const answer = answerOf(await this.#lane.read(reading), point);
      const readRevision = range.revision > 0 ? range.revision : point.revision;
      if (this.#lane.removedRevision <= readRevision) {
        return answer;
      }
      if (range.revision > 0 || attempt === attemptsMax) {
        throw new KvError('COMPACTED');
      }
    }
  }

  /**
   * The newest state that reads can see. A compaction of what is not readable yet does not count.
   */
  #readPoint(): ReadPoint {
    const revision = this.#lane.readableRevision;
    const { compactRevision } = this.#stateMachine;
    return { revision, compactRevision: Math.min(compactRevision, revision) };
  }
}

/** The same reading, which tells of each trip to the engine; what `tell` throws ends it. */
export function* eachTrip<T>(reading: Reading<T>, tell: () => void): Reading<T> {
  let step = reading.next();
  while (step.done !== true) {
    step = reading.next(yield step.value);
    tell();
  }
  return step.value;
}

function answerOf(outcome: RangeOutcome, point: ReadPoint): RangeAnswer {
  if (outcome.kind === 'refused') {
    throw new KvError(outcome.code);
  }
  return { revision: point.revision, result: outcome.result };
}
