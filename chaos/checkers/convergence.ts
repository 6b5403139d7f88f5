/**
 * When everything has healed, all members have the same: the same hash of the keyspace at the same
 * revision, and none has ended by itself on the way.
 */
import type { Finding, HistoryView } from './history-view.ts';

const check = 'convergence';

/** Compares hashes, and reports processes that ended unasked. */
export function checkConvergence(view: HistoryView): readonly Finding[] {
  const findings: Finding[] = [];
  const report = (message: string, kind: Finding['kind'] = 'violation') => {
    findings.push({ check, kind, message, calls: [] });
  };
  for (const { member, atMs, how } of view.crashes) {
    report(`${member} ended by itself after ${Math.round(atMs)} ms: ${how}`);
  }
  const [first, ...others] = view.hashes;
  for (const member of view.members) {
    if (!view.hashes.some((hash) => hash.member === member)) {
      report(`${member} told no hash`, 'undecided');
    }
  }
  for (const other of others) {
    if (first === undefined) {
      break;
    }
    const isComparable =
      other.revision === first.revision && other.compactRevision === first.compactRevision;
    if (!isComparable) {
      report(
        `${other.member} is at revision ${other.revision} (compacted ${other.compactRevision}), ` +
          `${first.member} at ${first.revision} (compacted ${first.compactRevision})`,
        'undecided',
      );
    } else if (other.hash !== first.hash) {
      report(`${first.member} and ${other.member} differ at revision ${first.revision}`);
    }
  }
  return findings;
}
