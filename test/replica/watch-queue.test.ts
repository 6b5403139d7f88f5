import { describe, expect, test } from 'vitest';
import { encodeCommand, WatchHub } from '../../src/kv/index.ts';
import { AuthTable } from '../../src/kv/auth-table.ts';
import { WatchQueue } from '../../src/replica/watch-queue.ts';
import { put } from '../kv/commands.ts';
import { bytes, Machine } from '../kv/map-store.ts';

const watches = 200;
const ranges = [{ key: bytes('a'), rangeEnd: bytes('') }];
const request = {
  ...{ ranges, startRevision: 0, prevKv: false, keysOnly: false, progressNotify: false },
  ...{ wantsPuts: true, wantsDeletes: true },
};

describe('WatchQueue', () => {
  test('who is behind is called for each half of the room, not for each event', () => {
    const hub = new WatchHub(1, -1);
    let calls = 0;
    const queue = new WatchQueue({
      ...{ hub, queuedBytesMax: 2000, mayAdd: () => true, auth: new AuthTable() },
      complete: async () => Promise.reject(new Error('nothing before is wanted')),
      onRoom: () => {
        calls++;
        hub.catchUp();
      },
      onProgressDue: () => undefined,
      onClosed: () => undefined,
    });
    for (let i = 0; i < watches; i++) {
      queue.create(0, request);
    }
    const { events, revision, compactRevision } = new Machine().apply([
      encodeCommand(put('a', '1')),
    ]);
    hub.publish(events, revision, compactRevision);
    expect(hub.behind, 'there is room for some of them only').toBeGreaterThan(watches / 2);
    const served = watches - hub.behind;

    let told = 0;
    for (let waiting = queue.take(); waiting !== undefined; waiting = queue.take()) {
      told += waiting.type === 'events' ? 1 : 0;
    }

    expect(told, 'each watch is told once').toBe(watches);
    expect(hub.behind).toBe(0);
    expect(calls).toBeLessThanOrEqual(Math.ceil((2 * watches) / served) + 1);
  });
});
