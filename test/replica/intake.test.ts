/** The door of a member: what is taken, what is refused, and what callers are told at its end. */
import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import { KvError } from '../../src/base/index.ts';
import type { Command } from '../../src/kv/index.ts';
import { Metrics } from '../../src/observability/index.ts';
import { defaultRaftOptions } from '../../src/raft/index.ts';
import { Calls } from '../../src/replica/calls.ts';
import type { Effects } from '../../src/replica/effects.ts';
import { Intake } from '../../src/replica/intake.ts';
import { get, put } from './commands.ts';

const empty = { headers: [], kvs: [], count: 0, more: false };
const nothing: Effects = {
  ...{ messages: [], loads: [], failures: [], releasedReads: [], expiredReads: [] },
  ...{ changeResults: [], events: [] },
};

/** A replica that takes all there is room for, and notes when it is to be done. */
function start({ room = 100 } = {}) {
  const calls = new Calls(new Metrics(), () => 0);
  const asked: string[] = [];
  const health: { reason: string | undefined; refusal: KvError | undefined } = {
    ...{ reason: undefined, refusal: undefined },
  };
  const disk = { isDiskFull: false };
  // The second is what it is once somebody has waited.
  const machine = { level: 1, nextLevel: 1 };
  let id = 0;
  const take = (what: string, deadlineTick: number): number | undefined => {
    asked.push(`${what} until ${deadlineTick}`);
    return ++id > room ? undefined : id;
  };
  const intake = new Intake({
    config: {
      metrics: new Metrics(),
      options: {
        ...{ tickMs: 100, raft: defaultRaftOptions, requestTimeoutMs: 5000, requestBytesMax: 100 },
        ...{ cacheBytesMax: 0, quotaBytes: 0 },
        limits: { proposalsMax: 1, proposalBytesMax: 1, readsMax: 1 },
      },
    },
    auth: { checkRange: () => undefined },
    replica: {
      ...{ leader: 1, tickCount: 10 },
      maybePropose: (_, deadlineTick) => take('write', deadlineTick),
      cancelProposal: (each) => ({ id: each, reason: 'cancelled', outcome: 'unknown' }),
      maybeRead: (deadlineTick) => take('read', deadlineTick),
      cancelRead: (each) => asked.push(`no read ${each}`),
      maybeChangeMembership: (_, deadlineTick) => take('change', deadlineTick),
      close: () => ({
        failures: [{ id: 1, reason: 'stopped', outcome: 'unknown' }],
        reads: [],
        changeResults: [{ id: 2, kind: 'failed', code: 'STOPPED', outcome: 'rejected' }],
      }),
    },
    calls,
    state: {
      lane: {
        wanted: () => undefined,
        upToDate: async () => Promise.resolve(),
      },
      readRange: async () => Promise.resolve({ revision: 7, result: empty as never }),
      hasAnswered: async () => Promise.resolve(false),
      machine,
    },
    conditions: {
      within: async (_limitMs, condition) => {
        await Promise.resolve();
        machine.level = machine.nextLevel;
        return condition() ? 'held' : 'late';
      },
    },
    integrity: {
      get reason() {
        return health.reason;
      },
      get refusal() {
        return health.refusal;
      },
      get quarantineRefusal() {
        return health.reason === undefined ? undefined : health.refusal;
      },
    },
    writer: disk,
    onAsked: () => undefined,
  });
  return { intake, calls, asked, health, disk, machine };
}

async function failureOf(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => 'done',
    (error: unknown) => error,
  );
}

const change = { type: 'promote', id: 3 } as const;

