/**
 * Holdfast answers requests on a stream of watches as etcd does, for what no command line can ask:
 * ids that clients choose, cancels of what is not there, ranges without keys, odd filters.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { WatchCreateRequest__Input as WatchCreateRequest } from '../../src/wire/generated/etcdserverpb/WatchCreateRequest.ts';
import type { WatchRequest__Input as WatchRequest } from '../../src/wire/generated/etcdserverpb/WatchRequest.ts';
import { hasEtcd } from './etcd-server.ts';
import { bytes } from './raw-client.ts';
import { RawSides } from './raw-sides.ts';

function create(request: WatchCreateRequest): WatchRequest {
  return { create_request: request };
}

function cancel(watch_id: number): WatchRequest {
  return { cancel_request: { watch_id } };
}

const x = bytes('x');

/** What is asked on one stream, and how many answers there are to it. */
const cases: readonly (readonly [string, readonly WatchRequest[], number])[] = [
  ['an id twice', [create({ key: x, watch_id: 5 }), create({ key: x, watch_id: 5 })], 2],
  [
    'ids that the server chooses, around those of the client',
    [
      ...[create({ key: x }), create({ key: x, watch_id: 1 }), create({ key: x })],
      ...[create({ key: x, watch_id: 3 }), create({ key: x })],
    ],
    5,
  ],
  [
    'an id that is in use by a choice of the server',
    [create({ key: x }), create({ key: x }), create({ key: x, watch_id: 1 })],
    3,
  ],
  ['negative ids', [create({ key: x, watch_id: -3 }), create({ key: x, watch_id: -1 })], 2],
  ['an id again after its cancel', [create({ key: x }), cancel(0), create({ key: x })], 3],
  [
    'cancels of what is not there, which are not answered',
    [cancel(9), cancel(-1), create({ key: x, watch_id: 5 }), cancel(5), cancel(5), cancel(9)],
    2,
  ],
  ['a request that asks for nothing', [{}, create({ key: x })], 1],
  [
    'ranges without keys',
    [
      create({ key: x, range_end: bytes('a') }),
      create({ key: x, range_end: x }),
      create({ key: x, range_end: bytes('y') }),
    ],
    3,
  ],
  ['no key, and no key with an end', [create({}), create({ range_end: bytes('\0') })], 2],
  [
    'filters twice, and an unknown one',
    [
      create({ key: x, filters: ['NOPUT', 'NODELETE', 'NOPUT'] }),
      create({ key: x, filters: [7 as never] }),
    ],
    2,
  ],
];

describe.runIf(hasEtcd())('requests for watches are answered alike:', () => {
  let sides: RawSides;

  beforeAll(async () => {
    sides = await RawSides.start();
  });

  afterAll(async () => {
    await sides.stop();
  });

  test.each(cases)('%s', async (_title, requests, count) => {
    const expected = await sides.etcd.stream('Watch', requests, count);

    expect(expected).toHaveLength(count);
    for (const member of sides.members) {
      const answers = await member.stream('Watch', requests, count);
      expect(answers).toEqual(expected.map((each) => ({ ...(each as object), complete: false })));
    }
  });
});
