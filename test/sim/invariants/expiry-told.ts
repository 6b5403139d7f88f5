/**
 * What ends because its time is up says so in its event, and nothing else does: whoever watches can
 * tell a key that was deleted from one that was left alone.
 */
import { decodeCommand, HistoryEvent } from '../../../src/kv/index.ts';
import { mapKeyOf } from '../../../src/kv/key-layout.ts';
import { holds } from '../failure.ts';
import type { AppliedBatch, SimMember } from '../member.ts';
import type { Observer } from '../observer.ts';

/** See the module comment. */
export class ExpiryTold implements Observer {
  readonly name = 'expiry-told';
  #revision = 1;

  applied(_member: SimMember, batch: AppliedBatch): void {
    if (batch.revision <= this.#revision) {
      return;
    }
    for (const record of batch.events) {
      const event = new HistoryEvent(record);
      if (event.main > this.#revision) {
        const isByTime = event.isDelete && isEndOfTime(batch, event.main);
        holds(event.isExpiry === isByTime, this.name, () => {
          const what = event.isExpiry ? 'the end of its time' : 'no end of its time';
          return `the event of ${mapKeyOf(event.key)} at ${event.main} tells of ${what}`;
        });
      }
    }
    this.#revision = batch.revision;
  }
}

/** Whether the revision was made by a stamp of the time. */
function isEndOfTime({ entries, results }: AppliedBatch, revision: number): boolean {
  const at = results.findIndex((result) => (result?.revision ?? 0) >= revision);
  const command = entries[at]?.command ?? new Uint8Array();
  return command.length > 0 && decodeCommand(command).type === 'advanceTime';
}
