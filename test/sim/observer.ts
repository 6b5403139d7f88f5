/**
 * The moments of a run at which invariants look. Each invariant is a class in `invariants/` that
 * implements the methods it needs; `Observers` calls them in a fixed order.
 *
 * Every method is called after the fact and before anything of it reaches anybody else, so that a
 * violation stops the run where it happened. Checks look only at what has changed.
 */
import type { Message, RaftStatus, StorageWrite } from '../../src/raft/index.ts';
import type { GuardedRead, GuardedWatch } from './gate.ts';
import type { AppliedBatch, MemberWatcher, SimMember } from './member.ts';

/** See the module comment. */
export interface Observer {
  readonly name: string;
  /** The member has started, or started again. */
  started?(member: SimMember, status: RaftStatus): void;
  /** One input has been handled, or one turn. */
  stepped?(member: SimMember, before: RaftStatus, after: RaftStatus): void;
  /** A message has left. */
  sent?(member: SimMember, message: Message): void;
  /** A write is about to be handed to the disk. */
  writing?(member: SimMember, write: StorageWrite): void;
  /** Entries have been applied. */
  applied?(member: SimMember, batch: AppliedBatch): void;
  /** A snapshot has taken the place of state and log. */
  installed?(member: SimMember, index: number): void;
  /** Whether somebody may read a range has been decided; it is answered, or refused, at once. */
  read?(member: SimMember, read: GuardedRead): void;
  /** A watch begins, is refused, is about to tell events, or has been ended for who watches. */
  watched?(member: SimMember, watch: GuardedWatch): void;
  crashed?(member: SimMember): void;
}

type Moment = Exclude<keyof Observer, 'name'>;

/** Calls those that want to know. */
export class Observers implements MemberWatcher {
  readonly #byMoment: { readonly [M in Moment]: NonNullable<Observer[M]>[] } = {
    started: [],
    stepped: [],
    sent: [],
    writing: [],
    applied: [],
    installed: [],
    read: [],
    watched: [],
    crashed: [],
  };

  constructor(observers: readonly Observer[]) {
    for (const observer of observers) {
      for (const moment of Object.keys(this.#byMoment) as Moment[]) {
        if (observer[moment] !== undefined) {
          (this.#byMoment[moment] as unknown[]).push(observer[moment].bind(observer));
        }
      }
    }
  }

  started(member: SimMember, status: RaftStatus): void {
    for (const tell of this.#byMoment.started) {
      tell(member, status);
    }
  }

  stepped(member: SimMember, before: RaftStatus, after: RaftStatus): void {
    for (const tell of this.#byMoment.stepped) {
      tell(member, before, after);
    }
  }

  sent(member: SimMember, message: Message): void {
    for (const tell of this.#byMoment.sent) {
      tell(member, message);
    }
  }

  writing(member: SimMember, write: StorageWrite): void {
    for (const tell of this.#byMoment.writing) {
      tell(member, write);
    }
  }

  applied(member: SimMember, batch: AppliedBatch): void {
    for (const tell of this.#byMoment.applied) {
      tell(member, batch);
    }
  }

  installed(member: SimMember, index: number): void {
    for (const tell of this.#byMoment.installed) {
      tell(member, index);
    }
  }

  read(member: SimMember, read: GuardedRead): void {
    for (const tell of this.#byMoment.read) {
      tell(member, read);
    }
  }

  watched(member: SimMember, watch: GuardedWatch): void {
    for (const tell of this.#byMoment.watched) {
      tell(member, watch);
    }
  }

  crashed(member: SimMember): void {
    for (const tell of this.#byMoment.crashed) {
      tell(member);
    }
  }
}
