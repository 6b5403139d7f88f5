/** Every call passes one gate: what it refuses had no effect and says when to repeat it. */
import { once } from 'node:events';
import {
  credentials,
  makeClientConstructor,
  Metadata,
  type ServerInterceptingCallInterface,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { CommandResult, KeyValue } from '../../src/kv/index.ts';
import type { WatchNotice, WatchStream } from '../../src/replica/index.ts';
import { Metrics } from '../../src/observability/index.ts';
import { Admission } from '../../src/rpc/admission.ts';
import type { SheddingEvent } from '../../src/rpc/index.ts';
import type { Work } from '../../src/rpc/work-classes.ts';
import { type KVClient, services } from '../../src/wire/index.ts';
import { VirtualLoop } from '../harness/virtual-loop.ts';
import { samplesOf } from '../observability/exposition.ts';
import { farAdmission, farLimits } from './admitting.ts';
import { FakeMember } from './fake-member.ts';
import { answerTo, refusalOf, serve, type Serving } from './serving.ts';

const key = Buffer.from('key');
const ordinary: Work = { class: 'ordinary', keeps: 'nothing' };
const renewal: Work = { class: 'renewal', keeps: 'nothing' };
const wholeMember = { residentBytes: 1000, heapBytes: 1000 };

let serving: Serving | undefined;
const others: KVClient[] = [];

afterEach(async () => {
  for (const other of others.splice(0)) {
    other.close();
  }
  await serving?.close();
  serving = undefined;
});

/** Waits until a check holds; long enough for a machine that is busy. */
async function eventually(check: () => unknown): Promise<void> {
  await vi.waitFor(check, { timeout: 10_000 });
}

/** Serves with an option of admission. */
async function served(
  member: FakeMember,
  options: Parameters<typeof serve>[1] = {},
): Promise<Serving> {
  serving = await serve(member, options);
  return serving;
}

/** Another client: a connection of its own. */
function connect({ port }: Serving): KVClient {
  const Client = makeClientConstructor(services['etcdserverpb.KV'], 'KV');
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
    'grpc.use_local_subchannel_pool': 1,
  }) as unknown as KVClient;
  others.push(client);
  return client;
}

const putResult: CommandResult = {
  kind: 'ok',
  revision: 8,
  result: { type: 'put', prevKv: undefined },
};

/** A member whose puts wait until they are let go. */
class SlowMember extends FakeMember {
  readonly #waiting: (() => void)[] = [];

  override onPropose = async (): Promise<CommandResult> =>
    new Promise((resolve) => {
      this.#waiting.push(() => {
        resolve(putResult);
      });
    });

  get waiting(): number {
    return this.#waiting.length;
  }

  letGo(): void {
    for (const resolve of this.#waiting.splice(0)) {
      resolve();
    }
  }
}

/** Begins so many puts that nobody waits for. */
function beginPuts(kv: KVClient, count: number, value = Buffer.alloc(0)): void {
  for (let at = 0; at < count; at++) {
    kv.Put({ key, value }, () => undefined);
  }
}

/** The value of a metric, by its name and the labels in braces. */
async function valueOf({ metrics }: Serving, sample: string): Promise<number | undefined> {
  const samples = samplesOf(await metrics.render());
  return samples.find(({ name, labels }) => sample === (labels ? `${name}{${labels}}` : name))
    ?.value;
}

function retryMsOf({ metadata }: ServiceError): number {
  return Number(metadata.get('grpc-retry-pushback-ms')[0]);
}

const refusedPuts = 'holdfast_requests_refused_total{reason="requests",class="ordinary"}';
const twoEach = { ...farLimits, inflightRequests: { client: 2, member: 100 } };

