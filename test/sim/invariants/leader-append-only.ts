/**
 * A leader never overwrites or deletes entries in its log; it only appends new entries (Raft thesis
 * §3.5, §3.6.3).
 */
import type { RaftStatus, StorageWrite } from '../../../src/raft/index.ts';
import { holds } from '../failure.ts';
import type { SimMember } from '../member.ts';
import type { Observer } from '../observer.ts';

/** See the module comment. */
export class LeaderAppendOnly implements Observer {
  readonly name = 'leader-append-only';

  stepped(member: SimMember, before: RaftStatus, after: RaftStatus): void {
    const isLeadership =
      before.role === 'leader' && after.role === 'leader' && before.term === after.term;
    holds(!isLeadership || after.lastIndex >= before.lastIndex, this.name, () => {
      return `leader ${member.id} cuts its log from ${before.lastIndex} to ${after.lastIndex}`;
    });
  }

  writing(member: SimMember, write: StorageWrite): void {
    const first = write.entries[0]?.index ?? 0;
    if (first === 0 || member.status?.role !== 'leader') {
      return;
    }
    const { lastIndex } = member.disk.log;
    holds(first > lastIndex, this.name, () => {
      return `leader ${member.id} overwrites entry ${first} of a log that ends at ${lastIndex}`;
    });
  }
}
