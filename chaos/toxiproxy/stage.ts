/**
 * What each toxic does to the bytes that pass it.
 *
 * A stage takes chunks and at last the end of one direction of one connection, and emits them:
 * later, cut up, or not at all. It keeps their order. What it still holds can be taken from it, so
 * that a toxic can be removed or changed under way.
 */
import { attribute, type Toxic } from './toxic.ts';

/** A chunk with the moment (ms, monotonic) at which it reached the proxy, or the end. */
export type Item =
  | { readonly kind: 'chunk'; readonly bytes: Buffer; readonly arrivedMs: number }
  | { readonly kind: 'end' };

/** What a stage may do. */
export interface StageContext {
  readonly emit: (item: Item) => void;
  /** Tells that so many bytes will never be emitted. */
  readonly drop: (byteCount: number) => void;
  /** Resets both connections, at once. */
  readonly reset: () => void;
  /** Uniform in `[0, 1)`. */
  readonly random: () => number;
  readonly nowMs: () => number;
}

/** One toxic at work on one direction of one connection. */
export interface Stage {
  take(item: Item): void;
  /** Stops, and gives back what it holds, in order. */
  release(): readonly Item[];
}

/** How a queueing stage treats the item at its head. */
interface Step {
  /** How long the head waits; infinite: until the toxic is removed. */
  readonly waitMs: number;
  /** Emitted then; left out, the head is dropped. */
  readonly emit?: Item | undefined;
  /** Takes the head's place. */
  readonly rest?: Item | undefined;
  /** How long whatever comes next waits before it is looked at. */
  readonly pauseMs?: number;
  readonly resets?: boolean;
}

type Plan = (head: Item) => Step;

const sliceMs = 100;
/** The longest wait that a timer of Node takes. */
const timerMsMax = 2 ** 31 - 1;

/** Creates the stage of `toxic`; one that its toxicity spares passes everything. */
export function createStage(toxic: Toxic, context: StageContext): Stage {
  if (context.random() >= toxic.toxicity) {
    return new QueueStage(context, passing);
  }
  switch (toxic.type) {
    case 'noop':
      return new QueueStage(context, passing);
    case 'latency':
      return new QueueStage(context, planLatency(toxic, context));
    case 'bandwidth':
      return new QueueStage(context, planBandwidth(toxic));
    case 'slow_close':
      return new QueueStage(context, (head) => ({
        waitMs: head.kind === 'end' ? attribute(toxic, 'delay') : 0,
        emit: head,
      }));
    case 'reset_peer':
      return new QueueStage(context, () => ({
        waitMs: attribute(toxic, 'timeout'),
        resets: true,
      }));
    case 'slicer':
      return new QueueStage(context, planSlices(toxic, context));
    case 'limit_data':
      return new QueueStage(context, planLimit(toxic));
    case 'timeout':
      return new SilentStage(context, attribute(toxic, 'timeout'));
  }
}

/** Treats one item after the other, as its plan says. */
class QueueStage implements Stage {
  readonly #context: StageContext;
  readonly #plan: Plan;
  readonly #held: Item[] = [];
  #timer: NodeJS.Timeout | undefined;
  /** The head waits for nothing but the removal of the toxic. */
  #isBlocked = false;

  constructor(context: StageContext, plan: Plan) {
    this.#context = context;
    this.#plan = plan;
  }

  take(item: Item): void {
    this.#held.push(item);
    this.#run();
  }

  release(): readonly Item[] {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#isBlocked = true;
    return this.#held.splice(0);
  }

  #run(): void {
    while (this.#timer === undefined && !this.#isBlocked) {
      const [head] = this.#held;
      if (head === undefined) {
        return;
      }
      const step = this.#plan(head);
      if (step.waitMs === Number.POSITIVE_INFINITY) {
        this.#isBlocked = true;
      } else if (step.waitMs > 0) {
        this.#wait(step.waitMs, () => {
          this.#carryOut(head, step);
        });
      } else {
        this.#carryOut(head, step);
      }
    }
  }

  #carryOut(head: Item, { emit, rest, pauseMs = 0, resets = false }: Step): void {
    this.#held.shift();
    if (rest !== undefined) {
      this.#held.unshift(rest);
    }
    if (resets) {
      this.#context.reset();
      return;
    }
    if (pauseMs > 0) {
      this.#wait(pauseMs, () => undefined);
    }
    if (emit !== undefined) {
      this.#context.emit(emit);
    } else if (head.kind === 'chunk') {
      this.#context.drop(head.bytes.length);
    }
  }

  #wait(delayMs: number, then: () => void): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      then();
      this.#run();
    }, timerMs(delayMs));
  }
}

