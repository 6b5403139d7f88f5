/**
 * If a server has applied a log entry at a given index to its state machine, no other server will
 * ever apply a different log entry for the same index (Raft thesis §3.6.3); and, since state
 * machines are deterministic (§2.1), each gives the same result and has the same state after it.
 *
 * Entries are applied in order, without gaps, and none again that the state already holds.
 */
import type { AppliedEntry, CommandResult } from '../../../src/kv/index.ts';
import { decodeEnvelope } from '../../../src/replica/proposals.ts';
import { equalBytes } from '../../../src/base/index.ts';
import { digestOf } from '../digest.ts';
import { holds } from '../failure.ts';
import type { Ledger } from '../ledger.ts';
import type { AppliedBatch, SimMember } from '../member.ts';
import type { Observer } from '../observer.ts';

/** See the module comment. */
export class StateMachineSafety implements Observer {
  readonly name = 'state-machine-safety';
  readonly #ledger: Ledger;
  readonly #appliedById = new Map<number, number>();

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  started(member: SimMember): void {
    const { index, term } = member.run.stateMachine.lastApplied;
    this.#appliedById.set(member.id, index);
    const slot = this.#ledger.at(index);
    holds(index === 0 || slot?.entry.term === term, this.name, () => {
      return `the state of ${member.id} is at ${index}/${term}, which is not committed`;
    });
    this.#checkHash(member, index);
  }

  installed(member: SimMember, index: number): void {
    this.#appliedById.set(member.id, index);
    this.#checkHash(member, index);
  }

  applied(member: SimMember, { entries, results, revision }: AppliedBatch): void {
    for (const [i, entry] of entries.entries()) {
      this.#checkEntry(member, entry, results[i]);
    }
    const last = entries.at(-1)?.index ?? 0;
    const slot = this.#ledger.at(last);
    if (slot !== undefined) {
      slot.revision ??= revision;
      holds(slot.revision === revision, this.name, () => {
        return (
          `after ${last} ${member.id} is at revision ` +
          `${revision}, others at ${slot.revision ?? 0}`
        );
      });
    }
    this.#checkHash(member, last);
  }

  #checkEntry(member: SimMember, entry: AppliedEntry, result: CommandResult | undefined): void {
    const { index, term } = entry;
    const before = this.#appliedById.get(member.id) ?? 0;
    holds(index === before + 1, this.name, () => `${member.id} applies ${index} after ${before}`);
    this.#appliedById.set(member.id, index);
    const slot = this.#ledger.at(index);
    if (slot === undefined) {
      holds(false, this.name, () => `${member.id} applies ${index}, which is not committed`);
      return;
    }
    holds(slot.entry.term === term && isCommandOf(slot.entry.data, entry), this.name, () => {
      return `${member.id} applies another entry at ${index}/${term} than was committed`;
    });
    const digest = digestOf(result);
    slot.resultDigest ??= digest;
    holds(slot.resultDigest === digest, this.name, () => {
      return `entry ${index} gives another result on ${member.id} than elsewhere`;
    });
  }

  /** Right after a batch, the hash is known at its last entry. */
  #checkHash(member: SimMember, index: number): void {
    const { stateHash } = member.run.stateMachine;
    const slot = this.#ledger.at(index);
    if (slot === undefined || stateHash.index !== index) {
      return;
    }
    slot.stateHash ??= stateHash.hash;
    holds(slot.stateHash === stateHash.hash, this.name, () => {
      return `after ${index} the state of ${member.id} has another hash than elsewhere`;
    });
  }
}

function isCommandOf(data: Uint8Array, entry: AppliedEntry): boolean {
  if (entry.membership !== undefined) {
    return equalBytes(data, entry.membership);
  }
  const command = data.length === 0 ? data : decodeEnvelope(data).command;
  return equalBytes(command, entry.command);
}
