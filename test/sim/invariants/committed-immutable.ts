/**
 * A committed entry is never taken back: no disk that holds it overwrites it (Raft thesis §3.6.3;
 * §3.5: "committed entries are durable").
 *
 * It binds members that have reached the term in which the entry was committed. One that has not
 * may hold a copy from before, which no leader of that term has counted, and may still hear of a
 * leader deposed meanwhile, whose entries take the copy's place for a while.
 */
import type { StorageWrite } from '../../../src/raft/index.ts';
import { holds } from '../failure.ts';
import type { Ledger } from '../ledger.ts';
import type { SimMember } from '../member.ts';
import type { Observer } from '../observer.ts';

/** See the module comment. */
export class CommittedImmutable implements Observer {
  readonly name = 'committed-immutable';
  readonly #ledger: Ledger;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  writing(member: SimMember, write: StorageWrite): void {
    const first = write.entries[0];
    if (first !== undefined && first.index <= this.#ledger.commitIndex) {
      const { log } = member.disk;
      const slot = this.#ledger.at(first.index);
      const term = write.hardState?.currentTerm ?? log.hardState.currentTerm;
      const isHeld =
        slot !== undefined &&
        term >= slot.commitTerm &&
        log.termAt(first.index) === slot.entry.term;
      holds(!isHeld || first.term === slot.entry.term, this.name, () => {
        return (
          `member ${member.id} replaces committed ` +
          `${first.index}/${slot?.entry.term ?? 0} by ${first.index}/${first.term}`
        );
      });
      const lastBefore = Math.min(log.lastIndex, this.#ledger.commitIndex);
      const lastAfter = write.entries.at(-1)?.index ?? 0;
      const last = this.#ledger.at(lastBefore);
      const heldLast =
        last !== undefined && term >= last.commitTerm && log.termAt(lastBefore) === last.entry.term;
      holds(!heldLast || lastAfter >= lastBefore, this.name, () => {
        return (
          `member ${member.id} cuts its log to ` + `${lastAfter}, and holds committed ${lastBefore}`
        );
      });
    }
    const { install } = write;
    if (install !== undefined) {
      const slot = this.#ledger.at(install.index);
      holds(slot?.entry.term === install.term, this.name, () => {
        return (
          `member ${member.id} installs ` +
          `${install.index}/${install.term}, which is not committed`
        );
      });
    }
  }
}