describe('a call that is refused', () => {
  test('says so in etcd’s words, that it had no effect, why, and when to repeat it', async () => {
    const member = new SlowMember();
    const { kv } = await served(member, { limits: twoEach });
    beginPuts(kv, 2);
    await eventually(() => expect(member.waiting).toBe(2));

    const refusal = await refusalOf((done) => kv.Put({ key }, done));

    expect(refusal.code).toBe(status.RESOURCE_EXHAUSTED);
    expect(refusal.details).toBe('etcdserver: too many requests');
    expect(refusal.metadata.get('holdfast-code')).toEqual(['TOO_MANY_REQUESTS']);
    expect(refusal.metadata.get('holdfast-outcome')).toEqual(['rejected']);
    expect(refusal.metadata.get('holdfast-reason')).toEqual(['requests']);
    expect(retryMsOf(refusal)).toBeGreaterThanOrEqual(100);
    expect(member.asked).toHaveLength(2);
    member.letGo();
  });

  test('is repeated by gRPC itself after that time, where a policy allows it', async () => {
    const member = new SlowMember();
    const started = await served(member, { limits: twoEach });
    const { kv } = started;
    beginPuts(kv, 2);
    await eventually(() => expect(member.waiting).toBe(2));
    const Client = makeClientConstructor(services['etcdserverpb.KV'], 'KV');
    const policy = {
      maxAttempts: 5,
      // Without the server's word it would be an hour.
      ...{ initialBackoff: '3600s', maxBackoff: '3600s', backoffMultiplier: 1 },
      retryableStatusCodes: [status.RESOURCE_EXHAUSTED],
    };
    const config = { loadBalancingConfig: [], methodConfig: [{ name: [{}], retryPolicy: policy }] };
    const retrying = new Client(`127.0.0.1:${started.port}`, credentials.createInsecure(), {
      'grpc.service_config': JSON.stringify(config),
      'grpc.use_local_subchannel_pool': 1,
    }) as unknown as KVClient;
    others.push(retrying);
    beginPuts(retrying, 2);
    await eventually(() => expect(member.waiting).toBe(4));

    const answer = answerTo((done) => retrying.Put({ key }, done));
    await eventually(async () => expect(await valueOf(started, refusedPuts)).toBe(1));
    member.letGo();
    await eventually(() => expect(member.waiting).toBe(1));
    member.letGo();

    expect(await answer).toMatchObject({ header: { revision: '8' } });
  });

  test('is counted by reason and class, and as a request that has ended', async () => {
    const member = new SlowMember();
    const started = await served(member, { limits: twoEach });
    beginPuts(started.kv, 2);
    await eventually(() => expect(member.waiting).toBe(2));

    await refusalOf((done) => started.kv.Put({ key }, done));

    expect(await valueOf(started, refusedPuts)).toBe(1);
    const ended = 'holdfast_requests_total{method="Put",code="TOO_MANY_REQUESTS"}';
    expect(await valueOf(started, ended)).toBe(1);
    member.letGo();
  });
});

describe('a client that floods a member', () => {
  test('leaves room for another one, for keep-alives and for questions of health', async () => {
    const member = new SlowMember();
    member.onKeepAlive = async () => Promise.resolve(5000);
    const started = await served(member, {
      limits: { ...farLimits, inflightRequests: { client: 100, member: 100 } },
    });
    beginPuts(started.kv, 200);
    await eventually(() => expect(member.waiting).toBe(50));
    const other = connect(started);

    const put = answerTo((done) => other.Put({ key }, done));
    await eventually(() => expect(member.waiting).toBe(51));
    const keepAlive = started.lease.LeaseKeepAlive();
    keepAlive.write({ ID: '7' });
    const [renewed] = (await once(keepAlive, 'data')) as [{ readonly TTL: string }];
    const health = await answerTo((done) => started.health.Check({}, done));

    expect(renewed.TTL).toBe('5');
    expect(health).toMatchObject({ status: 'SERVING' });
    keepAlive.end();
    member.letGo();
    expect(await put).toMatchObject({ header: { revision: '8' } });
  });

  test('finds room again once its calls are over, answered or not', async () => {
    const member = new SlowMember();
    const { kv } = await served(member, { limits: twoEach });
    beginPuts(kv, 2);
    await eventually(() => expect(member.waiting).toBe(2));
    member.letGo();
    member.onPropose = async () => Promise.reject(new Error('a defect'));
    await eventually(async () =>
      expect(await refusalOf((done) => kv.Put({ key }, done))).toMatchObject({ code: 13 }),
    );
    member.onPropose = async () => Promise.resolve(putResult);

    for (let at = 0; at < 5; at++) {
      await answerTo((done) => kv.Put({ key }, done));
    }
  });

  test('does not make room by cancelling calls that the member still works on', async () => {
    const member = new SlowMember();
    const { kv } = await served(member, { limits: twoEach });
    const calls = [kv.Put({ key }, () => undefined), kv.Put({ key }, () => undefined)];
    await eventually(() => expect(member.waiting).toBe(2));
    for (const call of calls) {
      call.cancel();
    }

    expect((await refusalOf((done) => kv.Put({ key }, done))).details).toBe(
      'etcdserver: too many requests',
    );
    member.letGo();
    member.onPropose = async () => Promise.resolve(putResult);
    await eventually(async () => answerTo((done) => kv.Put({ key }, done)));
  });

  test('is held to its bytes as to its requests, and a refused put has no effect', async () => {
    const member = new SlowMember();
    const { kv } = await served(member, {
      limits: { ...farLimits, inflightBytes: { client: 2500, member: 100_000 } },
    });
    beginPuts(kv, 2, Buffer.alloc(1000));
    await eventually(() => expect(member.waiting).toBe(2));

    const refusal = await refusalOf((done) => kv.Put({ key, value: Buffer.alloc(1000) }, done));

    expect(refusal.metadata.get('holdfast-reason')).toEqual(['bytes']);
    expect(member.asked).toHaveLength(2);
    const small = answerTo((done) => kv.Put({ key, value: Buffer.alloc(100) }, done));
    await eventually(() => expect(member.waiting).toBe(3));
    member.letGo();
    await small;
  });

  test('is held to a rate, if there is one', async () => {
    const member = new FakeMember();
    member.onPropose = async () => Promise.resolve(putResult);
    const { kv } = await served(member, { limits: { ...farLimits, clientRequestsPerSecond: 3 } });
    for (let at = 0; at < 3; at++) {
      await answerTo((done) => kv.Put({ key }, done));
    }

    const refusal = await refusalOf((done) => kv.Put({ key }, done));

    expect(refusal.metadata.get('holdfast-reason')).toEqual(['rate']);
    expect(member.asked).toHaveLength(3);
  });
});

