import { describe, expect, test } from 'vitest';
import { createPrng, KvError } from '../../src/base/index.ts';
import { defaultRaftOptions } from '../../src/raft/index.ts';
import { createRaftConfig } from '../../src/replica/bootstrap.ts';
import { initialConfiguration, unknownConfiguration } from '../../src/replica/membership.ts';
import { MemoryDisk, MemoryLog } from '../harness/memory-log.ts';

const configuration = initialConfiguration([
  { id: 1, name: 'a', peerUrls: ['http://a:1'], autoPromote: false },
]);

/** What a start makes of a log of `entries` entries of term 2 and a state at `applied`. */
function start(entries: number, applied: number, commitIndex = 0) {
  const disk = new MemoryDisk();
  disk.hardState = { currentTerm: 3, votedFor: 2, commitIndex };
  disk.entries = Array.from({ length: entries }, (_, i) => ({
    index: i + 1,
    term: 2,
    type: 'normal' as const,
    data: new Uint8Array(0),
  }));
  const log = new MemoryLog(disk);
  return createRaftConfig({
    id: 1,
    configuration,
    hardState: log.initialHardState,
    log: log.initialLog,
    lastApplied: { index: applied, term: applied === 0 ? 0 : 2 },
    options: defaultRaftOptions,
    prng: createPrng(1),
  });
}

/** A state at entry 3 under a log that begins after entry 5. */
function compacted(mayRebuild: boolean) {
  const disk = new MemoryDisk();
  disk.hardState = { currentTerm: 3, votedFor: 2, commitIndex: 0 };
  disk.start = { index: 5, term: 2 };
  const log = new MemoryLog(disk);
  return createRaftConfig({
    id: 1,
    configuration,
    hardState: log.initialHardState,
    log: log.initialLog,
    lastApplied: { index: 3, term: 2 },
    options: defaultRaftOptions,
    prng: createPrng(1),
    mayRebuild,
  });
}

describe('createRaftConfig', () => {
  test('keeps term and vote, and takes what was applied for committed', () => {
    expect(start(5, 4, 2).hardState).toEqual({ currentTerm: 3, votedFor: 2, commitIndex: 4 });
  });

  test('does not move the commit index back to what was applied', () => {
    expect(start(5, 2, 4)).toMatchObject({ lastApplied: 2, hardState: { commitIndex: 4 } });
  });

  test('takes the configuration as it is given', () => {
    expect(start(0, 0).configuration).toBe(configuration);
  });

  test('refuses a state that is ahead of the log, and says what to do', () => {
    let error: unknown;
    try {
      start(3, 4);
    } catch (thrown) {
      error = thrown;
    }

    expect(error).toBeInstanceOf(KvError);
    expect(error).toMatchObject({ code: 'DATA_CORRUPT' });
    expect(String(error)).toContain('holds entries up to 4, but the log ends at 3');
    expect(String(error)).toContain('remove the member and add it anew');
  });

  test('refuses a state that the log does not continue, unless it may be rebuilt', () => {
    expect(() => compacted(false)).toThrow('the state holds entries up to 3, but the log begins');
    expect(compacted(true)).toMatchObject({ lastApplied: 5, hardState: { commitIndex: 5 } });
  });

  test('a state that is to be rebuilt does not say who the members are', () => {
    expect(compacted(true).configuration).toEqual(unknownConfiguration());
  });
});
