/**
 * Drills with real processes that speak TLS: certificates and CAs are replaced under load, members
 * are killed and come back, a cluster is moved from plain text to TLS member by member.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ChannelCredentials, credentials } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { connectAdmin, eventually } from '../harness/admin-client.ts';
import { type Pair, TestCa, writeFiles } from '../harness/certificates.ts';
import { connectKv, type KvClient, waitForLeader } from '../harness/kv-client.ts';
import { showIfFailed } from '../harness/members-output.ts';
import { ProcessCluster } from '../harness/processes.ts';
import { verifyLoad, WriteLoad } from './load.ts';

const startLimitMs = 30_000;
const callTimeoutMs = 5000;
const intact = { lost: [], doubled: [], moved: [], happenedThoughRejected: [] };
const all = [0, 1, 2];

let directory: string;
let cluster: ProcessCluster;
let clients: KvClient[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-tls-'));
  clients = [];
  cluster = await ProcessCluster.create(all.map((i) => join(directory, `m${i}`)));
});

afterEach(async ({ task }) => {
  await showIfFailed(task, cluster);
  for (const client of clients) {
    client.close();
  }
  await cluster.stopAll();
  await rm(directory, { recursive: true, force: true });
});

/** The files of each member, and of its clients: as they are on a disk. */
async function install(ca: string, pairs: readonly Pair[]): Promise<void> {
  await writeFiles(directory, { ca });
  for (const [i, { cert, key }] of pairs.entries()) {
    await writeFiles(directory, { [`cert${i}`]: cert, [`key${i}`]: key });
  }
}

function tlsArgs(i: number, prefix: '' | 'peer-'): readonly string[] {
  const path = (name: string): string => join(directory, `${name}.pem`);
  return [
    `--${prefix}cert-file=${path(`cert${i}`)}`,
    `--${prefix}key-file=${path(`key${i}`)}`,
    `--${prefix}trusted-ca-file=${path('ca')}`,
  ];
}

async function pairsOf(ca: TestCa): Promise<readonly Pair[]> {
  return Promise.all(all.map(async (i) => ca.issue(`n${i + 1}`)));
}

function credentialsOf(ca: string, { cert, key }: Pair): ChannelCredentials {
  return credentials.createSsl(Buffer.from(ca), Buffer.from(key), Buffer.from(cert));
}

async function timesLogged(i: number, event: string): Promise<number> {
  return (await cluster.output(i)).split(`"${event}"`).length - 1;
}

/**
 * Waits until the log of a member no longer reaches back to now: the second compaction from here on
 * goes beyond.
 */
async function compactedBeyond(i: number): Promise<void> {
  const before = await timesLogged(i, 'log-compacted');
  await eventually(async () => {
    expect(await timesLogged(i, 'log-compacted')).toBeGreaterThanOrEqual(before + 2);
  }, startLimitMs);
}

/** Puts other files in the place of each member's, has it read them, and waits until it has. */
async function replaceAll(ca: string, pairs: readonly Pair[]): Promise<void> {
  const count = async (i: number): Promise<number> => timesLogged(i, 'certificates-reloaded');
  // Counted first: a member looks at its files by itself, too.
  const before = await Promise.all(all.map(count));
  await install(ca, pairs);
  for (const i of all) {
    await cluster.signal(i, 'SIGHUP');
  }
  await eventually(async () => {
    const now = await Promise.all(all.map(count));
    // Both the certificates for clients and those for peers are read anew.
    expect(now.every((times, i) => times >= (before[i] ?? 0) + 2)).toBe(true);
  }, startLimitMs);
}

async function verified(load: WriteLoad, prefix: string): Promise<void> {
  for (const client of clients) {
    expect(await verifyLoad(load.record, client, prefix)).toEqual(intact);
  }
}

