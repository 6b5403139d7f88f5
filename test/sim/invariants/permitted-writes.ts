/**
 * Nothing is carried out whose caller had no permission by the users and roles at its place in the
 * log, and nothing is refused that was permitted there: on every member, whatever it had batched,
 * cached or read from a snapshot, and whatever the member knew that has proposed it (ADR-016).
 *
 * Two looks: at the result of each entry, and at what has been written, by key and revision.
 */
import { must } from '../../../src/base/index.ts';
import { HistoryEvent } from '../../../src/kv/index.ts';
import { mapKeyOf } from '../../../src/kv/key-layout.ts';
import { holds } from '../failure.ts';
import { describe, type LedgerModel } from '../ledger-model.ts';
import type { AppliedBatch, SimMember } from '../member.ts';
import type { Observer } from '../observer.ts';

/** What somebody is told who may not do a thing, or is nobody. */
const denials = [
  ...['PERMISSION_DENIED', 'SESSION_OF_ANOTHER', 'USER_EMPTY', 'INVALID_AUTH_TOKEN'],
];

/** See the module comment. */
export class PermittedWrites implements Observer {
  readonly name = 'permitted-writes';
  readonly #ledger: LedgerModel;

  constructor(ledger: LedgerModel) {
    this.#ledger = ledger;
  }

  applied(member: SimMember, { entries, results, events }: AppliedBatch): void {
    if (!this.#ledger.hasUsers) {
      return;
    }
    for (const [at, { index }] of entries.entries()) {
      const entry = this.#ledger.at(index);
      if (entry !== undefined) {
        const result = must(results[at], 'the result of a command');
        const code = result.kind === 'refused' && denials.includes(result.code) ? result.code : '';
        holds(code === (entry.refusal ?? ''), this.name, () => {
          const { command, caller } = entry;
          const who = `${caller?.user ?? 'nobody'}, of ${caller?.credentials ?? 0}`;
          return (
            `${member.id} ${code === '' ? 'carries out' : `refuses (${code})`} entry ${index}, ` +
            `${describe(command)} of ${who}; at its place it is ${entry.refusal ?? 'permitted'}`
          );
        });
      }
    }
    for (const record of events) {
      this.#look(member, new HistoryEvent(record));
    }
  }

  /** What is written is what the permitted commands of the log write. */
  #look(member: SimMember, event: HistoryEvent): void {
    const { key, main, isDelete } = event;
    const { model } = this.#ledger;
    const [kv] = main <= model.revision ? model.keysAt({ key }, main) : [];
    const isTrue =
      main <= model.revision && (isDelete ? kv === undefined : kv?.modRevision === main);
    holds(isTrue, this.name, () => {
      const what = `${isDelete ? 'deletes' : 'writes'} ${mapKeyOf(key)} at ${main}`;
      return `${member.id} ${what}, which no permitted command of the log does`;
    });
  }
}
