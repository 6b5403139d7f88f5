/**
 * The bounds of leases, with the test's clock. Members count by theirs: where these go at rates of
 * their own (nemesis `clock-drift`), a TTL is as long as the fastest and the slowest make it.
 *
 * - never early: while the last acknowledged grant or keep-alive was called less than a TTL ago, no
 *   key of the lease is gone;
 * - not for ever: what nobody renews is gone when the run ends, which is long enough after;
 * - at once: all keys of a lease that ends go in one revision;
 * - no ghosts: nothing is put on a lease after its end;
 * - what a lease has left is never more than it was granted.
 */
import type { CallRecord } from '../history.ts';
import { type Finding, type HistoryView, stateAt } from './history-view.ts';

const check = 'leases';

/** Clocks that nobody has bent may differ so much from the test's over a TTL. */
const toleranceMs = 100;
/** After its TTL, a lease may live on for the grain of the cluster's time, and a fail-over. */
const afterlifeMs = 4000;

interface Lease {
  readonly id: string;
  readonly ttlMs: number;
  /** Calls that renewed it for sure. */
  readonly renewals: CallRecord[];
  /** When anything that may have renewed it came back. */
  lastRenewalMs: number;
  readonly puts: { readonly call: CallRecord; readonly key: string }[];
  /** When somebody first asked to revoke it. */
  revokedMs: number;
}

/** Checks every lease that was granted for sure. */
export function checkLeases(view: HistoryView): readonly Finding[] {
  const findings: Finding[] = [];
  const report = (message: string, calls: readonly CallRecord[]) => {
    findings.push({ check, kind: 'violation', message, calls: calls.map(({ id }) => id) });
  };
  const { slowest, fastest } = view.clockRates;
  const endMs = Math.max(0, ...view.calls.map(({ returnMs }) => returnMs));
  const left = stateAt(view);
  const deletions = deletionsByKey(view);
  for (const lease of collectLeases(view, report).values()) {
    const ends = new Set<number>();
    const leastMs = lease.ttlMs / fastest;
    const mostMs = (lease.ttlMs + afterlifeMs) / slowest;
    for (const { call, key } of lease.puts) {
      const deletion = deletions.get(key);
      const isOver = lease.lastRenewalMs + mostMs < endMs;
      if (left.has(key) && isOver) {
        report(`${key} outlives its lease ${lease.id}`, [call]);
      }
      if (deletion === undefined) {
        continue;
      }
      ends.add(deletion.revision);
      const renewal = lease.renewals.findLast((each) => each.callMs < deletion.seenMs);
      const dueMs = (renewal?.callMs ?? 0) + leastMs - toleranceMs;
      if (deletion.seenMs < Math.min(dueMs, lease.revokedMs)) {
        const early = Math.round(dueMs - deletion.seenMs);
        report(`${key} was gone ${early} ms before its lease could end`, [call]);
      }
      if (call.outcome === 'ok' && (call.revision ?? 0) > deletion.revision) {
        report(`${key} was put on a lease that had ended at ${deletion.revision}`, [call]);
      }
    }
    if (ends.size > 1) {
      const at = Array.from(ends).join(', ');
      report(`the keys of lease ${lease.id} went at several revisions: ${at}`, []);
    }
  }
  return findings;
}

function collectLeases(
  view: HistoryView,
  report: (message: string, calls: readonly CallRecord[]) => void,
): ReadonlyMap<string, Lease> {
  const leases = new Map<string, Lease>();
  for (const call of view.calls) {
    const { request, result, outcome } = call;
    if (request.type === 'leaseGrant' && result?.type === 'lease') {
      leases.set(result.lease, {
        id: result.lease,
        ttlMs: result.ttlSeconds * 1000,
        renewals: [call],
        lastRenewalMs: call.returnMs,
        puts: [],
        revokedMs: Number.POSITIVE_INFINITY,
      });
      continue;
    }
    const lease = 'lease' in request ? leases.get(request.lease) : undefined;
    if (lease === undefined) {
      continue;
    }
    if (request.type === 'leaseRevoke' && outcome !== 'fail') {
      lease.revokedMs = Math.min(lease.revokedMs, call.callMs);
    }
    if (request.type === 'putWithLease' && outcome !== 'fail') {
      lease.puts.push({ call, key: request.key });
    }
    if (result?.type === 'lease' && result.ttlSeconds * 1000 > lease.ttlMs) {
      report(`lease ${lease.id} has ${result.ttlSeconds} s left, more than granted`, [call]);
    }
    if (request.type === 'leaseKeepAlive' && outcome !== 'fail') {
      lease.lastRenewalMs = Math.max(lease.lastRenewalMs, call.returnMs);
      if (result?.type === 'lease' && result.ttlSeconds > 0) {
        lease.renewals.push(call);
      }
    }
  }
  return leases;
}

function deletionsByKey(view: HistoryView) {
  const deletions = new Map<string, { readonly revision: number; readonly seenMs: number }>();
  for (const [revision, events] of view.events) {
    for (const { type, key } of events) {
      if (type === 'delete') {
        deletions.set(key, { revision, seenMs: view.seenMs.get(revision) ?? 0 });
      }
    }
  }
  return deletions;
}
