/**
 * A leader that compacts by itself takes nothing of what is to be kept: not the newest revisions as
 * of the compaction's place in the log, and no state that was current within the time to be kept.
 *
 * The clocks of the members are the only excuse: that time counts by the fastest of them.
 */
import { holds } from '../failure.ts';
import type { LedgerModel, TrueEntry } from '../ledger-model.ts';
import type { Observer } from '../observer.ts';
import type { TimedCluster } from './lease-bounds.ts';

/** Readings of clocks are fractions of milliseconds. */
const slackUs = 2_000;

/** See the module comment. */
export class HistoryKept implements Observer {
  readonly name = 'history-kept';
  readonly #cluster: TimedCluster;
  /** Revisions in the order of their commitment, and what the fastest clock had counted then. */
  readonly #committed: { readonly fastUs: number; readonly revision: number }[] = [];
  #fastUs = 0;
  #atUs = 0;
  #rate = 0;

  constructor(cluster: TimedCluster, ledger: LedgerModel) {
    this.#cluster = cluster;
    if (cluster.parameters.retention !== undefined) {
      ledger.listen((entry) => {
        this.#note(entry);
      });
    }
  }

  stepped(): void {
    this.#count();
  }

  #count(): void {
    const { clock, members } = this.#cluster;
    let rate = 0;
    for (const { clockRate } of members.values()) {
      rate = Math.max(rate, clockRate);
    }
    // A rate may have changed since: the higher one counts for all of it.
    this.#fastUs += ((clock.nowUs - this.#atUs) * Math.max(rate, this.#rate)) / 1000;
    this.#atUs = clock.nowUs;
    this.#rate = rate;
  }

  #note({ command, result }: TrueEntry): void {
    this.#count();
    const { retention } = this.#cluster.parameters;
    const { revision } = result;
    if (command.type === 'compact' && result.kind === 'ok' && retention !== undefined) {
      const to = command.revision;
      const { keepMs, keepRevisions } = retention;
      holds(to <= revision - keepRevisions, this.name, () => {
        return `${keepRevisions} of ${revision} revisions are kept, and ${to} is compacted`;
      });
      const newest = this.#revisionAt(this.#fastUs - keepMs * 1000 + slackUs);
      holds(to <= newest, this.name, () => {
        return `${newest} was current within ${keepMs} ms, and ${to} is compacted`;
      });
    }
    // An answer that is repeated is of the revision at which it was given first.
    if (revision > (this.#committed.at(-1)?.revision ?? 0)) {
      this.#committed.push({ fastUs: this.#fastUs, revision });
    }
  }

  /** The newest revision that was committed by then. */
  #revisionAt(fastUs: number): number {
    return this.#committed.findLast((each) => each.fastUs <= fastUs)?.revision ?? 1;
  }
}