describe('three members with mutual TLS', () => {
  test('take new certificates and a new CA under load without a failed call', {
    timeout: 120_000,
  }, async () => {
    const [oldCa, newCa] = [await TestCa.create('old CA'), await TestCa.create('new CA')];
    const both = `${oldCa.pem}\n${newCa.pem}`;
    await install(oldCa.pem, await pairsOf(oldCa));
    cluster.reconfigure((i) => ({
      clientScheme: 'https',
      peerScheme: 'https',
      extraArgs: [
        ...tlsArgs(i, ''),
        ...tlsArgs(i, 'peer-'),
        ...['--snapshot-count=200', '--snapshot-catchup-entries=20'],
      ],
    }));
    await cluster.startAll();
    const oldSecret = credentialsOf(both, await oldCa.issue('client'));
    const newSecret = credentialsOf(both, await newCa.issue('client'));
    clients = cluster.endpoints.map((endpoint) => connectKv(endpoint, oldSecret));
    await waitForLeader(clients, startLimitMs);
    const load = new WriteLoad(clients, callTimeoutMs);
    load.start(6, 'rotation', 5);
    // Connections that are made anew all the time see what is in use now.
    let secret = oldSecret;
    const fresh = { done: 0, failed: 0, isOver: false };
    const visitors = (async (): Promise<void> => {
      for (let i = 0; !fresh.isOver; i++) {
        const client = connectKv(cluster.endpoints[i % 3] ?? '', secret);
        const answer = await client.put(`visitor/${i}`, 'x', callTimeoutMs);
        fresh[answer.kind === 'ok' ? 'done' : 'failed']++;
        client.close();
      }
    })();

    /** Each member is visited with what is in use now. */
    const visit = async (): Promise<void> => {
      const { done, failed } = fresh;
      await eventually(async () => {
        expect(fresh.done + fresh.failed).toBeGreaterThan(done + failed + all.length);
        return Promise.resolve();
      }, startLimitMs);
    };

    await replaceAll(oldCa.pem, await pairsOf(oldCa));
    await visit();
    await replaceAll(both, await pairsOf(oldCa));
    await visit();
    await replaceAll(both, await pairsOf(newCa));
    await visit();
    secret = newSecret;
    await visit();
    await replaceAll(newCa.pem, await pairsOf(newCa));
    await visit();
    fresh.isOver = true;
    await visitors;

    expect(fresh).toMatchObject({ failed: 0 });
    expect(load.record.unknown.size + load.record.rejected.size).toBe(0);
    // What the old CA has signed is not good any more.
    const late = connectKv(cluster.endpoints[0] ?? '', oldSecret);
    expect(await late.put('late', 'x', 1000)).toMatchObject({ kind: 'failed' });
    late.close();

    // Members that come back speak to the others by what is in use now, and fetch what they missed.
    for (const i of all) {
      await cluster.signal(i, 'SIGKILL');
      if (i === 0) {
        await compactedBeyond(1);
      }
      await cluster.start(i);
      const again = connectKv(cluster.endpoints[i] ?? '', newSecret);
      await again.waitUntilReady(startLimitMs);
      clients[i]?.close();
      clients[i] = again;
    }
    await load.stop();
    await verified(load, 'rotation');
    expect(await cluster.output(0)).toContain('"snapshot-installed"');
  });
});

describe('a cluster in plain text', () => {
  test('is moved to TLS between its members one by one, under load', {
    timeout: 120_000,
  }, async () => {
    const ca = await TestCa.create();
    await install(ca.pem, await pairsOf(ca));
    cluster.reconfigure((i) => ({ extraArgs: tlsArgs(i, 'peer-') }));
    await cluster.startAll();
    clients = cluster.endpoints.map((endpoint) => connectKv(endpoint));
    await waitForLeader(clients, startLimitMs);
    const load = new WriteLoad(clients, callTimeoutMs);
    load.start(6, 'migration', 5);

    for (const i of all) {
      const admin = connectAdmin(cluster.endpoints[(i + 1) % 3] ?? '');
      const { members } = await admin.members();
      const id = members.find(({ name }) => name === `n${i + 1}`)?.ID ?? '';
      cluster.reconfigure((j) =>
        i === j ? { peerScheme: 'https', initialClusterState: 'existing' } : {},
      );
      // It has handed over when it is down, and the others dial it by TLS when it is back.
      await cluster.signal(i, 'SIGTERM');
      await admin.updateMember(id, cluster.peerUrl(i));
      admin.close();
      await cluster.start(i);
      await clients[i]?.waitUntilReady(startLimitMs);
    }
    await sleep(300);
    await load.stop();

    await verified(load, 'migration');
    const admin = connectAdmin(cluster.endpoints[0] ?? '');
    const { members } = await admin.members();
    admin.close();
    expect(members.map(({ peerURLs }) => peerURLs[0])).toEqual(
      expect.arrayContaining(all.map((i) => cluster.peerUrl(i))),
    );
    expect(cluster.peerUrl(0)).toMatch(/^https:/);
    for (const i of all) {
      expect(await cluster.output(i)).not.toContain('"level":50');
    }
  });
});
