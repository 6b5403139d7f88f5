import { describe, expect, onTestFinished, test } from 'vitest';
import { plainAccess } from '../../../src/cli/bench/access.ts';
import { Connection } from '../../../src/cli/bench/connection.ts';
import { type LoadEnd, type LoadResult, runLoad } from '../../../src/cli/bench/load.ts';
import { frameMessage } from '../../../src/cli/bench/requests.ts';
import type { WorkloadRequest } from '../../../src/cli/bench/workload.ts';
import { answerWith, type FakeCall, FakeMember, refuseWith } from './fake-member.ts';

const request: WorkloadRequest = {
  path: '/etcdserverpb.KV/Put',
  frame: frameMessage(Buffer.from('x')),
};
const succeed = (call: FakeCall): void => answerWith(call, frameMessage(Buffer.from('y')));

async function startMember(answer: (call: FakeCall) => void) {
  const member = await FakeMember.start(answer);
  onTestFinished(async () => member.stop());
  const open = async (): Promise<Connection> => {
    const connection = await Connection.open({
      endpoints: [member.endpoint],
      access: plainAccess,
      onLost: () => undefined,
    });
    onTestFinished(() => connection.close());
    return connection;
  };
  return { member, connections: [await open(), await open()] };
}

async function run(
  connections: readonly Connection[],
  end: LoadEnd,
  overrides: Partial<Parameters<typeof runLoad>[0]> = {},
): Promise<LoadResult> {
  return runLoad({
    callees: connections,
    clients: 7,
    next: () => request,
    end,
    signal: new AbortController().signal,
    ...overrides,
  });
}

describe('runLoad', () => {
  test('makes exactly as many calls as were asked for, and counts each', async () => {
    const { member, connections } = await startMember(succeed);

    const result = await run(connections, { kind: 'total', total: 1000 });

    expect([result.operations, result.errorCount, result.errors]).toEqual([1000, 0, []]);
    expect(member.calls.length).toBe(1000);
    expect(result.latency.count).toBe(1000);
    expect(result.elapsedMs).toBeGreaterThanOrEqual(result.latency.maxMs);
    expect(result.cpuMicroseconds).toBeGreaterThan(0);
  });

  test('at a rate makes calls no sooner than they are due, and counts from then', async () => {
    const { member, connections } = await startMember(succeed);

    const result = await run(connections, { kind: 'total', total: 40 }, { rate: 200 });

    expect(member.calls.length).toBe(40);
    // The 40th is due after 39 / 200 s.
    expect(result.elapsedMs).toBeGreaterThanOrEqual(195);
  });

  test('a caller that was held up makes calls long due, and their wait counts', async () => {
    let isFirst = true;
    const { connections } = await startMember((call) => {
      if (isFirst) {
        isFirst = false;
        setTimeout(() => {
          succeed(call);
        }, 300);
      } else {
        succeed(call);
      }
    });

    const total = { kind: 'total', total: 20 } as const;
    const result = await run(connections, total, { clients: 1, rate: 100 });

    // The second was due after 10 ms and could be made after 300.
    expect(result.latency.quantileMs(0.5)).toBeGreaterThan(100);
  });

  test('never has more calls under way than callers, and uses every connection', async () => {
    let under = 0;
    let underMost = 0;
    const sessions = new Set<unknown>();
    const { connections } = await startMember((call) => {
      under++;
      underMost = Math.max(underMost, under);
      sessions.add(call.stream.session);
      setImmediate(() => {
        under--;
        succeed(call);
      });
    });

    await run(connections, { kind: 'total', total: 200 });

    expect(underMost).toBeLessThanOrEqual(7);
    expect(underMost).toBeGreaterThan(1);
    expect(sessions.size).toBe(2);
  });

  test('fewer calls than callers is fine', async () => {
    const { member, connections } = await startMember(succeed);

    const result = await run(connections, { kind: 'total', total: 3 });

    expect([result.operations, member.calls.length]).toEqual([3, 3]);
  });

  test('ends when there are no more requests', async () => {
    const { connections } = await startMember(succeed);
    const rest = Array.from({ length: 20 }, () => request);

    const result = await run(
      connections,
      { kind: 'total', total: Number.POSITIVE_INFINITY },
      { next: () => rest.pop() },
    );

    expect(result.operations).toBe(20);
  });

  test('after its time it waits for the calls under way and makes no new ones', async () => {
    const { member, connections } = await startMember(succeed);

    const result = await run(connections, { kind: 'duration', durationMs: 50 });

    expect(result.operations).toBe(member.calls.length);
    expect(result.operations).toBeGreaterThan(0);
    expect(result.errorCount).toBe(0);
  });

  test('failed calls are counted by code and text, the most frequent first', async () => {
    let count = 0;
    const { connections } = await startMember((call) => {
      count++;
      if (count % 10 === 0) {
        refuseWith(call, 8, 'etcdserver: too many requests');
      } else if (count % 10 < 3) {
        refuseWith(call, 14, 'etcdserver: no leader');
      } else if (count === 5) {
        answerWith(call, Buffer.alloc(0));
      } else {
        succeed(call);
      }
    });

    const result = await run(connections, { kind: 'total', total: 100 });

    expect(result.operations).toBe(100);
    expect(result.errorCount).toBe(31);
    expect(result.errors).toEqual([
      { code: 'UNAVAILABLE', text: 'etcdserver: no leader', count: 20 },
      { code: 'RESOURCE_EXHAUSTED', text: 'etcdserver: too many requests', count: 10 },
      { code: 'NO_MESSAGE', text: 'success without an answer', count: 1 },
    ]);
  });

  test('errors of ever new texts do not grow the list without bound', async () => {
    let count = 0;
    const { connections } = await startMember((call) => {
      count++;
      refuseWith(call, 2, `error ${count}`);
    });

    const result = await run(connections, { kind: 'total', total: 100 });

    expect(result.errorCount).toBe(100);
    expect(result.errors.length).toBe(21);
    expect(result.errors.reduce((sum, each) => sum + each.count, 0)).toBe(100);
  });

  test('tells of each call when it was due and how it went', async () => {
    const { connections } = await startMember(succeed);
    const calls: [number, number, boolean][] = [];
    const startMs = performance.now();
    const onCall = (...call: [number, number, boolean]): void => {
      calls.push(call);
    };

    const { latency } = await run(connections, { kind: 'total', total: 30 }, { onCall });

    expect(calls.length).toBe(30);
    expect(calls.every(([dueMs, , isOk]) => dueMs >= startMs && isOk)).toBe(true);
    expect(Math.max(...calls.map(([, latencyMs]) => latencyMs))).toBe(latency.maxMs);
  });

  test('a signal ends it at once with the reason; calls cut off are not told', async () => {
    const controller = new AbortController();
    const reason = new Error('interrupted');
    const onCall = (): void => {
      throw new Error('a call that was cut off');
    };
    const { connections } = await startMember((call) => {
      controller.abort(reason);
      succeed(call);
    });

    await expect(
      run(
        connections,
        { kind: 'duration', durationMs: 60_000 },
        { signal: controller.signal, onCall },
      ),
    ).rejects.toBe(reason);
  });
});
