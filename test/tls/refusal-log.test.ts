import { beforeEach, describe, expect, test } from 'vitest';
import { RefusalLog, type RefusedConnection } from '../../src/tls/refusal-log.ts';
import { VirtualLoop } from '../harness/virtual-loop.ts';

let loop: VirtualLoop;
let told: RefusedConnection[];
let log: RefusalLog;

const refusal = { listener: 'clients', kind: 'handshake', reason: 'r', client: 'c' } as const;

beforeEach(() => {
  loop = new VirtualLoop();
  told = [];
  log = new RefusalLog(loop, (refused) => told.push(refused));
});

describe('RefusalLog', () => {
  test('tells the first refusal of a kind, and counts the others', () => {
    for (let i = 0; i < 1000; i++) {
      log.tell(refusal);
    }
    log.tell({ ...refusal, kind: 'slow' });

    expect(told).toHaveLength(1001);
    expect(told.filter(({ isTold }) => isTold)).toEqual([
      { ...refusal, isTold: true },
      { ...refusal, kind: 'slow', isTold: true },
    ]);
  });

  test('tells again after ten seconds, with how many there were', async () => {
    log.tell(refusal);
    log.tell(refusal);
    log.tell(refusal);
    await loop.run(10_000);
    log.tell(refusal);

    expect(told.at(-1)).toEqual({ ...refusal, isTold: true, more: 2 });
  });
});
