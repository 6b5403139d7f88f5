import { describe, expect, test } from 'vitest';
import type { WatchEvent } from '../../src/replica/index.ts';
import { EncodedAnswer, watchDefinition } from '../../src/rpc/watch-encoding.ts';
import { services } from '../../src/wire/index.ts';

const { Watch } = services['etcdserverpb.Watch'];
const header = { cluster_id: '1', member_id: '18446744073709551615', revision: 9, raft_term: 3 };

function eventOf(key: string, modRevision: number): WatchEvent {
  const numbers = { createRevision: 2, modRevision, version: 1, lease: 7n, ttlMs: 0 };
  const kv = { key: Buffer.from(key), value: Buffer.from(`value of ${key}`), ...numbers };
  return { type: 'put', isExpiry: false, kv, prevKv: kv };
}

describe('responses of watches', () => {
  test('are read as one message, head and events of all parts in order', () => {
    const parts = [[eventOf('a', 3), eventOf('b', 3)], [eventOf('c', 4)]];
    const head = { header, watch_id: 5, fragment: true };

    const bytes = watchDefinition.Watch.responseSerialize(new EncodedAnswer(head, parts));

    const response = Watch.responseDeserialize(bytes);
    expect(response).toMatchObject({
      header: { member_id: header.member_id, revision: '9' },
      ...{ watch_id: '5', fragment: true, created: false },
    });
    expect(
      response.events.map(({ type, kv, prev_kv: previous }) => [
        ...[type, String(kv?.key), String(kv?.value), kv?.mod_revision, kv?.lease],
        String(previous?.value),
      ]),
    ).toEqual([
      ['PUT', 'a', 'value of a', '3', '7', 'value of a'],
      ['PUT', 'b', 'value of b', '3', '7', 'value of b'],
      ['PUT', 'c', 'value of c', '4', '7', 'value of c'],
    ]);
  });

  test('encode a part that is told again only once', () => {
    let reads = 0;
    const event = eventOf('a', 3);
    const counted: WatchEvent = {
      ...event,
      get kv() {
        reads++;
        return event.kv;
      },
    };
    const part = [counted];

    const answers = [1, 2, 3].map((id) => new EncodedAnswer({ header, watch_id: id }, [part]));

    expect(reads).toBe(1);
    expect(answers.map(({ bytes }) => Watch.responseDeserialize(bytes).watch_id)).toEqual([
      '1',
      '2',
      '3',
    ]);
  });

  test('without events are encoded as they are', () => {
    const bytes = watchDefinition.Watch.responseSerialize({ header, watch_id: 1, created: true });

    expect(Watch.responseDeserialize(bytes)).toMatchObject({ watch_id: '1', created: true });
  });
});
