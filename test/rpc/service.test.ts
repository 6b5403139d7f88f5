/** What all services share: bounds of a call, headers, and how a call is answered and counted. */
import { once } from 'node:events';
import { Duplex } from 'node:stream';
import { Metadata, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { KvError } from '../../src/base/index.ts';
import { fingerprintOf } from '../../src/kv/index.ts';
import { nodeCryptography } from '../../src/cli/node-cryptography.ts';
import { Metrics } from '../../src/observability/index.ts';
import { Admission } from '../../src/rpc/admission.ts';
import { Callers } from '../../src/rpc/callers.ts';
import { callOptions, headerOf, sendTogether, type ServiceContext } from '../../src/rpc/service.ts';
import { VirtualLoop } from '../harness/virtual-loop.ts';
import { farAdmission } from './admitting.ts';
import { FakeMember } from './fake-member.ts';
import { answerTo, refusalOf, serve, type Serving } from './serving.ts';

const key = Buffer.from('key');
const now = 1_000_000;

function contextOf(member: FakeMember): ServiceContext {
  const metrics = new Metrics();
  return {
    member,
    metrics,
    admission: new Admission({
      ...farAdmission,
      metrics,
      requestBytesMax: 1024,
      timers: new VirtualLoop(),
    }),
    requestBytesMax: 64 * 1024,
    txnOperationsMax: 128,
    txnDepthMax: 32,
    idempotencyKeyBytesMax: 128,
    accountNameBytesMax: 256,
    callers: new Callers({
      ...{ member, metrics, nowMs: () => 0, tokenLifeMs: 300_000, onDenied: () => undefined },
      cryptography: nodeCryptography,
    }),
    fingerprintOf,
    quotaBytes: 0,
    version: '9.8.7',
    epochMs: () => now,
    nowMs: () => 0,
    onDefect: () => undefined,
  };
}

function callOf(deadline: Date | number, hasleader?: string): Parameters<typeof callOptions>[1] {
  const metadata = new Metadata();
  if (hasleader !== undefined) {
    metadata.set('hasleader', hasleader);
  }
  return { metadata, getDeadline: () => deadline, getPath: () => '/etcdserverpb.KV/Put' };
}

describe('the bounds of a call', () => {
  const context = contextOf(new FakeMember());

  test('pass on what is left until the deadline, given as a date or in milliseconds', () => {
    expect(callOptions(context, callOf(now + 250))).toEqual({ deadlineMs: 250 });
    expect(callOptions(context, callOf(new Date(now + 250)))).toEqual({ deadlineMs: 250 });
  });

  test('are none without a deadline', () => {
    expect(callOptions(context, callOf(Number.POSITIVE_INFINITY))).toEqual({});
  });
});

describe('messages that wait', () => {
  /** A call as grpc-js has it: a message is sent by `_write`, which calls back later. */
  function heldCall() {
    const sent: string[] = [];
    const finish: ((error?: Error) => void)[] = [];
    const call = new Duplex({
      objectMode: true,
      read: () => undefined,
      write: (message: string, _encoding, callback) => {
        sent.push(message);
        finish.push(callback);
      },
    });
    sendTogether(call as unknown as Parameters<typeof sendTogether>[0]);
    return { call, sent, finish };
  }

  test('leave together and in order, once the one before has left', () => {
    const { call, sent, finish } = heldCall();
    for (const message of ['a', 'b', 'c', 'd']) {
      call.write(message);
    }
    expect(sent).toEqual(['a']);

    finish[0]?.();
    expect(sent).toEqual(['a', 'b', 'c', 'd']);

    call.write('e');
    finish[1]?.();
    finish[2]?.();
    expect(sent.length).toBe(4);
    finish[3]?.();
    expect(sent).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  test('fail together when one of them does', async () => {
    const { call, finish } = heldCall();
    const failed = once(call, 'error');
    for (const message of ['a', 'b', 'c']) {
      call.write(message);
    }
    finish[0]?.();
    finish[1]?.(new Error('cut off'));
    finish[2]?.();

    expect(await failed).toMatchObject([{ message: 'cut off' }]);
  });
});

describe('a client that asks for a leader ("hasleader: true")', () => {
  const member = new FakeMember();
  const context = contextOf(member);

  test('is refused by a member that knows none: "etcdserver: no leader"', () => {
    member.leader = 0;

    expect(() => callOptions(context, callOf(now, 'true'))).toThrow('etcdserver: no leader');
  });

  test('is served by a member that knows one', () => {
    member.leader = 5;

    expect(() => callOptions(context, callOf(now, 'true'))).not.toThrow();
  });

  test('asks with the value "true" and no other, as in etcd', () => {
    member.leader = 0;

    expect(() => callOptions(context, callOf(now, 'false'))).not.toThrow();
    expect(() => callOptions(context, callOf(now))).not.toThrow();
  });
});

test('a header carries ids, revision and term', () => {
  const member = new FakeMember();

  expect(headerOf(contextOf(member), 12)).toEqual({
    cluster_id: Number.MAX_SAFE_INTEGER,
    member_id: 1001,
    revision: 12,
    raft_term: 3,
  });
});

describe('a unary call', () => {
  let member: FakeMember;
  let serving: Serving;

  beforeEach(async () => {
    member = new FakeMember();
    serving = await serve(member);
  });

  afterEach(async () => {
    await serving.close();
  });

  test('tells the member the deadline of its client', async () => {
    const metadata = new Metadata();
    const deadline = Date.now() + 20_000;

    await answerTo((done) =>
      serving.cluster.MemberList({ linearizable: true }, metadata, { deadline }, done),
    );

    const [asked] = member.asked;
    const deadlineMs = asked?.options?.deadlineMs ?? 0;
    expect(deadlineMs).toBeGreaterThan(0);
    expect(deadlineMs).toBeLessThanOrEqual(20_000);
  });

  test('that asks for a leader where none is known never reaches the member', async () => {
    member.leader = 0;
    const metadata = new Metadata();
    metadata.set('hasleader', 'true');

    const error = await refusalOf((done) => serving.kv.Put({ key }, metadata, done));

    expect(error).toMatchObject({ code: status.UNAVAILABLE, details: 'etcdserver: no leader' });
    expect(member.asked).toEqual([]);
  });

  test('too large for the member is refused: "etcdserver: request is too large"', async () => {
    member.onPropose = async () => Promise.reject(new KvError('REQUEST_TOO_LARGE'));

    const error = await refusalOf((done) => serving.kv.Put({ key }, done));

    expect(error).toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: 'etcdserver: request is too large',
    });
  });

  test('whose client cancels does no harm when its answer comes', async () => {
    const answer = new Promise<void>((resolve) => {
      member.onPropose = async () => {
        call.cancel();
        // Another call on the same connection arrives after the cancellation.
        await answerTo((done) => serving.maintenance.Status({}, done));
        resolve();
        return { kind: 'ok', revision: 8, result: { type: 'put' } };
      };
    });
    let call = { cancel: (): void => undefined };

    const refusal = refusalOf((done) => (call = serving.kv.Put({ key }, done)));

    expect(await refusal).toMatchObject({ code: status.CANCELLED });
    await answer;
    await answerTo((done) => serving.maintenance.Status({}, done));
    expect(serving.defects).toEqual([]);
  });

  test('that fails without a known code is internal and reported as a defect', async () => {
    const cause = new TypeError('of the inside');
    member.onPropose = async () => Promise.reject(cause);

    const error = await refusalOf((done) => serving.kv.Put({ key }, done));

    expect(error).toMatchObject({ code: status.INTERNAL, details: 'etcdserver: internal error' });
    expect(error.metadata.get('holdfast-outcome')).toEqual(['unknown']);
    expect(serving.defects).toEqual([cause]);
  });

  test('is counted by its method and the code it ended in', async () => {
    member.onPropose = async () =>
      Promise.resolve({ kind: 'ok', revision: 8, result: { type: 'put' } });

    await answerTo((done) => serving.kv.Put({ key }, done));
    await answerTo((done) => serving.kv.Put({ key }, done));
    await refusalOf((done) => serving.kv.Put({}, done));
    member.onPropose = async () => Promise.reject(new Error('unexpected'));
    await refusalOf((done) => serving.kv.Put({ key }, done));

    const metrics = await serving.metrics.render();
    expect(metrics).toContain('holdfast_requests_total{method="Put",code="OK"} 2');
    expect(metrics).toContain('holdfast_requests_total{method="Put",code="EMPTY_KEY"} 1');
    expect(metrics).toContain('holdfast_requests_total{method="Put",code="INTERNAL"} 1');
    expect(metrics).toContain('holdfast_request_duration_seconds_count 4');
  });
});
