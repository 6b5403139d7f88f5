import { describe, expect, test } from 'vitest';
import { InvariantViolation } from '../../src/base/index.ts';
import { membershipMetaKey } from '../../src/kv/index.ts';
import {
  decodeMembershipRecord,
  decodeMeta,
  encodeMeta,
  initialMeta,
  membershipWrite,
  type StateMeta,
} from '../../src/kv/state-meta.ts';
import { bytes } from './map-store.ts';

const meta: StateMeta = {
  appliedIndex: 2 ** 40,
  appliedTerm: 3,
  revision: 1000,
  compactRevision: 900,
  baseRevision: 700,
  compactedRevision: 800,
  compactCursor: { main: 850, sub: 3 },
  stateHash: { high: 0xffff_fffe, low: 0x8000_0001 },
  alarms: [
    { memberId: 2 ** 53 - 1, alarm: 'corrupt' },
    { memberId: 1, alarm: 'nospace' },
    { memberId: 2, alarm: 'nospace' },
  ],
  timeMs: 2 ** 41 + 7,
  keyedAnswers: { count: 70_000, hasNew: true },
  level: 1,
};

describe('the meta record', () => {
  test.each([meta, initialMeta, { ...meta, level: 2 }])(
    'survives the round trip, and no cut of it does %#',
    (record) => {
      const encoded = encodeMeta(record);
      expect(decodeMeta(encoded)).toEqual(record);
      for (let length = 0; length < encoded.length; length++) {
        expect(() => decodeMeta(encoded.subarray(0, length))).toThrow(InvariantViolation);
      }
    },
  );

  test('of another version is refused with both versions named', () => {
    const older = encodeMeta(meta);
    older[0] = 1;
    expect(() => decodeMeta(older)).toThrow(
      'unknown format 1: this version of Holdfast reads format 5',
    );
  });

  test('says the feature level from the second on, and is as it was before until then', () => {
    const first = encodeMeta(meta);
    const second = encodeMeta({ ...meta, level: 2 });

    expect(first[0]).toBe(4);
    expect(second.slice(0, 2)).toEqual(Uint8Array.of(5, 2));
    expect(second.slice(2)).toEqual(first.slice(1));
    expect(decodeMeta(second)).toEqual({ ...meta, level: 2 });
  });

  test('of a format to come is refused by the level that it says', () => {
    const later = encodeMeta({ ...meta, level: 9 });
    later[0] = 6;

    const details = { level: 9, oldest: 1, newest: 3 };
    expect(() => decodeMeta(later)).toThrow(
      expect.objectContaining({ code: 'VERSION_MISMATCH', details }) as Error,
    );
  });

  test('of an older version is read as one of no answers, or of no time either', () => {
    const withoutAnswers = { ...meta, timeMs: 0, keyedAnswers: initialMeta.keyedAnswers };
    const encoded = encodeMeta(withoutAnswers);
    for (const [format, bytesLess] of [
      [3, 2],
      [2, 3],
    ] as const) {
      const older = encoded.slice(0, -bytesLess);
      older[0] = format;
      expect(decodeMeta(older)).toEqual(withoutAnswers);
    }
  });

  test('with alarms out of order, or one twice, is refused', () => {
    const alarms = [...meta.alarms].reverse();
    expect(() => decodeMeta(encodeMeta({ ...meta, alarms }))).toThrow('in order, each once');
    const [alarm] = meta.alarms;
    const twice = alarm === undefined ? [] : [alarm, alarm];
    expect(() => decodeMeta(encodeMeta({ ...meta, alarms: twice }))).toThrow('each once');
  });

  test('with an alarm that is not known is refused', () => {
    const encoded = encodeMeta({ ...initialMeta, alarms: [{ memberId: 1, alarm: 'nospace' }] });
    // Before the member's id, the time and the answers.
    encoded[encoded.length - 5] = 9;
    expect(() => decodeMeta(encoded)).toThrow('unknown alarm');
  });
});

describe('the membership record', () => {
  test('keeps the index and the configuration as it is', () => {
    const write = membershipWrite({ index: 300, membership: bytes('conf') });
    expect(write.key).toEqual(membershipMetaKey);
    const value = write.type === 'put' ? write.value : bytes('');
    expect(decodeMembershipRecord(value)).toEqual({ index: 300, membership: bytes('conf') });
    expect(() => decodeMembershipRecord(bytes('?'))).toThrow('unknown format 63');
  });
});
