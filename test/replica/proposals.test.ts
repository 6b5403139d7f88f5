import { describe, expect, test } from 'vitest';
import { decodeEnvelope, encodeEnvelope, ProposalTable } from '../../src/replica/proposals.ts';
import { withRoom } from './with-room.ts';

const command = new Uint8Array([1, 2, 3]);
const limits = { countMax: 3, bytesMax: 1000 };

function createTable(): ProposalTable {
  return new ProposalTable(7, 42, limits);
}

function add(table: ProposalTable, deadlineTick = 100): number {
  const id = table.maybeAdd(withRoom(command), deadlineTick);
  expect(id).toBeDefined();
  return id ?? 0;
}

/** Proposes all that is queued in `term` and returns the entries' data. */
function proposeAll(table: ProposalTable, term: number): readonly Uint8Array[] {
  const { ids, data } = table.takeQueued(Infinity);
  table.markProposed(ids, term);
  return data;
}

describe('envelope', () => {
  test('survives the round trip with ids above 32 bits', () => {
    const envelope = { origin: 2 ** 52 + 1, incarnation: 0xffff_ffff, id: 2 ** 40, command };

    const decoded = decodeEnvelope(encodeEnvelope(envelope));

    expect(decoded).toEqual(envelope);
  });

  test('of an unknown version or too short is refused', () => {
    const bytes = encodeEnvelope({ origin: 1, incarnation: 1, id: 1, command });
    bytes[0] = 9;

    expect(() => decodeEnvelope(bytes)).toThrow('envelope version 9 is not known');
    expect(() => decodeEnvelope(new Uint8Array(3))).toThrow('too short');
  });
});

describe('ProposalTable', () => {
  test('takes no more than its count', () => {
    const table = createTable();
    add(table);
    add(table);
    add(table);

    expect(table.maybeAdd(withRoom(command), 100)).toBeUndefined();
    expect(table.count).toBe(3);
  });

  test('takes no more than its bytes, but one of any size when empty', () => {
    const table = new ProposalTable(7, 42, { countMax: 10, bytesMax: 50 });

    expect(table.maybeAdd(withRoom(new Uint8Array(80)), 100)).toBeDefined();
    expect(table.maybeAdd(withRoom(command), 100)).toBeUndefined();
  });

  test('resolves a proposal once, and only of its own member and run', () => {
    const table = createTable();
    const id = add(table);
    const [data] = proposeAll(table, 1);
    const envelope = decodeEnvelope(data ?? new Uint8Array());

    expect(table.maybeResolve({ ...envelope, origin: 8 })).toBeUndefined();
    expect(table.maybeResolve({ ...envelope, incarnation: 43 })).toBeUndefined();
    expect(table.maybeResolve(envelope)).toBe(id);
    expect(table.maybeResolve(envelope)).toBeUndefined();
    expect(table.bytes).toBe(0);
  });

  test('expired while queued is rejected, expired once proposed is unknown', () => {
    const table = createTable();
    const proposed = add(table, 10);
    proposeAll(table, 1);
    const queued = add(table, 10);
    add(table, 11);

    expect(table.expire(10)).toEqual([
      { id: proposed, reason: 'timeout', outcome: 'unknown' },
      { id: queued, reason: 'timeout', outcome: 'rejected' },
    ]);
    expect(table.count).toBe(1);
  });

  test('refused by Raft goes back to the head of the queue, in order', () => {
    const table = createTable();
    const first = add(table);
    const second = add(table);
    const taken = table.takeQueued(Infinity);
    table.markProposed(taken.ids, 1);
    const third = add(table);

    table.requeue(taken.ids);

    expect(table.takeQueued(Infinity).ids).toEqual([first, second, third]);
  });

  test('an applied entry of a later term queues again what was proposed before it', () => {
    const table = createTable();
    const old = add(table);
    proposeAll(table, 2);
    const recent = add(table);
    proposeAll(table, 3);

    table.requeueLost(2);
    expect(table.hasQueued).toBe(false);
    table.requeueLost(3);

    expect(table.takeQueued(Infinity).ids).toEqual([old]);
    table.requeueLost(4);
    expect(table.takeQueued(Infinity).ids).toEqual([recent]);
  });

  test('a refusal that comes after its proposals have been proposed again changes nothing', () => {
    const table = createTable();
    const lost = add(table);
    proposeAll(table, 2);
    table.requeueLost(3);
    table.requeueRefused([lost], 2);

    expect(table.takeQueued(Infinity).ids).toEqual([lost]);
    table.markProposed([lost], 3);
    table.requeueRefused([lost], 2);
    expect(table.hasQueued).toBe(false);
    table.requeueRefused([lost], 3);
    expect(table.takeQueued(Infinity).ids).toEqual([lost]);
  });

  test('what was queued again counts as rejected when it then expires', () => {
    const table = createTable();
    const id = add(table, 10);
    proposeAll(table, 2);
    table.requeueLost(3);

    expect(table.expire(10)).toEqual([{ id, reason: 'timeout', outcome: 'rejected' }]);
    expect(table.takeQueued(Infinity).ids).toEqual([]);
  });

  test('cancelled tells whether it may still happen', () => {
    const table = createTable();
    const proposed = add(table);
    proposeAll(table, 1);
    const queued = add(table);

    expect(table.cancel(proposed)?.outcome).toBe('unknown');
    expect(table.cancel(queued)?.outcome).toBe('rejected');
    expect(table.cancel(queued)).toBeUndefined();
  });

  test('closing ends all of them with their true outcome', () => {
    const table = createTable();
    add(table);
    proposeAll(table, 1);
    add(table);

    expect(table.close().map((failure) => failure.outcome)).toEqual(['unknown', 'rejected']);
    expect(table.count).toBe(0);
  });
});
