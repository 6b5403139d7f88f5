/**
 * Workloads on what belongs to somebody for a while: keys of leases, locks, elections.
 *
 * A lock of leases is no mutual exclusion, since its holder may be paused while its lease ends.
 * What must hold is fencing: whoever acts under a token acts only while it is the owner's, because
 * the store itself compares.
 */
import { checkFencing } from '../checkers/fencing.ts';
import { checkLeases } from '../checkers/leases.ts';
import type { CallRecord } from '../history.ts';
import type { Session } from './session.ts';
import type { Workload } from './workload.ts';

/** The shortest TTL that leaves room for a change of the leader. */
const ttlSeconds = 2;
/** How long somebody waits for an ownership. */
const waitMs = 3000;
const actionsMax = 5;

/** Keys that hang on leases, some kept alive for a while, some revoked. */
export function leases(): Workload {
  let serial = 0;
  return {
    name: 'lease',
    about: `keys on leases of ${ttlSeconds} s, kept alive for a while, left to end, or revoked`,
    servedPrefixes: ['lease/'],
    settleMs: 8000,
    restMs: 100,
    async step(session) {
      const lease = await grant(session);
      if (lease === undefined) {
        return;
      }
      const id = (serial += 1);
      for (const name of ['a', 'b']) {
        const key = `lease/${id}-${name}`;
        await session.call({ type: 'putWithLease', key, value: `${id}`, lease });
      }
      for (let i = session.prng.nextInt(0, 4); i > 0 && !session.isStopped; i--) {
        await rest(500);
        await session.call({ type: 'leaseKeepAlive', lease });
      }
      await session.call({ type: 'leaseTimeToLive', lease });
      await session.call({ type: 'range', key: 'lease/', rangeEnd: 'lease0' });
      if (session.prng.nextInt(0, 100) < 25) {
        await session.call({ type: 'leaseRevoke', lease });
      }
    },
    check: checkLeases,
  };
}

/** Critical sections under a lock, whose writes are fenced. */
export function locks(): Workload {
  let serial = 0;
  return {
    name: 'lock',
    about: 'critical sections under one lock; their writes compare the fencing token',
    servedPrefixes: ['lock/'],
    restMs: 20,
    settleMs: 4000,
    async step(session) {
      await ownAndAct(
        session,
        async (lease) => session.call({ type: 'lock', name: 'lock/it', lease }, waitMs),
        () => `f${(serial += 1)}`,
        'fenced/lock',
      );
    },
    check: (view) => checkFencing(view, 'lock/', 'fenced/'),
  };
}

/** Candidates that lead for a while and act in their leadership. */
export function elections(): Workload {
  let serial = 0;
  return {
    name: 'election',
    about: 'candidates who lead for a while; what they do compares their leadership',
    servedPrefixes: ['election/'],
    restMs: 20,
    settleMs: 4000,
    async step(session, worker) {
      const name = 'election/it';
      await ownAndAct(
        session,
        async (lease) =>
          session.call({ type: 'campaign', name, lease, value: `worker ${worker}` }, waitMs),
        () => `e${(serial += 1)}`,
        'fenced/election',
        name,
      );
    },
    check: (view) => checkFencing(view, 'election/', 'fenced/'),
  };
}

async function ownAndAct(
  session: Session,
  acquire: (lease: string) => Promise<CallRecord>,
  next: () => string,
  key: string,
  electionName?: string,
): Promise<void> {
  await session.call({ type: 'range', key });
  const lease = await grant(session);
  if (lease === undefined) {
    return;
  }
  const { result } = await acquire(lease);
  if (result?.type === 'owned') {
    for (let i = session.prng.nextInt(1, actionsMax); i > 0 && !session.isStopped; i--) {
      await session.call({
        type: 'txn',
        compare: [{ key: result.key, target: 'create', result: 'equal', operand: result.token }],
        success: [{ type: 'put', key, value: `${result.token} ${next()}` }],
        failure: [],
      });
    }
    if (electionName === undefined) {
      await session.call({ type: 'unlock', key: result.key });
    } else {
      const { key: own, token } = result;
      await session.call({ type: 'resign', name: electionName, key: own, token });
    }
  }
  // Most give back what they have; the others leave it to the lease.
  if (session.prng.nextInt(0, 100) < 80) {
    await session.call({ type: 'leaseRevoke', lease });
  }
}

async function grant(session: Session): Promise<string | undefined> {
  const { result } = await session.call({ type: 'leaseGrant', ttlSeconds });
  return result?.type === 'lease' ? result.lease : undefined;
}

async function rest(delayMs: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, delayMs));
}
