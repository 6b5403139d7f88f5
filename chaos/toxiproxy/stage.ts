/**
 * What each toxic does to the bytes that pass it.
 *
 * A stage takes chunks and at last the end of one direction of one connection, and emits them:
 * later, cut up, or not at all. It keeps their order. What it still holds can be taken from it, so
 * that a toxic can be removed or changed under way. The rules are Toxiproxy's, where they surprise,
 * too; but `slicer` takes any sizes, at some of which Toxiproxy ends.
 */
import { attribute, type Toxic } from './toxic.ts';

/** A chunk with the moment (ms, monotonic) at which it reached the proxy, or the end. */
export type Item =
  | { readonly kind: 'chunk'; readonly bytes: Buffer; readonly arrivedMs: number }
  | { readonly kind: 'end' };

/** What a toxic keeps of one direction of one connection while it is changed. */
export interface StageMemory {
  /** Bytes that `limit_data` has let pass. */
  passedBytes: number;
}

/** What a stage may do. */
export interface StageContext {
  readonly emit: (item: Item) => void;
  /** Tells that so many bytes will never be emitted. */
  readonly drop: (byteCount: number) => void;
  readonly memory: StageMemory;
  /** Uniform in `[0, 1)`. */
  readonly random: () => number;
  readonly nowMs: () => number;
}

/** One toxic at work on one direction of one connection. */
export interface Stage {
  take(item: Item): void;
  /** Stops, and gives back what it holds, in order: the toxic is removed. */
  release(): readonly Item[];
  /**
   * Stops, emits the chunk that it has in hand, and gives back what waits behind that: another
   * stage goes on with it.
   */
  interrupt(): readonly Item[];
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
  /** Called when the wait is over. */
  readonly waited?: () => void;
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
      return new QueueStage(context, planBandwidth(toxic, context));
    case 'slow_close':
      return new QueueStage(context, (head) => ({
        waitMs: head.kind === 'end' ? attribute(toxic, 'delay') : 0,
        emit: head,
      }));
    case 'slicer':
      return new QueueStage(context, planSlices(toxic, context));
    case 'limit_data':
      return new QueueStage(context, planLimit(toxic, context));
    case 'reset_peer':
      return new EndingStage(context, attribute(toxic, 'timeout'));
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
  /** The head waits, or is what is left of one that was cut. */
  #isHeadInHand = false;
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

  interrupt(): readonly Item[] {
    const isHeadInHand = this.#isHeadInHand;
    const [head, ...behind] = this.release();
    if (head?.kind === 'chunk' && isHeadInHand) {
      this.#context.emit(head);
      return behind;
    }
    return head === undefined ? [] : [head, ...behind];
  }

