/**
 * What clients did and what they were told: the only thing that a client, unlike the observer, can
 * judge the cluster by. It is what the checkers of `chaos/checkers` are given.
 */
import type {
  AdvanceTimeCommand,
  AlarmCommand,
  SetRecordCommand,
  Command,
  CommandResult,
  RangeOperation,
  RangeResult,
} from '../../src/kv/index.ts';

/** What a client asked for. */
export type Request =
  | {
      readonly type: 'command';
      readonly command: Exclude<Command, SetRecordCommand | AlarmCommand | AdvanceTimeCommand>;
    }
  | { readonly type: 'range'; readonly range: RangeOperation; readonly isSerializable: boolean };

/**
 * What became of it. `fail`: it surely had no effect; `unknown`: nobody knows, it may still happen.
 */
export type Outcome =
  | { readonly kind: 'applied'; readonly result: CommandResult; readonly index: number }
  | { readonly kind: 'read'; readonly revision: number; readonly result: RangeResult }
  | { readonly kind: 'fail'; readonly reason: string }
  | { readonly kind: 'unknown'; readonly reason: string };

/** One call of one client. */
export interface Operation {
  readonly client: number;
  /** On whose behalf; undefined of clients without an account. */
  readonly user: string | undefined;
  readonly request: Request;
  readonly invokedUs: number;
  completedUs: number | undefined;
  outcome: Outcome;
  /** The member that gave the last answer. */
  member: number;
}
