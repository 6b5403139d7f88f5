/**
 * If two logs contain an entry with the same index and term, then the logs are identical in all
 * entries up through the given index (Raft thesis §3.5, §3.6.3).
 *
 * Checked by induction, on each entry as it is written: everybody who has an entry of this index
 * and term has the same bytes there and, before it, an entry of the same term.
 */
import { equalBytes } from '../../../src/base/index.ts';
import type { Entry, StorageWrite } from '../../../src/raft/index.ts';
import { holds } from '../failure.ts';
import type { SimMember } from '../member.ts';
import type { Observer } from '../observer.ts';

interface Variant {
  readonly entry: Entry;
  readonly prevTerm: number;
}

/** See the module comment. */
export class LogMatching implements Observer {
  readonly name = 'log-matching';
  readonly #variantsByIndex: (Variant[] | undefined)[] = [];

  writing(member: SimMember, write: StorageWrite): void {
    let prevTerm = member.disk.log.termAt((write.entries[0]?.index ?? 0) - 1) ?? 0;
    for (const entry of write.entries) {
      this.#note(member, entry, prevTerm);
      prevTerm = entry.term;
    }
  }

  #note(member: SimMember, entry: Entry, prevTerm: number): void {
    const variants = (this.#variantsByIndex[entry.index] ??= []);
    const known = variants.find((variant) => variant.entry.term === entry.term);
    if (known === undefined) {
      variants.push({ entry, prevTerm });
      return;
    }
    const name = `${entry.index}/${entry.term}`;
    holds(known.prevTerm === prevTerm, this.name, () => {
      return (
        `before entry ${name} member ${member.id} ` +
        `has term ${prevTerm}, others ${known.prevTerm}`
      );
    });
    const isSame =
      known.entry === entry ||
      (known.entry.type === entry.type && equalBytes(known.entry.data, entry.data));
    holds(isSame, this.name, () => `entry ${name} of member ${member.id} differs from the others'`);
  }
}
