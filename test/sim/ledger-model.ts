/**
 * What the ledger says, carried out by the naive twin of the state machine (`test/kv/model.ts`),
 * one command at a time: the truth that members, and in the end clients, are compared with.
 */
import { type ErrorCode, must } from '../../src/base/index.ts';
import { type Caller, type CommandResult, decodeCommand } from '../../src/kv/index.ts';
import { mapKeyOf } from '../../src/kv/key-layout.ts';
import { decodeEnvelope } from '../../src/replica/proposals.ts';
import { type AuthModel, type BareCommand, universeOf } from '../kv/auth-model.ts';
import { bareOf, Model } from '../kv/model.ts';
import { holds } from './failure.ts';
import type { Ledger } from './ledger.ts';
import type { AppliedBatch, SimMember } from './member.ts';
import type { Observer } from './observer.ts';
import { boundaryKeys } from './permissions.ts';

/** A committed command and what it gives. */
export interface TrueEntry {
  readonly index: number;
  readonly committedUs: number;
  readonly command: BareCommand;
  /** On whose behalf; undefined: nobody's. */
  readonly caller: Caller | undefined;
  /** Why it must not be carried out, by the users and roles at its place in the log. */
  readonly refusal: ErrorCode | undefined;
  readonly result: CommandResult;
}

/** Told of each entry once the model has carried it out. */
export type EntryListener = (entry: TrueEntry, model: Model) => void;

/** See the module comment. */
export class LedgerModel implements Observer {
  readonly name = 'state-machine';
  readonly model = new Model(universeOf(boundaryKeys));
  readonly #ledger: Ledger;
  readonly #listeners: EntryListener[] = [];
  /** By index; undefined for entries that carry no command. */
  readonly #entries: (TrueEntry | undefined)[] = [];
  #comparedIndex = 0;
  /** Users and roles from an index on, ascending. */
  readonly #auths: { readonly index: number; readonly auth: AuthModel }[] = [];

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  listen(listener: EntryListener): void {
    this.#listeners.push(listener);
  }

  /** All committed commands, in order. */
  get entries(): readonly TrueEntry[] {
    this.#follow();
    return this.#entries.filter((entry) => entry !== undefined);
  }

  /** Whether any entry has been about users. */
  get hasUsers(): boolean {
    return this.#auths.length > 0;
  }

  /** Of a committed index; undefined for an entry that carries no command. */
  at(index: number): TrueEntry | undefined {
    this.#follow();
    return this.#entries[index - 1];
  }

  /** Users and roles once the entry at `index` is applied; undefined before the first change. */
  authAt(index: number): AuthModel | undefined {
    this.#follow();
    return this.#auths.findLast((each) => each.index <= index)?.auth;
  }

  /** Users and roles as they are at one index after the other, from `from` through `through`. */
  authsWithin(from: number, through: number): readonly (AuthModel | undefined)[] {
    const first = this.authAt(from);
    const later = this.#auths.filter(({ index }) => index > from && index <= through);
    return [first, ...later.map(({ auth }) => auth)];
  }

  stepped(): void {
    this.#follow();
  }

  /** The first member that applies an entry must get what the model got. */
  applied(member: SimMember, { entries, results }: AppliedBatch): void {
    this.#follow();
    for (const [at, { index }] of entries.entries()) {
      if (index > this.#comparedIndex) {
        this.#comparedIndex = index;
        const told = describe(results[at]);
        const expected = this.#entries[index - 1];
        const truly = describe(expected?.result);
        holds(told === truly, this.name, () => {
          const what = describe(expected?.command);
          return `entry ${index}, ${what}, gives ${told} at ${member.id}; it is ${truly}`;
        });
      }
    }
  }

  #follow(): void {
    while (this.#entries.length < this.#ledger.commitIndex) {
      const slot = must(this.#ledger.slots[this.#entries.length], 'a committed entry');
      const { entry, committedUs } = slot;
      if (entry.type !== 'normal' || entry.data.length === 0) {
        this.#entries.push(undefined);
        continue;
      }
      const asked = decodeCommand(decodeEnvelope(entry.data).command);
      const { index } = entry;
      const command = bareOf(asked);
      const caller = asked.type === 'as' ? asked.caller : undefined;
      const refusal = this.model.refusal(asked);
      const result = this.model.apply(asked);
      if (command.type === 'auth') {
        this.#auths.push({ index, auth: this.model.auth.copy() });
      }
      const known = { index, committedUs, command, caller, refusal, result };
      this.#entries.push(known);
      for (const listener of this.#listeners) {
        listener(known, this.model);
      }
    }
  }
}

/** Plain data as text, in one order of fields, bytes as their characters. */
export function describe(value: unknown): string {
  if (value instanceof Uint8Array) {
    return mapKeyOf(value);
  }
  if (Array.isArray(value)) {
    return `[${value.map(describe).join(' ')}]`;
  }
  if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value)
      .filter(([, each]) => each !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${fields.map(([field, each]) => `${field}=${describe(each)}`).join(' ')}}`;
  }
  return String(value);
}