describe('an operation of a stream that carries many', () => {
  test('passes the gate as a call of its own does, and leaves nothing behind when refused', () => {
    const metrics = new Metrics();
    const admission = new Admission({
      ...{ ...farAdmission, metrics, requestBytesMax: 100, timers: new VirtualLoop() },
      limits: {
        ...farLimits,
        inflightRequests: { client: 2, member: 100 },
        inflightBytes: { client: 100, member: 1000 },
      },
    });
    const metadata = new Metadata();
    const method = { ...services['holdfast.v1.Pipeline'].Operate };
    const stream = admission.interceptor(method, quietCall(metadata));
    stream.start(nobody);
    const entry = admission.callOf(metadata);

    entry?.beginOperation(ordinary, 60);
    expect(() => entry?.beginOperation(ordinary, 41)).toThrow('etcdserver: too many requests');
    entry?.beginOperation(ordinary, 40);
    expect(() => entry?.beginOperation(ordinary, 0)).toThrow('etcdserver: too many requests');
    entry?.beginOperation(renewal, 20);
    expect(admission.limits.total.ordinary).toEqual({ requests: 2, bytes: 100, streams: 1 });
    entry?.endOperation(ordinary, 60);
    entry?.endOperation(ordinary, 40);
    entry?.endOperation(renewal, 20);
    stream.sendStatus({ code: status.OK, details: 'OK' });

    expect(admission.limits.total.isIdle).toBe(true);
  });
});

/** A call whose other end does nothing. */
function quietCall(metadata: Metadata): ServerInterceptingCallInterface {
  const quiet = (): undefined => undefined;
  return {
    start: (listener) => {
      listener.onReceiveMetadata(metadata);
    },
    ...{ sendMetadata: quiet, sendMessage: quiet, sendStatus: quiet, startRead: quiet },
    ...{ getPeer: () => 'a:1', getDeadline: () => Number.POSITIVE_INFINITY, getHost: () => '' },
    getAuthContext: () => ({}),
    getConnectionInfo: () => ({ remoteAddress: 'a', remotePort: 1 }),
    getMetricsRecorder: () => {
      throw new Error('nobody records metrics');
    },
  };
}

const nobody = {
  onReceiveMetadata: (_metadata: Metadata): undefined => undefined,
  onReceiveMessage: (_message: unknown): undefined => undefined,
  onReceiveHalfClose: (): undefined => undefined,
  onCancel: (): undefined => undefined,
};

