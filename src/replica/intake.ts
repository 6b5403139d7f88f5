/**
 * What callers ask of a member, from the door to the answer: writes, reads, changes of membership.
 *
 * Invariant: what is not taken is refused at the door, and has had no effect. What is taken waits
 * in `calls.ts` until a turn of the replica tells what became of it (`answer`), or the member ends.
 */
import { KvError } from '../base/index.ts';
import {
  askedBy,
  type Command,
  type CommandResult,
  encodeCommandBehind,
  levelNeeded,
  type RangeOperation,
  type RequestId,
} from '../kv/index.ts';
import type { CallOptions, RangeAnswer, RangeOptions } from './api.ts';
import type { AuthApi } from './auth-api.ts';
import type { Calls, CommandWaiter } from './calls.ts';
import type { Effects } from './effects.ts';
import type { Integrity } from './integrity.ts';
import type { LogWriter } from './log-writer.ts';
import type { MemberConfig } from './member-config.ts';
import type { MemberState } from './member-state.ts';
import type { MembershipChange } from './membership.ts';
import { envelopeBytes, type ProposalId } from './proposals.ts';
import type { Replica } from './replica.ts';
import type { StateLane } from './state-lane.ts';
import { type Conditions, onAbort } from './waiting.ts';

/** What it works with. */
export interface IntakeOptions {
  readonly config: Pick<MemberConfig, 'options' | 'metrics'>;
  readonly replica: Pick<
    Replica,
    | 'leader'
    | 'tickCount'
    | 'maybePropose'
    | 'cancelProposal'
    | 'maybeRead'
    | 'cancelRead'
    | 'maybeChangeMembership'
    | 'close'
  >;
  readonly calls: Calls;
  readonly conditions: Pick<Conditions, 'within'>;
  readonly state: {
    readonly lane: Pick<StateLane, 'wanted' | 'upToDate'>;
    readonly readRange: MemberState['readRange'];
    readonly hasAnswered: MemberState['hasAnswered'];
    readonly machine: { readonly level: number };
  };
  readonly integrity: Pick<Integrity, 'reason' | 'refusal' | 'quarantineRefusal'>;
  readonly auth: Pick<AuthApi, 'checkRange'>;
  readonly writer: Pick<LogWriter, 'isDiskFull'>;
  /** Something has been asked: a turn is due. */
  readonly onAsked: () => void;
}

/**
 * Ticks of a deadline from which on it is rounded down: who waits in vain is answered, and hears
 * whether its write may have happened, before its own clock ends the call without an answer.
 */
const roundedDownTicks = 10;
/**
 * How long a command waits for the feature level that it needs, milliseconds: a cluster that
 * starts, or whose last member has been upgraded just now, raises it in less.
 */
const levelWaitMs = 2000;

/** See the module comment. */
export class Intake {
  readonly #options: IntakeOptions;
  /** A member that starts, or is about to stop, still answers reads. */
  #takes: 'reads' | 'everything' | 'nothing' = 'reads';

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  /** The member serves from now on. */
  open(): void {
    this.#takes = 'everything';
  }

  /** The member is about to stop: it changes nothing any more. */
  drain(): void {
    if (this.#takes === 'everything') {
      this.#takes = 'reads';
    }
  }

  /** See `MemberApi.propose`. */
  async propose(command: Command, options: CallOptions = {}): Promise<CommandResult> {
    return new Promise<CommandResult>((resolve, reject) => {
      this.submit(command, options, { resolve, reject });
    });
  }

  /** See `MemberApi.submit`. */
  submit(command: Command, options: CallOptions, waiter: CommandWaiter): void {
    const { config, calls, state } = this.#options;
    config.metrics.proposalsTotal.inc();
    const refusal = this.#refusal();
    const level = levelNeeded(command);
    if (refusal !== undefined) {
      calls.rejectProposal(refusal, waiter);
    } else if (level <= state.machine.level) {
      this.#take(command, options, waiter);
    } else {
      void this.#takeAt(level, command, options, waiter);
    }
  }

  /** See `MemberApi.range`. */
  async range(range: RangeOperation, options: RangeOptions = {}): Promise<RangeAnswer> {
    const { integrity, state, auth } = this.#options;
    const { refusal } = integrity;
    if (refusal !== undefined) {
      return Promise.reject(refusal);
    }
    if (options.isSerializable === true) {
      await state.lane.upToDate();
      // It may have been found damaged meanwhile.
      this.checkState();
    } else {
      await this.confirmRead(options);
    }
    auth.checkRange(options.caller, range);
    const answer = await state.readRange(range, options);
    auth.checkRange(options.caller, range);
    return answer;
  }

  /** See `MemberApi.hasAnswered`. */
  async hasAnswered(id: RequestId, options: CallOptions = {}): Promise<boolean> {
    await this.confirmRead(options);
    return this.#options.state.hasAnswered(id);
  }

