/**
 * Drill with real processes: leases through changes of leader, by death and by hand-over. None ends
 * early, none begins its time anew (G5), by the monotonic clock of this process.
 *
 * Half of the leases are renewed while leaders change; the others are left to end. `DRILL_LEASES`
 * and `DRILL_LEASE_CHANGES` set how many leases and changes there are.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { eventually } from '../harness/admin-client.ts';
import { connectLease, type LeaseClient } from '../harness/lease-client.ts';
import { Follower } from '../harness/watch-client.ts';
import { Drill } from './drill.ts';
import { LeaseLife, type Stalls } from './lease-life.ts';
import { describeDistribution, longestGapMs, returnsOf, stalledMs, WriteLoad } from './load.ts';

const leases = Number(process.env['DRILL_LEASES'] ?? 200);
const changes = Number(process.env['DRILL_LEASE_CHANGES'] ?? 3);
const prefix = 'lease/';
/** Of those that are left to end: as long as the changes last, and longer, so that some see all. */
const leftTtlSecondsMin = 4;
const leftTtlSecondsMax = 5 + changes;
const renewedTtlSeconds = 4;
const renewalMs = 1000;
const atOnce = 32;

/** Does something for each of `items`, `atOnce` at a time. */
async function forAll<T>(items: readonly T[], act: (item: T) => Promise<void>): Promise<void> {
  const left = items.values();
  const worker = async (): Promise<void> => {
    for (const item of left) {
      await act(item);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

function layOut(): { readonly left: LeaseLife[]; readonly renewed: LeaseLife[] } {
  const lives = Array.from({ length: leases }, (_, i) => {
    const spread = leftTtlSecondsMax - leftTtlSecondsMin + 1;
    const seconds = i % 2 === 0 ? leftTtlSecondsMin + ((i / 2) % spread) : renewedTtlSeconds;
    return new LeaseLife(String(1000 + i), `${prefix}${1000 + i}`, seconds * 1000);
  });
  return {
    left: lives.filter((_, i) => i % 2 === 0),
    renewed: lives.filter((_, i) => i % 2 === 1),
  };
}

/** Renews leases, each once in a while, on any member that answers. */
class Renewer {
  readonly #clients: readonly LeaseClient[];
  readonly #running: Promise<void>[] = [];
  #isStopped = false;
  renewals = 0;

  constructor(clients: readonly LeaseClient[]) {
    this.#clients = clients;
  }

  begin(life: LeaseLife): void {
    this.#running.push(this.#renew(life, this.#running.length));
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all(this.#running);
  }

  async #renew(life: LeaseLife, first: number): Promise<void> {
    await sleep((1 + (first % 10)) * (renewalMs / 10));
    for (let at = first; !this.#isStopped; ) {
      const answer = await life.renew(this.#clients[at % this.#clients.length] as LeaseClient);
      if (answer === 'ok') {
        this.renewals++;
        await sleep(renewalMs);
      } else if (answer === 'gone') {
        // Its end tells whether that was right.
        return;
      } else {
        at++;
        await sleep(20);
      }
    }
  }
}

/** Has another member lead: the leader dies, or hands over. */
async function changeLeader(drill: Drill, isDeath: boolean): Promise<void> {
  const before = await drill.leader();
  if (isDeath) {
    await drill.cluster.signal(before.index, 'SIGKILL');
  } else {
    await before.admin.moveLeader(drill.other(before).id);
  }
  await eventually(async () => {
    expect(await drill.leader()).not.toBe(before);
  }, 20_000);
  if (isDeath) {
    await drill.cluster.start(before.index);
    await before.client.waitUntilReady(20_000);
  }
}

test(`${leases} leases outlive ${changes} changes of leader: none ends early, none is renewed`, {
  timeout: 60_000 + changes * 20_000 + leftTtlSecondsMax * 1000,
}, async () => {
  const drill = await Drill.start(3);
  const clients = drill.cluster.endpoints.map(connectLease);
  const { left, renewed } = layOut();
  const livesByKey = new Map([...left, ...renewed].map((life) => [life.key, life]));
  const problems: string[] = [];
  const follower = new Follower(drill.cluster.endpoints, 0, {
    ...{ prefix, startRevision: 2, prevKv: false },
    onEvents: (events) => {
      for (const { type, key, isExpiry } of events) {
        const life = livesByKey.get(key);
        if (type === 'delete' && isExpiry && life !== undefined) {
          life.endedMs ??= performance.now();
        }
      }
    },
    onProblem: (problem) => problems.push(problem),
  });
  onTestFinished(async () => {
    await follower.stop();
    for (const client of clients) {
      client.close();
    }
  });
  const first = await drill.leader();
  const firstLeases = clients[first.index] as LeaseClient;
  const renewer = new Renewer(clients);
  await forAll([...livesByKey.values()], async (life) => {
    expect(await life.grant(firstLeases)).toBe('ok');
    const attached = { puts: [[life.key, 'held']], lease: life.id } as const;
    expect(await first.client.change(attached, 5000)).toMatchObject({ kind: 'ok' });
    if (renewed.includes(life)) {
      renewer.begin(life);
    }
  });
  const load = new WriteLoad(drill.clients, 2000);
  load.start(2, 'gap', 20);

  for (let change = 0; change < changes; change++) {
    await sleep(300);
    await changeLeader(drill, change % 2 === 0);
    const leader = clients[(await drill.leader()).index] as LeaseClient;
    const returns = returnsOf(load.record);
    const stalls: Stalls = (fromMs, toMs) => stalledMs(returns, fromMs, toMs);
    await forAll([...livesByKey.values()], async (life) => {
      const problem = await life.lookProblem(leader, stalls);
      problems.push(...(problem === undefined ? [] : [problem]));
    });
  }
  await renewer.stop();
  await eventually(
    () => {
      const going = [...livesByKey.values()].filter(({ endedMs }) => endedMs === undefined);
      expect(going.length, 'leases that have not ended').toBe(0);
      return Promise.resolve();
    },
    leftTtlSecondsMax * 1000 + 20_000,
  );
  await load.stop();

  const returns = returnsOf(load.record);
  const ends = [...livesByKey.values()].map((life) =>
    life.endProblem((fromMs, toMs) => stalledMs(returns, fromMs, toMs)),
  );
  problems.push(...ends.filter((problem) => problem !== undefined));
  expect(renewer.renewals).toBeGreaterThan(renewed.length);
  expect(problems).toEqual([]);
  const late = [...livesByKey.values()].flatMap(({ lateMs }) => lateMs ?? []);
  console.log(
    `${leases} leases, ${changes} changes of leader, ${renewer.renewals} renewals: ends seen ` +
      `after their time, ms ${describeDistribution(late)}; ` +
      `longest time without a write ${longestGapMs(returns).toFixed(0)} ms`,
  );
});
