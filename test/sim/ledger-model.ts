/**
 * What the ledger says, carried out by the naive twin of the state machine (`test/kv/model.ts`),
 * one command at a time: the truth that members, and in the end clients, are compared with.
 */
import { must } from '../../src/base/index.ts';
import { type Command, type CommandResult, decodeCommand } from '../../src/kv/index.ts';
import { mapKeyOf } from '../../src/kv/key-layout.ts';
import { decodeEnvelope } from '../../src/replica/proposals.ts';
import { Model } from '../kv/model.ts';
import { holds } from './failure.ts';
import type { Ledger } from './ledger.ts';
import type { AppliedBatch, SimMember } from './member.ts';
import type { Observer } from './observer.ts';

/** A committed command and what it gives. */
export interface TrueEntry {
  readonly index: number;
  readonly committedUs: number;
  readonly command: Command;
  readonly result: CommandResult;
}

/** Told of each entry once the model has carried it out. */
export type EntryListener = (entry: TrueEntry, model: Model) => void;

/** See the module comment. */
export class LedgerModel implements Observer {
  readonly name = 'state-machine';
  readonly model = new Model();
  readonly #ledger: Ledger;
  readonly #listeners: EntryListener[] = [];
  /** By index; undefined for entries that carry no command. */
  readonly #entries: (TrueEntry | undefined)[] = [];
  #comparedIndex = 0;

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
      const command = decodeCommand(decodeEnvelope(entry.data).command);
      const result = this.model.apply(command);
      const known = { index: entry.index, committedUs, command, result };
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
