/** The client's hand-written Watch messages say the same as the contracts as they are loaded. */
import { describe, expect, test } from 'vitest';
import { services, watchMethod } from '../../src/wire/index.ts';

const { Watch } = services['etcdserverpb.Watch'];
const key = Buffer.from('key');
const { requestSerialize, responseDeserialize } = watchMethod;

test('the method is that of the contract', () => {
  expect(watchMethod.path).toBe(Watch.path);
});

describe('a request', () => {
  test('to create a watch has all its fields', () => {
    const bytes = requestSerialize({
      type: 'create',
      create: {
        ...{ key, rangeEnd: Buffer.from('kez'), startRevision: 2 ** 40, progressNotify: true },
        ...{ without: 'delete', prevKv: true, fragment: true },
      },
    });

    expect(Watch.requestDeserialize(bytes)).toMatchObject({
      create_request: {
        ...{ key, range_end: Buffer.from('kez'), start_revision: String(2 ** 40) },
        ...{ progress_notify: true, filters: ['NODELETE'], prev_kv: true, fragment: true },
      },
    });
  });

  test('that says the least has the defaults', () => {
    const bytes = requestSerialize({ type: 'create', create: { key, startRevision: 0 } });

    expect(Watch.requestDeserialize(bytes)).toMatchObject({
      create_request: { key, start_revision: '0', filters: [], prev_kv: false, watch_id: '0' },
    });
  });

  test('may leave out puts, whose number is 0', () => {
    const bytes = requestSerialize({
      ...{ type: 'create', create: { key, startRevision: 0, without: 'put' } },
    });

    expect(Watch.requestDeserialize(bytes)).toMatchObject({
      create_request: { filters: ['NOPUT'] },
    });
  });

  test('cancels a watch, the one with id 0 too', () => {
    for (const watchId of ['0', '7', '-9223372036854775808']) {
      const bytes = requestSerialize({ type: 'cancel', watchId });

      expect(Watch.requestDeserialize(bytes)).toMatchObject({
        cancel_request: { watch_id: watchId },
      });
    }
  });

  test('asks for progress', () => {
    expect(Watch.requestDeserialize(requestSerialize({ type: 'progress' }))).toMatchObject({
      ...{ request_union: 'progress_request' },
    });
  });
});

describe('an answer', () => {
  test('has events, with what was there before', () => {
    const bytes = Watch.responseSerialize({
      ...{ header: { revision: 2 ** 50 }, watch_id: -1, fragment: true },
      events: [
        { kv: { key, value: key, mod_revision: 5 }, prev_kv: { key, mod_revision: 4 } },
        { type: 'DELETE', kv: { key, mod_revision: 6 }, expired: true },
      ],
    });

    expect(responseDeserialize(bytes)).toMatchObject({
      ...{ revision: 2 ** 50, watchId: '-1', isFragment: true, isCreated: false },
      events: [
        { type: 'put', kv: { key, value: key, modRevision: 5 }, prevKv: { modRevision: 4 } },
        { type: 'delete', kv: { key, modRevision: 6 }, prevKv: undefined, isExpiry: true },
      ],
    });
  });

  test('tells that a watch is created, or cancelled and why', () => {
    const created = Watch.responseSerialize({
      header: { revision: 9 },
      watch_id: 3,
      created: true,
    });
    const canceled = Watch.responseSerialize({
      ...{ watch_id: 3, canceled: true, compact_revision: 8, cancel_reason: 'compacted' },
    });

    expect(responseDeserialize(created)).toMatchObject({
      ...{ revision: 9, watchId: '3', isCreated: true, isCanceled: false, events: [] },
    });
    expect(responseDeserialize(canceled)).toMatchObject({
      ...{ watchId: '3', isCanceled: true, compactRevision: 8, cancelReason: 'compacted' },
    });
  });

  test('tells whether progress holds for all watches', () => {
    const bytes = Watch.responseSerialize({ watch_id: -1, complete: true });

    expect(responseDeserialize(bytes)).toMatchObject({ watchId: '-1', isComplete: true });
  });

  test('with an event that has no key is an error', () => {
    expect(() => responseDeserialize(Watch.responseSerialize({ events: [{}] }))).toThrow(
      'an event without a key',
    );
  });
});
