/**
 * The network between members: every message has a fate of its own. It may be lost, held up,
 * repeated, or overtaken by later ones; links may be cut in either direction.
 *
 * Two things it never does, as the real transport: deliver a message to anybody but its receiver,
 * or repeat a forwarded proposal (`src/raft/README.md`, "Messages").
 */
import type { Prng } from '../../src/base/index.ts';
import type { Message, NodeId } from '../../src/raft/index.ts';
import { describeMessage } from '../../src/raft/describe.ts';
import type { VirtualClock } from './clock.ts';
import { happens, type SimParameters } from './parameters.ts';
import type { Trace } from './trace.ts';

/** Bound of member ids; ids of members that join count up to here. */
export const nodeIdLimit = 32;

/** Messages that the host sends at most once. */
const onceOnly: ReadonlySet<Message['type']> = new Set(['Propose', 'ProposeConfChange']);

/** See the module comment. */
export class SimNetwork {
  readonly #clock: VirtualClock;
  readonly #trace: Trace;
  readonly #prng: Prng;
  readonly #parameters: SimParameters['network'];
  readonly #deliver: (message: Message) => void;
  /** How many faults cut each link, by `from * nodeIdLimit + to`. */
  readonly #cuts = new Uint8Array(nodeIdLimit * nodeIdLimit);
  readonly #lastArrivalUs = new Float64Array(nodeIdLimit * nodeIdLimit);
  /** Until when what arrives on a link is held back, in order. */
  readonly #heldUntilUs = new Float64Array(nodeIdLimit * nodeIdLimit);
  /** In ten thousandths, on top of the parameters. */
  extraLoss = 0;
  extraDuplicates = 0;
  /** Times the usual latency. */
  slowness = 1;
  /** No chance faults any more: only latency. */
  isCalm = false;

  constructor(
    parts: { readonly clock: VirtualClock; readonly trace: Trace; readonly prng: Prng },
    parameters: SimParameters['network'],
    deliver: (message: Message) => void,
  ) {
    this.#clock = parts.clock;
    this.#trace = parts.trace;
    this.#prng = parts.prng;
    this.#parameters = parameters;
    this.#deliver = deliver;
  }

  cut(from: NodeId, to: NodeId): void {
    const link = from * nodeIdLimit + to;
    this.#cuts[link] = (this.#cuts[link] ?? 0) + 1;
  }

  mend(from: NodeId, to: NodeId): void {
    const link = from * nodeIdLimit + to;
    this.#cuts[link] = Math.max(0, (this.#cuts[link] ?? 0) - 1);
  }

  /**
   * Nothing arrives on this link before `untilUs`, and then all of it: a connection that stalls.
   */
  hold(from: NodeId, to: NodeId, untilUs: number): void {
    const link = from * nodeIdLimit + to;
    this.#heldUntilUs[link] = Math.max(this.#heldUntilUs[link] ?? 0, untilUs);
  }

  /** Mends everything, and nothing goes wrong by chance any more. */
  heal(): void {
    this.#cuts.fill(0);
    this.#heldUntilUs.fill(0);
    this.extraLoss = 0;
    this.extraDuplicates = 0;
    this.slowness = 1;
    this.isCalm = true;
  }

  isCut(from: NodeId, to: NodeId): boolean {
    return this.#cuts[from * nodeIdLimit + to] !== 0;
  }

  latencyUs(): number {
    const { latencyMinUs, latencyMaxUs } = this.#parameters;
    return this.slowness * this.#prng.nextInt(latencyMinUs, latencyMaxUs + 1);
  }

  send(message: Message): void {
    const { loss, duplicates } = this.#parameters;
    if (this.isCut(message.from, message.to)) {
      this.#note('cut', message);
      return;
    }
    if (!this.isCalm && happens(this.#prng, loss + this.extraLoss)) {
      this.#note('lost', message);
      return;
    }
    this.#transmit(message);
    const canRepeat = !this.isCalm && !onceOnly.has(message.type);
    if (canRepeat && happens(this.#prng, duplicates + this.extraDuplicates)) {
      this.#note('doubled', message);
      this.#transmit(message);
    }
  }

  #transmit(message: Message): void {
    const { isOrdered, spikes, spikeMaxUs } = this.#parameters;
    let delayUs = this.latencyUs();
    if (!this.isCalm && happens(this.#prng, spikes)) {
      delayUs += this.#prng.nextInt(0, spikeMaxUs);
    }
    if (isOrdered) {
      const link = message.from * nodeIdLimit + message.to;
      const now = this.#clock.nowUs;
      const arrivalUs = Math.max(this.#lastArrivalUs[link] ?? 0, now + delayUs);
      this.#lastArrivalUs[link] = arrivalUs;
      delayUs = arrivalUs - now;
    }
    this.#clock.after(delayUs, () => {
      this.#arrive(message);
    });
  }

  #arrive(message: Message): void {
    const heldUs =
      (this.#heldUntilUs[message.from * nodeIdLimit + message.to] ?? 0) - this.#clock.nowUs;
    if (this.isCut(message.from, message.to)) {
      this.#note('cut', message);
    } else if (heldUs > 0) {
      this.#clock.after(heldUs, () => {
        this.#arrive(message);
      });
    } else {
      this.#deliver(message);
    }
  }

  #note(what: string, message: Message): void {
    if (this.#trace.isOn) {
      this.#trace.add(this.#clock.nowUs, `net ${what} ${describeMessage(message)}`);
    }
  }
}