describe('Intake', () => {
  test('before a member serves, and once it drains, it answers reads alone', async () => {
    const { intake, asked } = start();
    const stopped = { code: 'STOPPED', outcome: 'rejected' };

    for (const isDraining of [false, true]) {
      if (isDraining) {
        intake.open();
        intake.drain();
      }
      asked.length = 0;
      expect(await failureOf(intake.propose(put('a', '1')))).toMatchObject(stopped);
      expect(await failureOf(intake.change(change))).toMatchObject(stopped);
      expect(() => {
        intake.checkServing();
      }).toThrow(KvError);
      const read = intake.confirmRead();
      expect(asked).toEqual(['read until 60']);
      intake.answer({ ...nothing, releasedReads: [1, 2] });
      expect(await failureOf(read)).toBe('done');
    }
  });

  test('what is refused at the door is surely without effect', async () => {
    const { intake, asked, disk, health } = start({ room: 0 });
    intake.open();

    const large = put('a', 'x'.repeat(200));
    expect(await failureOf(intake.propose(large))).toMatchObject({ code: 'REQUEST_TOO_LARGE' });
    disk.isDiskFull = true;
    expect(await failureOf(intake.propose(put('a', '1')))).toMatchObject({ code: 'DISK_FULL' });
    disk.isDiskFull = false;
    health.reason = 'it is damaged';
    health.refusal = new KvError('UNHEALTHY');
    expect(await failureOf(intake.propose(put('a', '1')))).toBe(health.refusal);
    expect(await failureOf(intake.range(get('a')))).toBe(health.refusal);
    expect(await failureOf(intake.confirmRead())).toBe(health.refusal);
    expect(asked).toEqual([]);
    health.reason = undefined;
    health.refusal = undefined;
    const full = { code: 'TOO_MANY_REQUESTS', outcome: 'rejected' };
    expect(await failureOf(intake.propose(put('a', '1')))).toMatchObject(full);
    expect(await failureOf(intake.confirmRead())).toMatchObject(full);
    expect(await failureOf(intake.change(change))).toMatchObject(full);
  });

  test('an alarm refuses reads of keys, not the writes that may lift it', async () => {
    const { intake, asked, health } = start();
    intake.open();
    health.refusal = new KvError('CORRUPT');

    expect(await failureOf(intake.range(get('a')))).toBe(health.refusal);
    intake.propose(put('a', '1')).catch(() => undefined);

    expect(asked).toEqual(['write until 60']);
  });

  test('a call lasts as long as it says, and no longer than any may', () => {
    const { intake, asked } = start();
    intake.open();
    const ignore = (call: Promise<unknown>): void => {
      call.catch(() => undefined);
    };

    ignore(intake.confirmRead({ deadlineMs: 250 }));
    ignore(intake.confirmRead({ deadlineMs: 60_000 }));
    ignore(intake.confirmRead({ deadlineMs: 0 }));
    ignore(intake.confirmRead({ deadlineMs: 1190 }));

    const ticks = ['13', '60', '11', '21'];
    expect(asked).toEqual(ticks.map((each) => `read until ${each}`));
  });

  test('who gives up is told at once, and what may still happen', async () => {
    const { intake, asked } = start();
    intake.open();
    const controller = new AbortController();
    const { signal } = controller;
    const calls = [intake.propose(put('a', '1'), { signal }), intake.range(get('a'), { signal })];

    controller.abort();

    const [write, read] = await Promise.all(calls.map(failureOf));
    expect(write).toMatchObject({ code: 'CANCELLED', outcome: 'unknown' });
    expect(read).toMatchObject({ code: 'CANCELLED' });
    expect(asked).toContain('no read 2');
  });

  test('who has given up already is told so, and a signal is left with the call', async () => {
    const { intake, calls } = start();
    intake.open();
    const { signal } = new AbortController();
    const write = intake.propose(put('a', '1'), { signal });
    const read = intake.confirmRead({ signal });
    expect(getEventListeners(signal, 'abort')).toHaveLength(2);

    calls.resolveProposal(1, { kind: 'refused', code: 'NO_SPACE', revision: 1 });
    calls.resolveReads([2]);
    await Promise.all([write, read]);

    expect(getEventListeners(signal, 'abort')).toEqual([]);
    const late = { signal: AbortSignal.abort() };
    const given = [intake.propose(put('a', '1'), late), intake.confirmRead(late)];
    expect(await Promise.all(given.map(failureOf))).toMatchObject([
      { code: 'CANCELLED' },
      { code: 'CANCELLED' },
    ]);
  });

  test('at the end each call is answered with its true outcome, and no other taken', async () => {
    const { intake } = start();
    intake.open();
    const calls = [intake.propose(put('a', '1')), intake.change(change), intake.confirmRead()];

    intake.end();

    const [write, changed, read] = await Promise.all(calls.map(failureOf));
    expect(write).toMatchObject({ code: 'STOPPED', outcome: 'unknown' });
    expect(changed).toMatchObject({ code: 'STOPPED', outcome: 'rejected' });
    expect(read).toMatchObject({ code: 'STOPPED' });
    expect(await failureOf(intake.confirmRead())).toMatchObject({ code: 'STOPPED' });
  });
});

describe('a command that needs a feature level', () => {
  const addUser: Command = { type: 'auth', change: { type: 'roleAdd', role: 'r' } };

  test('is refused while the cluster does not reach it, and the levels are named', async () => {
    const { intake, asked } = start();
    intake.open();

    const error = await failureOf(intake.propose(addUser));

    expect(error).toMatchObject({ code: 'FEATURE_NOT_ACTIVE', outcome: 'rejected' });
    expect(String(error)).toContain('needs feature level 2, and the cluster is at 1');
    expect(asked).toEqual([]);
  });

  test('is taken when the level rises while it waits', async () => {
    const { intake, asked, machine } = start();
    intake.open();
    machine.nextLevel = 2;

    void intake.propose(addUser);
    await Promise.resolve();
    await Promise.resolve();
    await Promise.resolve();

    expect(asked).toEqual(['write until 60']);
  });
});