describe('a range with a large answer', () => {
  const chunk = 1024 * 1024;
  const large: KeyValue = {
    ...{ key, value: Buffer.alloc(10), createRevision: 1, modRevision: 1, version: 1 },
    ...{ lease: 0n, ttlMs: 0, ttlRefreshOnWrite: false },
  };
  const result = { type: 'range', kvs: [large], more: false, count: 1 } as const;

  test('is refused while others take what there is, and goes on when it is alone', async () => {
    const member = new FakeMember();
    const started = await served(member, { limits: { ...farLimits, bulkBytes: 4 * chunk } });
    let letGo: (() => void) | undefined;
    member.onRange = async (_range, options) => {
      options?.charge?.(chunk);
      options?.charge?.(10 * chunk);
      if (letGo === undefined) {
        await new Promise<void>((resolve) => {
          letGo = resolve;
        });
      }
      return { revision: 7, result };
    };
    const first = answerTo((done) => started.kv.Range({ key }, done));
    await eventually(() => expect(letGo).toBeDefined());

    const refusal = await refusalOf((done) => connect(started).Range({ key }, done));
    letGo?.();

    expect(refusal.metadata.get('holdfast-reason')).toEqual(['bulk']);
    await first;
    await answerTo((done) => started.kv.Range({ key }, done));
  });
});

/** A stream of watches that asks for each whether it may begin. */
function watchStream(member: FakeMember): void {
  member.onOpenWatchStream = (allowance): WatchStream => {
    const notices: WatchNotice[] = [];
    let wake: () => void = () => undefined;
    let open = 0;
    let isClosed = false;
    return {
      pending: 0,
      create: (watchId) => {
        const isAllowed = allowance?.maybeTake(1) ?? true;
        open += isAllowed ? 1 : 0;
        notices.push(
          isAllowed
            ? { type: 'created', watchId, revision: 7 }
            : { type: 'rejected', revision: 7, reason: 'too many' },
        );
        wake();
      },
      cancel: () => undefined,
      requestProgress: () => undefined,
      sent: () => undefined,
      next: async () => {
        while (notices.length === 0 && !isClosed) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
        return notices.shift();
      },
      close: () => {
        allowance?.give(open);
        open = 0;
        isClosed = true;
        wake();
      },
    };
  };
}

describe('watches', () => {
  test('beyond those of a client are cancelled at once, and make room when they end', async () => {
    const member = new FakeMember();
    watchStream(member);
    const started = await served(member, {
      limits: { ...farLimits, watches: { client: 2, member: 100 } },
    });
    const watch = async (count: number): Promise<{ answers: string[]; end: () => void }> => {
      const stream = started.watch.Watch();
      stream.on('error', () => undefined);
      const answers: string[] = [];
      stream.on('data', ({ canceled }: { readonly canceled: boolean }) => {
        answers.push(canceled ? 'cancelled' : 'created');
      });
      for (let id = 1; id <= count; id++) {
        stream.write({ create_request: { key, watch_id: id } });
      }
      await eventually(() => expect(answers).toHaveLength(count));
      return { answers, end: () => stream.cancel() };
    };

    const first = await watch(3);
    expect(first.answers).toEqual(['created', 'created', 'cancelled']);
    first.end();

    await eventually(async () => {
      const again = await watch(1);
      again.end();
      expect(again.answers).toEqual(['created']);
    });
  });

  test('streams beyond those of a client are refused', async () => {
    const member = new FakeMember();
    watchStream(member);
    const started = await served(member, {
      limits: { ...farLimits, streams: { client: 1, member: 100 } },
    });
    const first = started.watch.Watch();
    first.on('error', () => undefined);
    first.write({ create_request: { key } });
    await once(first, 'data');

    const second = started.watch.Watch();
    const [error] = (await once(second, 'error')) as [ServiceError];

    expect(error.code).toBe(status.RESOURCE_EXHAUSTED);
    expect(error.metadata.get('holdfast-reason')).toEqual(['streams']);
    first.cancel();
  });
});

describe('a stream on which its client goes on speaking', () => {
  const limits = { ...farLimits, inflightBytes: { client: 300, member: 10_000 } };

  test('lives on, however much has been said on it', async () => {
    const member = new FakeMember();
    watchStream(member);
    const { watch } = await served(member, { limits });
    const stream = watch.Watch();
    let answers = 0;
    stream.on('data', () => answers++);
    const ended = once(stream, 'error').then(([error]) => error as ServiceError);

    for (let id = 1; id <= 100; id++) {
      stream.write({ create_request: { key, watch_id: id } });
    }

    await Promise.race([ended, eventually(() => expect(answers).toBe(100))]);
    expect(answers).toBe(100);
    stream.cancel();
    expect(await ended).toMatchObject({ code: status.CANCELLED });
  });
});

