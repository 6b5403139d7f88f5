/** `grpc.health.v1.Health` as gRPC's health checking protocol defines it. */
import { EventEmitter, once } from 'node:events';
import { type ClientReadableStream, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { HealthCheckResponse } from '../../src/wire/generated/grpc/health/v1/HealthCheckResponse.ts';
import { createHealthService } from '../../src/rpc/health.ts';
import type { ServiceContext } from '../../src/rpc/service.ts';
import { VirtualLoop } from '../harness/virtual-loop.ts';
import { FakeMember } from './fake-member.ts';
import { answerTo, refusalOf, serve, type Serving } from './serving.ts';

let member: FakeMember;
let serving: Serving;

beforeEach(async () => {
  member = new FakeMember();
  serving = await serve(member);
});

afterEach(async () => {
  await serving.close();
});

describe('Check', () => {
  test.each(['', 'etcdserverpb.KV', 'etcdserverpb.Cluster', 'etcdserverpb.Maintenance'])(
    'of service "%s" serves while a leader is known',
    async (service) => {
      const check = async (): Promise<unknown> =>
        answerTo((done) => serving.health.Check({ service }, done));

      expect(await check()).toEqual({ status: 'SERVING' });
      member.leader = 0;
      expect(await check()).toEqual({ status: 'NOT_SERVING' });
    },
  );

  test('of a service that is not there is not found', async () => {
    const error = await refusalOf((done) => serving.health.Check({ service: 'nobody' }, done));

    expect(error).toMatchObject({ code: status.NOT_FOUND, details: 'unknown service' });
  });
});

describe('Watch', () => {
  test('tells the state at once, and again only when it changes', async () => {
    const { statuses, watch } = watching('');
    await vi.waitFor(() => expect(statuses).toEqual(['SERVING']));

    await serving.timers.run(5000);
    member.leader = 0;
    await serving.timers.run(500);
    await vi.waitFor(() => expect(statuses).toEqual(['SERVING', 'NOT_SERVING']));
    member.leader = 1002;
    await serving.timers.run(500);
    await vi.waitFor(() => expect(statuses).toEqual(['SERVING', 'NOT_SERVING', 'SERVING']));

    watch.cancel();
  });

  test('of a client that takes nothing waits, and then tells the newest state alone', async () => {
    const call = new StuckCall();
    const timers = new VirtualLoop();
    const { handlers } = createHealthService({ member } as unknown as ServiceContext, timers);
    handlers.Watch(call as unknown as Parameters<typeof handlers.Watch>[0]);
    expect(call.written).toEqual(['SERVING']);

    for (const leader of [0, 1002, 0, 1002, 0]) {
      member.leader = leader;
      await timers.run(500);
    }
    expect(call.written).toEqual(['SERVING']);

    call.emit('drain');
    await timers.run(500);
    expect(call.written).toEqual(['SERVING', 'NOT_SERVING']);
    call.emit('cancelled');
    expect(timers.pendingTimers).toBe(0);
  });

  test('of a service that is not there says so and stays open', async () => {
    const { statuses, watch } = watching('nobody');
    await vi.waitFor(() => expect(statuses).toEqual(['SERVICE_UNKNOWN']));

    await answerTo((done) => serving.health.Check({}, done));
    expect(watch.closed).toBe(false);

    watch.cancel();
  });

  test('looks no more once its client has gone', async () => {
    const before = serving.timers.pendingTimers;
    const { statuses, watch } = watching('');
    await vi.waitFor(() => expect(statuses).toHaveLength(1));
    expect(serving.timers.pendingTimers).toBe(before + 1);

    watch.cancel();

    await vi.waitFor(() => expect(serving.timers.pendingTimers).toBe(before));
  });

  test('ends when the server stops, which need not wait for it', async () => {
    const { statuses, watch } = watching('');
    const { watch: unknown } = watching('nobody');
    await vi.waitFor(() => expect(statuses).toHaveLength(1));
    const ended = Promise.all([once(watch, 'close'), once(unknown, 'close')]);

    // The grace period is longer than the test may take.
    await serving.server.stop(60_000);

    await ended;
    expect(serving.timers.pendingTimers).toBe(0);
  });
});

/** A call whose client takes nothing. */
class StuckCall extends EventEmitter {
  readonly request = { service: '' };
  readonly written: unknown[] = [];

  write({ status: told }: HealthCheckResponse): boolean {
    this.written.push(told);
    return false;
  }

  readonly end = vi.fn();
}

function watching(service: string): {
  readonly statuses: unknown[];
  readonly watch: ClientReadableStream<HealthCheckResponse>;
} {
  const statuses: unknown[] = [];
  const watch = serving.health.Watch({ service });
  watch.on('data', (response: HealthCheckResponse) => {
    statuses.push(response.status);
  });
  watch.on('error', () => undefined);
  return { statuses, watch };
}
