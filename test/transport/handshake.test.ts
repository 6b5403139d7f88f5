import { describe, expect, test } from 'vitest';
import { KvError } from '../../src/base/index.ts';
import {
  answerMetadata,
  callMetadata,
  type MemberIdentity,
  readAnswer,
  readCaller,
  refusalError,
  refusalOf,
} from '../../src/transport/handshake.ts';

function identity(memberId: number, changes: Partial<MemberIdentity> = {}): MemberIdentity {
  const urls = { clientUrls: ['http://c:1', 'http://c:2'], peerUrls: [`http://n${memberId}:3`] };
  const versions = { build: `b${memberId}`, levels: { oldest: 1, newest: memberId } };
  return { clusterId: 4711, memberId, incarnation: 2 ** 52 - 1, ...urls, ...versions, ...changes };
}

/** What the caller's call says, with some headers replaced. */
function received(changes: Readonly<Record<string, string>> = {}, to = 2) {
  const metadata = callMetadata(identity(1), to);
  for (const [name, value] of Object.entries(changes)) {
    metadata.set(name, value);
  }
  return metadata;
}

describe('a call', () => {
  test('says who calls, and where that member is reached', () => {
    expect(readCaller(received(), identity(2))).toEqual({
      id: 1,
      incarnation: 2 ** 52 - 1,
      clientUrls: ['http://c:1', 'http://c:2'],
      peerUrls: ['http://n1:3'],
      build: 'b1',
      levels: { oldest: 1, newest: 1 },
      encoding: 4,
    });
  });

  test('may name no addresses', () => {
    const own = identity(1, { clientUrls: [], peerUrls: [] });

    const caller = readCaller(callMetadata(own, 2), identity(2));

    expect(caller).toMatchObject({ clientUrls: [], peerUrls: [] });
  });

  test.each([
    [
      'holdfast-encodings',
      '2-3',
      'VERSION_MISMATCH',
      /4-4 of peer messages, .* 2-3: they have none/,
    ],
    ['holdfast-encodings', '5-6', 'VERSION_MISMATCH', /build b2.* caller \(build b1\) 5-6: they/],
    ['holdfast-encodings', '5-4', 'INVALID_ARGUMENT', /holdfast-encodings is no range: 5-4/],
    ['holdfast-levels', 'all', 'INVALID_ARGUMENT', /holdfast-levels is no range: all/],
    ['holdfast-cluster', '1', 'CLUSTER_ID_MISMATCH', /cluster id 4711, but was dialled as 1$/],
    ['holdfast-to', '3', 'INVALID_ARGUMENT', /member id 2, but was dialled as 3/],
    ['holdfast-from', '2', 'INVALID_ARGUMENT', /a caller cannot be member 2/],
    ['holdfast-from', '0', 'INVALID_ARGUMENT', /a caller cannot be member 0/],
    ['holdfast-from', '9007199254740992', 'INVALID_ARGUMENT', /holdfast-from is no number/],
    ['holdfast-incarnation', '', 'INVALID_ARGUMENT', /holdfast-incarnation is no number/],
    ['holdfast-incarnation', '1e3', 'INVALID_ARGUMENT', /holdfast-incarnation is no number: 1e3/],
  ])('with %s "%s" is not taken', (name, value, code, message) => {
    const read = (): unknown => readCaller(received({ [name]: value }), identity(2));

    expect(read).toThrow(KvError);
    expect(read).toThrow(expect.objectContaining({ code }) as Error);
    expect(read).toThrow(message);
  });
});

/** What a build says that knows of no ranges. */
function receivedOfOld(protocol: string) {
  const metadata = received({ 'holdfast-protocol': protocol });
  for (const name of ['encodings', 'levels', 'build']) {
    metadata.remove(`holdfast-${name}`);
  }
  return metadata;
}

describe('the encoding of a stream', () => {
  test.each([
    [4, 4, 4, 6, 4],
    [4, 6, 4, 4, 4],
    [4, 6, 5, 7, 6],
    [5, 5, 4, 9, 5],
  ])(
    'of one who speaks %i to %i, and one who speaks %i to %i, is %i',
    (from, to, low, high, agreed) => {
      const caller = identity(1, { encodings: { oldest: from, newest: to } });
      const called = identity(2, { encodings: { oldest: low, newest: high } });

      const { encoding } = readCaller(callMetadata(caller, 2), called);

      expect(encoding).toBe(agreed);
      const answer = answerMetadata(called, readCaller(callMetadata(caller, 2), called));
      expect(readAnswer(answer, caller)).toBe(agreed);
    },
  );

  test('with a build that knows of no ranges is the one that it names', () => {
    const caller = readCaller(receivedOfOld('2.4'), identity(2));

    expect(caller).toMatchObject({ encoding: 4, levels: { oldest: 1, newest: 1 } });
    expect(caller.build).toContain('0.1.0 or before');
    // It answers with what it was sent.
    expect(readAnswer(received(), identity(1))).toBe(4);
  });

  test.each(['2', '2.3', '1.4', '2.4.1', ''])(
    'is refused to one whose version is "%s"',
    (version) => {
      const read = (): unknown => readCaller(receivedOfOld(version), identity(2));

      expect(read).toThrow(expect.objectContaining({ code: 'VERSION_MISMATCH' }) as Error);
    },
  );

  test('is one that was offered', () => {
    const called = identity(2, { encodings: { oldest: 4, newest: 5 } });
    const caller = identity(1, { encodings: { oldest: 5, newest: 5 } });
    const answer = answerMetadata(called, readCaller(callMetadata(caller, 2), called));

    expect(() => readAnswer(answer, identity(1))).toThrow('chosen encoding 5, and was offered 4-4');
  });
});

describe('a refusal', () => {
  test.each([
    ['removed', 'MEMBER_REMOVED', 'member 5 was removed from this cluster'],
    ['lost-data', 'DATA_DIR_MISMATCH', 'member 5 was known here with another data directory'],
    ['level', 'VERSION_MISMATCH', "member 5 does not read the cluster's feature level"],
    ['unknown-member', 'MEMBER_NOT_FOUND', 'member 5 is not a member of this cluster'],
  ] as const)('%s has its code and its words', (refusal, code, message) => {
    expect(refusalError(5, refusal)).toMatchObject({ code, message, details: { refusal } });
    expect(refusalOf(refusal)).toBe(refusal);
  });

  test.each([undefined, '', 'ok', 'toString', 7])('%s is none', (value) => {
    expect(refusalOf(value)).toBeUndefined();
  });
});