const passing: Plan = (head) => ({ waitMs: 0, emit: head });

/** Each chunk leaves so long after it reached the proxy; so the delays of several overlap. */
function planLatency(toxic: Toxic, { random, nowMs }: StageContext): Plan {
  const jitterMs = attribute(toxic, 'jitter');
  return (head) => {
    if (head.kind === 'end') {
      return { waitMs: 0, emit: head };
    }
    const delayMs = attribute(toxic, 'latency') + (random() * 2 - 1) * jitterMs;
    return { waitMs: Math.max(0, head.arrivedMs + delayMs - nowMs()), emit: head };
  };
}

/** A chunk waits as long as it takes at this rate; a large one goes in pieces of 100 ms. */
function planBandwidth(toxic: Toxic): Plan {
  const bytesPerMs = attribute(toxic, 'rate');
  return (head) => {
    if (head.kind === 'end') {
      return { waitMs: 0, emit: head };
    }
    if (bytesPerMs <= 0) {
      return { waitMs: Number.POSITIVE_INFINITY };
    }
    const sliceBytes = bytesPerMs * sliceMs;
    if (head.bytes.length <= sliceBytes) {
      return { waitMs: head.bytes.length / bytesPerMs, emit: head };
    }
    return { waitMs: sliceMs, ...cut(head, sliceBytes) };
  };
}

/** Pieces of a random size, with a pause after each. */
function planSlices(toxic: Toxic, { random }: StageContext): Plan {
  const average = Math.max(1, attribute(toxic, 'average_size'));
  const variation = attribute(toxic, 'size_variation');
  const pauseMs = attribute(toxic, 'delay') / 1000;
  // A timer counts whole milliseconds: shorter pauses are added up.
  let owedMs = 0;
  return (head) => {
    if (head.kind === 'end') {
      return { waitMs: 0, emit: head };
    }
    owedMs += pauseMs;
    const paused = Math.floor(owedMs);
    owedMs -= paused;
    if (head.bytes.length <= average + variation) {
      return { waitMs: 0, emit: head, pauseMs: paused };
    }
    const size = Math.max(1, Math.round(average + (random() * 2 - 1) * variation));
    return { waitMs: 0, ...cut(head, size), pauseMs: paused };
  };
}

/** The end comes after so many bytes; what follows it is dropped. */
function planLimit(toxic: Toxic): Plan {
  let left = attribute(toxic, 'bytes');
  let isOver = false;
  return (head) => {
    if (isOver) {
      return { waitMs: 0 };
    }
    if (head.kind === 'end' || left <= 0) {
      isOver = true;
      return { waitMs: 0, emit: { kind: 'end' }, rest: head.kind === 'end' ? undefined : head };
    }
    if (head.bytes.length > left) {
      const parts = cut(head, left);
      left = 0;
      return { waitMs: 0, ...parts };
    }
    left -= head.bytes.length;
    const isReached = left === 0;
    return { waitMs: 0, emit: head, rest: isReached ? { kind: 'end' } : undefined };
  };
}

/** Drops everything, the end too; ends by itself when nothing has come for a while. */
class SilentStage implements Stage {
  readonly #context: StageContext;
  readonly #limitMs: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(context: StageContext, limitMs: number) {
    this.#context = context;
    this.#limitMs = limitMs;
    this.#restart();
  }

  take(item: Item): void {
    if (item.kind === 'chunk') {
      this.#context.drop(item.bytes.length);
      this.#restart();
    }
  }

  /** What was dropped is gone: the connection cannot go on without it. */
  release(): readonly Item[] {
    clearTimeout(this.#timer);
    return [{ kind: 'end' }];
  }

  #restart(): void {
    clearTimeout(this.#timer);
    if (this.#limitMs > 0) {
      this.#timer = setTimeout(() => {
        this.#context.emit({ kind: 'end' });
      }, timerMs(this.#limitMs));
    }
  }
}

/** Whole milliseconds: a timer drops fractions, and would fire early. */
function timerMs(delayMs: number): number {
  return Math.min(Math.ceil(delayMs), timerMsMax);
}

function cut(
  { bytes, arrivedMs }: Item & { kind: 'chunk' },
  size: number,
): { readonly emit: Item; readonly rest: Item } {
  return {
    emit: { kind: 'chunk', bytes: bytes.subarray(0, size), arrivedMs },
    rest: { kind: 'chunk', bytes: bytes.subarray(size), arrivedMs },
  };
}