describe('leases', () => {
  test('beyond those that the cluster may have are not granted', async () => {
    const member = new FakeMember();
    member.leases.count = 5;
    const { lease } = await served(member, { limits: { ...farLimits, leases: 5 } });

    const refusal = await refusalOf((done) => lease.LeaseGrant({ TTL: 10 }, done));

    expect(refusal.details).toBe('etcdserver: too many requests');
    expect(refusal.metadata.get('holdfast-outcome')).toEqual(['rejected']);
    expect(refusal.metadata.get('holdfast-reason')).toEqual(['leases']);
    expect(retryMsOf(refusal)).toBeGreaterThanOrEqual(1000);
    expect(member.asked).toEqual([]);
  });
});

describe('while memory is short', () => {
  const events: SheddingEvent[] = [];
  const memory = { bounds: wholeMember, used: 0 };
  const options = {
    memory: {
      bounds: wholeMember,
      sample: () => ({ residentBytes: memory.used, heapBytes: 0 }),
    },
    limits: { ...farLimits, inflightRequests: { client: 100, member: 32 } },
    onShedding: (event: SheddingEvent) => {
      events.push(event);
    },
  };

  test('bulk work and new watches are refused, puts trickle, renewals go on', async () => {
    const member = new SlowMember();
    const started = await served(member, options);
    const { kv, lease, maintenance, timers, watch } = started;
    member.onKeepAlive = async () => Promise.resolve(9000);
    memory.used = 950;
    await timers.run(100);

    const snapshot = maintenance.Snapshot({});
    const [snapshotError] = (await once(snapshot, 'error')) as [ServiceError];
    const stream = watch.Watch();
    const [watchError] = (await once(stream, 'error')) as [ServiceError];
    beginPuts(kv, 1);
    await eventually(() => expect(member.waiting).toBe(1));
    const putError = await refusalOf((done) => kv.Put({ key }, done));
    const keepAlive = lease.LeaseKeepAlive();
    keepAlive.write({ ID: '7' });
    await once(keepAlive, 'data');
    keepAlive.end();

    for (const error of [snapshotError, watchError, putError]) {
      expect(error.metadata.get('holdfast-reason')).toEqual(['memory']);
    }
    memory.used = 100;
    await timers.run(100);
    beginPuts(kv, 1);
    await eventually(() => expect(member.waiting).toBe(2));
    member.letGo();
  });

  test('an operator is told when shedding begins and ends, not of each call', async () => {
    events.length = 0;
    const member = new SlowMember();
    const started = await served(member, options);
    const { maintenance, timers } = started;
    memory.used = 850;
    await timers.run(100);
    for (let at = 0; at < 3; at++) {
      await once(maintenance.Snapshot({}), 'error');
    }
    expect(await valueOf(started, 'holdfast_memory_shortage')).toBe(1);
    memory.used = 100;
    await timers.run(6000);

    expect(events).toEqual([
      {
        ...{ type: 'shedding-started', reason: 'memory', client: '' },
        ...{ residentBytes: 850, heapBytes: 0 },
      },
      { type: 'shedding-ended', refused: 3, seconds: 5 },
    ]);
    expect(await valueOf(started, 'holdfast_memory_shortage')).toBe(0);
  });
});

describe('what is under way', () => {
  test('shows in metrics, and is nothing once all calls are over', async () => {
    const member = new SlowMember();
    const started = await served(member);
    const { kv, timers } = started;
    beginPuts(kv, 3, Buffer.alloc(1000));
    await eventually(() => expect(member.waiting).toBe(3));
    await timers.run(100);

    expect(await valueOf(started, 'holdfast_inflight_requests')).toBe(3);
    expect(await valueOf(started, 'holdfast_inflight_bytes')).toBeGreaterThan(3000);
    expect(await valueOf(started, 'holdfast_clients')).toBe(1);
    member.letGo();
    await eventually(async () => {
      await timers.run(1000);
      expect(await valueOf(started, 'holdfast_inflight_requests')).toBe(0);
      expect(await valueOf(started, 'holdfast_inflight_bytes')).toBe(0);
      expect(await valueOf(started, 'holdfast_clients')).toBe(0);
    });
  });
});
