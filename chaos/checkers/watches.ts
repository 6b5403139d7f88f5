/**
 * What etcd promises of watches, for each watcher against the account of all: ordered, unique,
 * atomic, reliable, resumable, bookmarkable; and that versions and create revisions are what the
 * events add up to. (etcd API guarantees: Watch.)
 *
 * A watcher that has not caught up by the end proves nothing: that is `undecided`.
 */
import type { WatchEvent, WatchRecord, WatchStream } from '../history.ts';
import type { Finding, HistoryView } from './history-view.ts';

const check = 'watches';

/** Checks every stream of every watcher. */
export function checkWatches(view: HistoryView): readonly Finding[] {
  return [...view.watches.flatMap((watch) => checkWatcher(view, watch)), ...checkEvents(view)];
}

function checkWatcher(view: HistoryView, { watcher, streams }: WatchRecord): readonly Finding[] {
  const findings: Finding[] = [];
  const report = (message: string, kind: Finding['kind'] = 'violation') => {
    findings.push({ check, kind, message: `watcher ${watcher}: ${message}`, calls: [] });
  };
  let seen = 0;
  for (const stream of streams) {
    const problem = problemOf(view, stream);
    if (problem !== undefined) {
      report(problem);
    }
    if (stream.end === 'compacted') {
      const { compactRevision = 0, startRevision } = stream;
      if (startRevision > compactRevision) {
        report(`was refused from ${startRevision} on, though only ${compactRevision} is compacted`);
      }
      // What is compacted is not missed: the next stream begins behind it.
      seen = Math.max(seen, compactRevision);
    }
    seen = Math.max(seen, lastOf(stream));
  }
  const lastEvent = Math.max(0, ...view.events.keys());
  if (seen < lastEvent) {
    report(`has not caught up: it saw ${seen} of ${lastEvent}`, 'undecided');
  }
  return findings;
}

function problemOf(view: HistoryView, stream: WatchStream): string | undefined {
  let last = stream.startRevision - 1;
  let note = 0;
  const got: WatchEvent[] = [];
  for (const { revision, events } of stream.responses) {
    const [first] = events;
    if (first === undefined) {
      if (revision < note || revision < last) {
        return `a note of revision ${revision} came after ${Math.max(note, last)}`;
      }
      note = revision;
      continue;
    }
    if (first.modRevision <= note) {
      return `an event of ${first.modRevision} came after a note of ${note}`;
    }
    if (first.modRevision <= last) {
      return `an event of revision ${first.modRevision} came after ${last}: old, or split`;
    }
    const problem = disorderOf(events);
    if (problem !== undefined) {
      return problem;
    }
    got.push(...events);
    last = events.at(-1)?.modRevision ?? last;
  }
  return missingIn(view, stream.startRevision, Math.max(last, note), got);
}

function disorderOf(events: readonly WatchEvent[]): string | undefined {
  const seen = new Set<string>();
  let revision = 0;
  for (const { modRevision, key } of events) {
    if (modRevision < revision) {
      return `revision ${modRevision} came after ${revision}`;
    }
    revision = modRevision;
    const id = `${modRevision} ${key}`;
    if (seen.has(id)) {
      return `revision ${modRevision} of ${key} came twice`;
    }
    seen.add(id);
  }
  return undefined;
}

/** Everything from the start to the last revision that the stream vouches for must be there. */
function missingIn(
  { events }: HistoryView,
  from: number,
  to: number,
  got: readonly WatchEvent[],
): string | undefined {
  const byId = new Map(got.map((event) => [`${event.modRevision} ${event.key}`, event]));
  for (const [revision, changes] of events) {
    if (revision < from || revision > to) {
      continue;
    }
    for (const change of changes) {
      const event = byId.get(`${revision} ${change.key}`);
      if (event === undefined) {
        return `missed revision ${revision} of ${change.key}`;
      }
      if (JSON.stringify(event) !== JSON.stringify(change)) {
        return `revision ${revision} of ${change.key} differs from what others got`;
      }
    }
  }
  return undefined;
}

function lastOf({ startRevision, responses }: WatchStream): number {
  return responses.reduce(
    (last, { revision, events }) => Math.max(last, events.at(-1)?.modRevision ?? revision),
    startRevision - 1,
  );
}

/** Versions count the puts since a key's creation; the account tells each in turn. */
function checkEvents({ events }: HistoryView): readonly Finding[] {
  const findings: Finding[] = [];
  const present = new Map<string, WatchEvent>();
  for (const [revision, changes] of events) {
    for (const event of changes) {
      const { key, type, version, createRevision } = event;
      const before = present.get(key);
      const expectedCreate = before?.createRevision ?? revision;
      const expectedVersion = (before?.version ?? 0) + 1;
      const isWrong = createRevision !== expectedCreate || version !== expectedVersion;
      if (type === 'put' && isWrong) {
        const message =
          `revision ${revision} of ${key} has version ${version} since ${createRevision}, not ` +
          `${expectedVersion} since ${expectedCreate}`;
        findings.push({ check, kind: 'violation', message, calls: [] });
      }
      if (type === 'put') {
        present.set(key, event);
      } else {
        present.delete(key);
      }
    }
  }
  return findings;
}
