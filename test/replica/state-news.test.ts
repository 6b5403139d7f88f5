/** What comes from the state, and whom it is told. */
import { describe, expect, test } from 'vitest';
import { Metrics } from '../../src/observability/index.ts';
import { encodeConfiguration } from '../../src/raft/configurations.ts';
import { Applying } from '../../src/replica/applying.ts';
import { Calls } from '../../src/replica/calls.ts';
import { MemberList } from '../../src/replica/member-list.ts';
import { MemberState } from '../../src/replica/member-state.ts';
import {
  encodeMembership,
  initialConfiguration,
  type Membership,
  type MemberRecord,
} from '../../src/replica/membership.ts';
import { StateNews } from '../../src/replica/state-news.ts';
import { StateDisk } from '../harness/memory-state.ts';
import { VirtualLoop } from '../harness/virtual-loop.ts';
import { put, entriesOf } from './commands.ts';
import { waited } from './waited.ts';

const records: readonly MemberRecord[] = [1, 2, 3].map((id) => ({
  ...{ id, name: `n${id}`, peerUrls: [`http://n${id}`], autoPromote: false },
}));

/** Member 1 of three; whatever it is told, and tells, is noted in its order. */
async function start() {
  const loop = new VirtualLoop();
  const told: string[] = [];
  const note = (what: string) => (): void => {
    told.push(what);
  };
  const state = await MemberState.open(new StateDisk().open(), {
    cacheBytesMax: 1024,
    handler: {
      onApplied: (batch, output) => {
        news.applied(batch, output);
      },
      onReadable: (index) => {
        news.readable(index);
      },
      ...{ onFatal: fail, onDamaged: fail, onRemoved: note('history goes') },
      hasListeners: () => true,
      hasReaders: () => false,
      eventLoop: loop,
    },
  });
  const metrics = new Metrics();
  const nowMs = (): number => loop.nowMs();
  const calls = new Calls(metrics, nowMs);
  const applying = new Applying({ calls, metrics, nowMs, leader: () => 1 });
  const news = new StateNews({
    config: {
      id: 1,
      transport: {
        setPeers: (peers) => told.push(`dials ${peers.map(({ name }) => name).join()}`),
        hangUp: (id) => told.push(`hangs up on ${id}`),
      },
      peerOf: ({ id, name }) => ({ id, name, address: '' }),
      eventLoop: loop,
      logger: { info: note('logs'), warn: fail, error: fail },
    },
    replica: {
      noteTime: () => undefined,
      noteState: note('raft: state'),
      applyDone: (index) => told.push(`raft: applied ${index}`),
      readable: (index) => told.push(`raft: readable ${index}`),
    },
    ...{ state, applying, members: new MemberList(initialConfiguration(records)) },
    watches: {
      applied: note('watches: events'),
      replaced: note('watches: replaced'),
      reauthorise: note('watches: who may?'),
    },
    integrity: { replaced: note('integrity: replaced') },
    onNews: () => undefined,
    onRemoved: note('this member goes'),
  });
  const apply = async (
    entries: Parameters<typeof state.lane.push>[0]['entries'],
    isAwaited = true,
  ) => {
    const isProposed = ({ command }: (typeof entries)[number]) => isAwaited && command.length > 0;
    const proposalIds = entries.map((entry) => (isProposed(entry) ? entry.index : 0));
    const batch = { entries, proposalIds };
    const awaited = proposalIds.filter((id) => id !== 0);
    const outcomes = Promise.allSettled(
      awaited.map(async (id) =>
        waited((waiter) => {
          calls.addProposal(id, 1, waiter);
        }),
      ),
    );
    applying.begin(batch);
    state.lane.push(batch);
    await loop.run(1);
    return outcomes;
  };
  return { told, news, apply, applying, calls };
}

function fail(error: unknown): void {
  throw error;
}

/** The entry of a configuration with these members, others having been removed. */
function membershipEntry(index: number, members: readonly number[], removedIds: readonly number[]) {
  const membership: Membership = {
    members: records.filter(({ id }) => members.includes(id)),
    removedIds,
  };
  const { confState } = initialConfiguration(membership.members);
  const data = encodeConfiguration({ confState, context: encodeMembership(membership) });
  return { index, term: 1, command: new Uint8Array(0), membership: data };
}

describe('StateNews', () => {
  test('callers and watchers hear of a batch before Raft may hand out more', async () => {
    const { told, apply } = await start();

    const [answer] = await apply(entriesOf([put('a', '1')]));

    expect(answer).toMatchObject({ status: 'fulfilled', value: { kind: 'ok' } });
    expect(told).toEqual(['watches: events', 'raft: state', 'raft: applied 1', 'raft: readable 1']);
  });

  test('history goes on a member whose callers wait for no compaction', async () => {
    const { told, apply } = await start();
    const commands = [put('a', '1'), put('a', '2'), { type: 'compact', revision: 3 } as const];

    await apply(entriesOf(commands), false);

    expect(told).toContain('history goes');
  });

  test('whoever is removed is hung up on, so that it hears of it when it dials', async () => {
    const { told, apply } = await start();

    await apply([membershipEntry(1, [1, 2], [3])]);

    expect(told).toContain('hangs up on 3');
    expect(told).not.toContain('this member goes');
  });

  test('a member that has applied its own removal goes', async () => {
    const { told, apply } = await start();

    await apply([membershipEntry(1, [2, 3], [1])]);

    expect(told).toContain('this member goes');
  });

  test('a member that has told its name is dialled by that', async () => {
    const { told, apply } = await start();
    const value = new TextEncoder().encode(JSON.stringify({ name: 'new', clientUrls: [] }));

    await apply(entriesOf([{ type: 'setRecord', name: 'attributes/2', value }]));

    expect(told).toContain('dials new,n3');
  });

  test('another state in place: who waited for the old one is told, and all go by it', async () => {
    const { told, news, applying, calls } = await start();
    const entries = entriesOf([put('a', '1')]);
    applying.begin({ entries, proposalIds: [7] });
    const waiting = waited((waiter) => {
      calls.addProposal(7, 1, waiter);
    }).catch((error: unknown) => error);

    news.replaced(5);

    expect(await waiting).toMatchObject({ outcome: 'unknown' });
    expect(told).toEqual([
      'raft: state',
      'dials n2,n3',
      'watches: replaced',
      'integrity: replaced',
      'logs',
    ]);
  });
});