  #run(): void {
    while (this.#timer === undefined && !this.#isBlocked) {
      const [head] = this.#held;
      if (head === undefined) {
        return;
      }
      const step = this.#plan(head);
      if (step.waitMs === Number.POSITIVE_INFINITY) {
        this.#isHeadInHand = true;
        this.#isBlocked = true;
      } else if (step.waitMs > 0) {
        this.#isHeadInHand = true;
        this.#wait(step.waitMs, () => {
          this.#carryOut(head, step);
        });
      } else {
        this.#carryOut(head, step);
      }
    }
  }

  #carryOut(head: Item, { emit, rest, pauseMs = 0, waited }: Step): void {
    waited?.();
    this.#held.shift();
    this.#isHeadInHand = rest !== undefined;
    if (rest !== undefined) {
      this.#held.unshift(rest);
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

/**
 * Each chunk leaves so long after it reached the proxy; so the delays of several overlap. It counts
 * as arrived then, so that the delays of several toxics add up.
 */
function planLatency(toxic: Toxic, { random, nowMs }: StageContext): Plan {
  const jitterMs = attribute(toxic, 'jitter');
  return (head) => {
    if (head.kind === 'end') {
      return { waitMs: 0, emit: head };
    }
    const movedMs = jitterMs > 0 ? Math.floor(random() * 2 * jitterMs) - jitterMs : 0;
    const waitMs = attribute(toxic, 'latency') + movedMs - (nowMs() - head.arrivedMs);
    return { waitMs, emit: { ...head, arrivedMs: head.arrivedMs + waitMs } };
  };
}

/**
 * A chunk waits as long as it takes at this rate; a large one goes in pieces of 100 ms. What timers
 * fire too late is taken off the next wait.
 */
function planBandwidth(toxic: Toxic, { nowMs }: StageContext): Plan {
  const bytesPerMs = attribute(toxic, 'rate');
  let owedMs = 0;
  let left: Item | undefined;
  return (head) => {
    if (head.kind === 'end') {
      return { waitMs: 0, emit: head };
    }
    if (bytesPerMs <= 0) {
      return { waitMs: Number.POSITIVE_INFINITY };
    }
    owedMs += head === left ? 0 : head.bytes.length / bytesPerMs;
    const sliceBytes = bytesPerMs * sliceMs;
    if (head.bytes.length > sliceBytes) {
      owedMs -= sliceMs;
      const parts = cut(head, sliceBytes);
      left = parts.rest;
      return { waitMs: sliceMs, ...parts };
    }
    const startMs = nowMs();
    return {
      waitMs: owedMs,
      emit: head,
      waited: () => {
        owedMs -= nowMs() - startMs;
      },
    };
  };
}

/** Pieces of a random size, with a pause after each. */
function planSlices(toxic: Toxic, { random }: StageContext): Plan {
  const average = Math.max(1, attribute(toxic, 'average_size'));
  const variation = Math.max(0, attribute(toxic, 'size_variation'));
  const pauseMs = attribute(toxic, 'delay') / 1000;
  // A timer counts whole milliseconds: shorter pauses are added up.
  let owedMs = 0;
  let left: Item | undefined;
  let sizes: number[] = [];
  return (head) => {
    if (head.kind === 'end') {
      return { waitMs: 0, emit: head };
    }
    if (head !== left) {
      sizes = halved(head.bytes.length, average, variation, random);
    }
    owedMs += pauseMs;
    const paused = Math.floor(owedMs);
    owedMs -= paused;
    const size = sizes.shift();
    if (size === undefined || sizes.length === 0) {
      return { waitMs: 0, emit: head, pauseMs: paused };
    }
    const parts = cut(head, size);
    left = parts.rest;
    return { waitMs: 0, ...parts, pauseMs: paused };
  };
}

/** Sizes of pieces: halved about in the middle until each is of about the average size. */
function halved(
  length: number,
  average: number,
  variation: number,
  random: () => number,
): number[] {
  const sizes: number[] = [];
  const open: number[] = [length];
  for (let size = open.pop(); size !== undefined; size = open.pop()) {
    if (size - average <= variation) {
      sizes.push(size);
      continue;
    }
    const moved = Math.floor(random() * 2 * variation) - variation;
    const first = Math.min(size - 1, Math.max(1, Math.floor(size / 2) + moved));
    open.push(size - first, first);
  }
  return sizes;
}

/** The end comes after so many bytes, counted while the toxic is changed; the rest is dropped. */
function planLimit(toxic: Toxic, { memory }: StageContext): Plan {
  let isOver = false;
  return (head) => {
    if (isOver) {
      return { waitMs: 0 };
    }
    const left = Math.max(0, attribute(toxic, 'bytes') - memory.passedBytes);
    if (head.kind === 'end' || left === 0) {
      isOver = true;
      return { waitMs: 0, emit: { kind: 'end' }, rest: head.kind === 'end' ? undefined : head };
    }
    memory.passedBytes += Math.min(left, head.bytes.length);
    if (head.bytes.length > left) {
      return { waitMs: 0, ...cut(head, left) };
    }
    const isReached = head.bytes.length === left;
    return { waitMs: 0, emit: head, rest: isReached ? { kind: 'end' } : undefined };
  };
}

/** Ends so long after whatever comes first, and drops everything; that cannot be held up. */
class EndingStage implements Stage {
  readonly #context: StageContext;
  readonly #delayMs: number;
  #timer: NodeJS.Timeout | undefined;
  #isBegun = false;
  #isOver = false;

  constructor(context: StageContext, delayMs: number) {
    this.#context = context;
    this.#delayMs = delayMs;
  }

  take(item: Item): void {
    if (item.kind === 'chunk') {
      this.#context.drop(item.bytes.length);
    }
    if (this.#isBegun) {
      return;
    }
    this.#isBegun = true;
    if (this.#delayMs <= 0) {
      this.#end();
    } else {
      this.#timer = setTimeout(() => {
        this.#end();
      }, timerMs(this.#delayMs));
    }
  }

  release(): readonly Item[] {
    clearTimeout(this.#timer);
    const isDue = this.#isBegun && !this.#isOver;
    this.#isOver = true;
    return isDue ? [{ kind: 'end' }] : [];
  }

  interrupt(): readonly Item[] {
    return this.release();
  }

  #end(): void {
    this.#isOver = true;
    this.#context.emit({ kind: 'end' });
  }
}

/** Drops everything but the end; ends by itself when nothing has come for a while. */
class SilentStage implements Stage {
  readonly #context: StageContext;
  readonly #limitMs: number;
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;

  constructor(context: StageContext, limitMs: number) {
    this.#context = context;
    this.#limitMs = limitMs;
    this.#restart();
  }

  take(item: Item): void {
    if (item.kind === 'end') {
      this.#end();
      return;
    }
    this.#context.drop(item.bytes.length);
    this.#restart();
  }

  /** What was dropped is gone: the connection cannot go on without it. */
  release(): readonly Item[] {
    return this.#stop() ? [{ kind: 'end' }] : [];
  }

  interrupt(): readonly Item[] {
    this.#stop();
    return [];
  }

  #restart(): void {
    clearTimeout(this.#timer);
    if (this.#limitMs > 0 && !this.#isOver) {
      this.#timer = setTimeout(() => {
        this.#end();
      }, timerMs(this.#limitMs));
    }
  }

  #end(): void {
    if (this.#stop()) {
      this.#context.emit({ kind: 'end' });
    }
  }

  /** Whether it had not ended yet. */
  #stop(): boolean {
    clearTimeout(this.#timer);
    const wasOpen = !this.#isOver;
    this.#isOver = true;
    return wasOpen;
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
