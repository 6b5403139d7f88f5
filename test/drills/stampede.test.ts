/**
 * Drill with real processes: many connections ask one leader for far more than it takes at once,
 * and come again at once when they are refused. It must go on leading and serving, keep the leases
 * of those who renew them, and use no more memory for it than its limits say.
 *
 * `DRILL_STAMPEDE_SECONDS` sets how long.
 */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { credentials, makeClientConstructor } from '@grpc/grpc-js';
import { expect, onTestFinished, test } from 'vitest';
import { type LeaseClient, services } from '../../src/wire/index.ts';
import { connectKv } from '../harness/kv-client.ts';
import { samplesOf } from '../observability/exposition.ts';
import { Drill, type Seat } from './drill.ts';
import { WriteLoad } from './load.ts';

const stampedeSeconds = Number(process.env['DRILL_STAMPEDE_SECONDS'] ?? 3);
const connections = 20;
const writers = 1000;
const inflightMax = 200;
/** What so many calls under way, and the books of a busy member, may take; measured: far less. */
const memoryGrowthMax = 256 * 1024 * 1024;
const renewalPeriodMs = 200;
const leaseSeconds = 2;

const args = [
  `--max-inflight-requests=${inflightMax}`,
  // The writers are on the same machine, and have no mercy with it.
  ...['--heartbeat-interval=200', '--election-timeout=2000'],
];

async function metric(drill: Drill, { index }: Seat, sample: string): Promise<number> {
  const port = drill.cluster.members[index]?.metricsPort ?? 0;
  const response = await fetch(`http://127.0.0.1:${port}/metrics`);
  const values = samplesOf(await response.text())
    .filter(({ name, labels }) => `${name}{${labels}}`.startsWith(sample))
    .map(({ value }) => value);
  return values.reduce((sum, value) => sum + value, 0);
}

/** A lease that its owner renews until it is told to stop; how often that has worked. */
class RenewedLease {
  readonly #client: LeaseClient;
  renewals = 0;
  #isStopped = false;

  constructor(endpoint: string) {
    const Lease = makeClientConstructor(services['etcdserverpb.Lease'], 'Lease');
    this.#client = new Lease(endpoint, credentials.createInsecure()) as unknown as LeaseClient;
  }

  async grant(): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#client.LeaseGrant({ TTL: leaseSeconds }, (error, lease) => {
        if (error === null && lease !== undefined) {
          resolve(lease.ID);
        } else {
          reject(error ?? new Error('no lease'));
        }
      });
    });
  }

  /** Ends with what the last renewal left of the lease: 0 when it was gone. */
  async renew(id: string): Promise<number> {
    const stream = this.#client.LeaseKeepAlive();
    let ttl = 0;
    while (!this.#isStopped) {
      stream.write({ ID: id });
      const [answer] = (await once(stream, 'data')) as [{ readonly TTL: string }];
      ttl = Number(answer.TTL);
      this.renewals++;
      await sleep(renewalPeriodMs);
    }
    stream.end();
    return ttl;
  }

  stop(): void {
    this.#isStopped = true;
  }

  close(): void {
    this.#client.close();
  }
}

test(`a stampede of ${writers} writers for ${stampedeSeconds} s is shed by a leader that goes on`, {
  timeout: 90_000 + stampedeSeconds * 5000,
}, async () => {
  const drill = await Drill.start(3, args);
  const leader = await drill.leader();
  const endpoint = drill.cluster.endpoints[leader.index] ?? '';
  const before = await leader.admin.status();
  const memoryBefore = await metric(drill, leader, 'holdfast_process_resident_memory_bytes');
  const lease = new RenewedLease(endpoint);
  const id = await lease.grant();
  const renewing = lease.renew(id);
  const stampede = Array.from({ length: connections }, () => connectKv(endpoint));
  const decentClient = connectKv(endpoint);
  onTestFinished(() => {
    for (const client of [...stampede, decentClient, lease]) {
      client.close();
    }
  });
  const load = new WriteLoad(stampede, 20_000);
  load.start(writers, 'stampede');
  const decent = new WriteLoad([decentClient], 20_000);
  decent.start(1, 'decent');

  let memory = 0;
  let inflight = 0;
  for (let i = 0; i < 4 * stampedeSeconds; i++) {
    await sleep(250);
    memory = Math.max(
      memory,
      await metric(drill, leader, 'holdfast_process_resident_memory_bytes'),
    );
    inflight = Math.max(inflight, await metric(drill, leader, 'holdfast_inflight_requests'));
  }
  await Promise.all([load.stop(), decent.stop()]);
  lease.stop();
  const ttl = await renewing;

  const after = await leader.admin.status();
  const refused = await metric(drill, leader, 'holdfast_requests_refused_total{');
  const renewalsRefused = await metric(
    drill,
    leader,
    'holdfast_requests_refused_total{reason="requests",class="renewal"}',
  );
  console.log(
    `${load.record.acknowledged.size} puts of the stampede acknowledged, ${refused} calls ` +
      `refused; ${decent.record.acknowledged.size} of the decent client, ` +
      `${decent.record.rejected.size} refused; ${lease.renewals} renewals; ${inflight} under ` +
      `way at most; ${((memory - memoryBefore) / 1e6).toFixed(0)} MB more at most`,
  );
  expect([after.leader, after.raftTerm]).toEqual([before.leader, before.raftTerm]);
  expect(ttl).toBe(leaseSeconds);
  expect(renewalsRefused).toBe(0);
  expect(refused).toBeGreaterThan(100);
  expect(load.record.acknowledged.size).toBeGreaterThan(100);
  expect(load.record.unknown.size + decent.record.unknown.size).toBe(0);
  expect(decent.record.acknowledged.size).toBeGreaterThan(decent.record.rejected.size);
  expect(decent.record.acknowledged.size).toBeGreaterThan(2 * stampedeSeconds);
  expect(inflight).toBeLessThanOrEqual(inflightMax + connections);
  expect(memory - memoryBefore).toBeLessThan(memoryGrowthMax);
  expect(await drill.timesLogged(leader, 'shedding-started')).toBe(1);
  await drill.expectIntact(load, 'stampede');
  await drill.expectIntact(decent, 'decent');
});