  /** See `MemberApi.confirmRead`. */
  async confirmRead(options: CallOptions = {}): Promise<void> {
    const { replica, calls, state, onAsked } = this.#options;
    if (this.#takes === 'nothing') {
      return Promise.reject(new KvError('STOPPED'));
    }
    this.checkState();
    const id = replica.maybeRead(this.#deadlineTick(options));
    if (id === undefined) {
      return Promise.reject(new KvError('TOO_MANY_REQUESTS'));
    }
    state.lane.wanted();
    onAsked();
    const confirmed = calls.addRead(id);
    const leave = onAbort(options.signal, () => {
      if (calls.hasRead(id)) {
        replica.cancelRead(id);
        calls.failReads([id], 'CANCELLED');
      }
    });
    await confirmed.finally(leave);
    // The state may have been found damaged meanwhile.
    this.checkState();
  }

  /** Resolves once a change of membership has taken effect. */
  async change(change: MembershipChange, options: CallOptions = {}): Promise<void> {
    const { replica, calls, onAsked } = this.#options;
    const refusal = this.#refusal();
    if (refusal !== undefined) {
      return Promise.reject(refusal);
    }
    const id = replica.maybeChangeMembership(change, this.#deadlineTick(options));
    if (id === undefined) {
      return Promise.reject(new KvError('TOO_MANY_REQUESTS'));
    }
    onAsked();
    return calls.addChange(id);
  }

  /** Answers those of whose calls a turn has told something. */
  answer(effects: Effects): void {
    const { calls, replica } = this.#options;
    calls.resolveReads(effects.releasedReads);
    calls.failReads(effects.expiredReads, 'TIMEOUT');
    for (const failure of effects.failures) {
      calls.failProposal(failure, replica.leader);
    }
    for (const result of effects.changeResults) {
      calls.endChange(result);
    }
  }

  /** Ends every call that waits for a turn, with its true outcome; nothing is taken any more. */
  end(): void {
    const { calls, replica } = this.#options;
    this.#takes = 'nothing';
    const { failures, changeResults } = replica.close();
    for (const failure of failures) {
      calls.failProposal(failure, replica.leader);
    }
    for (const result of changeResults) {
      calls.endChange(result);
    }
    calls.endReads();
  }

  /** @throws {KvError} UNHEALTHY — the state is damaged. */
  checkState(): void {
    const { quarantineRefusal } = this.#options.integrity;
    if (quarantineRefusal !== undefined) {
      throw quarantineRefusal;
    }
  }

  /** @throws {KvError} UNHEALTHY; STOPPED — the member does not serve yet, or no longer. */
  checkServing(): void {
    this.checkState();
    if (this.#takes !== 'everything') {
      throw new KvError('STOPPED');
    }
  }

  /** How long a call may take: as it says, but no longer than any may. */
  deadlineMs({ deadlineMs = Number.POSITIVE_INFINITY }: CallOptions): number {
    return Math.min(deadlineMs, this.#options.config.options.requestTimeoutMs);
  }

  #deadlineTick(options: CallOptions): number {
    const { config, replica } = this.#options;
    const ticks = this.deadlineMs(options) / config.options.tickMs;
    const whole = ticks < roundedDownTicks ? Math.ceil(ticks) : Math.floor(ticks);
    return replica.tickCount + Math.max(1, whole);
  }

  /** Waits a while for the feature level first; never rejects. */
  async #takeAt(
    needed: number,
    command: Command,
    options: CallOptions,
    waiter: CommandWaiter,
  ): Promise<void> {
    const { conditions, state, calls } = this.#options;
    const isActive = (): boolean => state.machine.level >= needed;
    try {
      await conditions.within(levelWaitMs, isActive);
      const refusal =
        this.#refusal() ?? (isActive() ? undefined : notActive(needed, state.machine));
      if (refusal === undefined) {
        this.#take(command, options, waiter);
      } else {
        calls.rejectProposal(refusal, waiter);
      }
    } catch (error) {
      waiter.reject(error);
    }
  }

  #take(command: Command, options: CallOptions, waiter: CommandWaiter): void {
    const { config, replica, calls, onAsked } = this.#options;
    const proposal = encodeCommandBehind(envelopeBytes, askedBy(options.caller, command));
    if (proposal.length - envelopeBytes > config.options.requestBytesMax) {
      calls.rejectProposal(new KvError('REQUEST_TOO_LARGE'), waiter);
      return;
    }
    const id = replica.maybePropose(proposal, this.#deadlineTick(options));
    if (id === undefined) {
      calls.rejectProposal(new KvError('TOO_MANY_REQUESTS'), waiter);
      return;
    }
    onAsked();
    if (options.signal === undefined) {
      calls.addProposal(id, replica.leader, waiter);
    } else {
      this.#addCancellable(id, options.signal, waiter);
    }
  }

  #addCancellable(id: ProposalId, signal: AbortSignal, waiter: CommandWaiter): void {
    const { replica, calls } = this.#options;
    let leave = (): void => undefined;
    calls.addProposal(id, replica.leader, {
      resolve: (result) => {
        leave();
        waiter.resolve(result);
      },
      reject: (error) => {
        leave();
        waiter.reject(error);
      },
    });
    leave = onAbort(signal, () => {
      const failure = replica.cancelProposal(id);
      if (failure !== undefined) {
        calls.failProposal(failure, replica.leader);
      }
    });
  }

  /** Why nothing can be changed now. */
  #refusal(): KvError | undefined {
    const { integrity, writer } = this.#options;
    if (this.#takes !== 'everything') {
      return new KvError('STOPPED');
    }
    if (writer.isDiskFull) {
      return new KvError('DISK_FULL');
    }
    // An alarm must not stop the command that lifts it: the state machine refuses what it must.
    return integrity.reason === undefined ? undefined : integrity.refusal;
  }
}

function notActive(needed: number, { level }: { readonly level: number }): KvError {
  return new KvError('FEATURE_NOT_ACTIVE', {
    message:
      `holdfast: this needs feature level ${needed}, and the cluster is at ${level}: it rises ` +
      'once every member is up and reads it (holdfast status -w fields; docs/upgrading.md)',
    details: { needed, level },
  });
}
