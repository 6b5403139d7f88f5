/** What a member does by the clock. */
import { describe, expect, test } from 'vitest';
import { StateMachine } from '../../src/kv/index.ts';
import { Metrics } from '../../src/observability/index.ts';
import { defaultRaftOptions } from '../../src/raft/index.ts';
import { Upkeep } from '../../src/replica/upkeep.ts';
import { createMemoryEngine } from '../../src/storage/index.ts';
import { VirtualLoop } from '../harness/virtual-loop.ts';
import { MapStore, runReading } from '../kv/map-store.ts';
import { createReplica } from './replica-maker.ts';

/** A member of one that does nothing else; what it does by the clock is noted. */
function start() {
  const loop = new VirtualLoop();
  const done: string[] = [];
  const fatals: unknown[] = [];
  const host = { isReplacing: false, writeStartMs: undefined as number | undefined };
  const replica = createReplica(1, 1);
  replica.noteTime(0);
  const machine = runReading(StateMachine.open({ cacheBytesMax: 0 }), new MapStore());
  const engine = createMemoryEngine();
  const upkeep = new Upkeep({
    config: {
      id: 1,
      transport: { links: () => [] },
      log: { sizeBytes: () => 1000 },
      eventLoop: loop,
      metrics: new Metrics(),
      options: {
        ...{ tickMs: 100, raft: defaultRaftOptions, requestTimeoutMs: 5000, requestBytesMax: 100 },
        ...{ cacheBytesMax: 0, quotaBytes: 50_000 },
        limits: { proposalsMax: 1, proposalBytesMax: 1, readsMax: 1 },
      },
    },
    replica,
    state: { engine, machine, alarms: [] },
    snapshots: { tick: () => undefined },
    watches: { tick: () => undefined },
    selfReport: {
      maybePublish: () => undefined,
      checkQuota: (stateBytes) => done.push(`${stateBytes} bytes of state`),
    },
    writer: {
      get startMs() {
        return host.writeStartMs;
      },
    },
    succession: { yieldTo: (reason) => done.push(reason) },
    integrity: { reason: undefined, tick: () => [] },
    outbox: { send: () => [] },
    keeper: { maybeCompact: () => done.push('compacts') },
    replacement: {
      get isUnderWay() {
        return host.isReplacing;
      },
    },
    onFatal: (error) => fatals.push(error),
  });
  const tick = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      await loop.run(100);
      replica.noteTime(loop.nowMs());
      replica.tick();
      const { write } = replica.turn();
      if (write !== undefined) {
        replica.writeDone(write.ticket);
      }
      upkeep.tick();
    }
    await loop.run(0);
  };
  return { loop, done, fatals, host, replica, engine, upkeep, tick };
}

describe('Upkeep', () => {
  test('the log is kept short, but not while another state is put in place', async () => {
    const { done, host, tick } = start();

    await tick(20);
    expect(done).toEqual(['compacts', 'compacts']);
    host.isReplacing = true;
    await tick(20);

    expect(done).toHaveLength(2);
  });

  test('what is stored is looked at now and then, and told to whoever has to know', async () => {
    const { engine, upkeep, done, tick } = start();
    await engine.write([{ type: 'put', key: new Uint8Array(10), value: new Uint8Array(490) }]);

    await tick(50);

    expect(upkeep.sizeBytes).toBe(1500);
    expect(done).toContain('500 bytes of state');
  });

  test('a leader that stalls lets another one lead', async () => {
    const { done, host, loop, tick } = start();
    await tick(30);
    done.length = 0;

    host.writeStartMs = loop.nowMs() - 1000;
    await tick(1);

    expect(done).toEqual(['its disk stalls']);
  });

  test('a store that is slow to tell its size is asked once at a time', async () => {
    const { engine, upkeep, done, tick } = start();
    const answers: ((bytes: number) => void)[] = [];
    engine.sizeBytes = async () =>
      new Promise((resolve) => {
        answers.push(resolve);
      });

    await tick(150);
    expect(answers).toHaveLength(1);
    answers[0]?.(700);
    await tick(50);

    expect(upkeep.sizeBytes).toBe(1700);
    expect(done).toContain('700 bytes of state');
    expect(answers).toHaveLength(2);
  });

  test('a store that cannot be asked is no store any more', async () => {
    const { engine, fatals, tick } = start();
    engine.sizeBytes = async () => Promise.reject(new Error('gone'));

    await tick(50);

    expect(fatals).toEqual([new Error('gone')]);
  });
});
