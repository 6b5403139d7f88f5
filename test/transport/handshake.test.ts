import { describe, expect, test } from 'vitest';
import { KvError } from '../../src/base/index.ts';
import {
  callMetadata,
  type MemberIdentity,
  readCaller,
  refusalError,
  refusalOf,
} from '../../src/transport/handshake.ts';

function identity(memberId: number, changes: Partial<MemberIdentity> = {}): MemberIdentity {
  const urls = { clientUrls: ['http://c:1', 'http://c:2'], peerUrls: [`http://n${memberId}:3`] };
  return { clusterId: 4711, memberId, incarnation: 2 ** 52 - 1, ...urls, ...changes };
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
    });
  });

  test('may name no addresses', () => {
    const own = identity(1, { clientUrls: [], peerUrls: [] });

    const caller = readCaller(callMetadata(own, 2), identity(2));

    expect(caller).toMatchObject({ clientUrls: [], peerUrls: [] });
  });

  test.each([
    ['holdfast-protocol', '2.3', 'INVALID_ARGUMENT', /protocol version 2\.4, the caller 2\.3: run/],
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

describe('a refusal', () => {
  test.each([
    ['removed', 'MEMBER_REMOVED', 'member 5 was removed from this cluster'],
    ['lost-data', 'DATA_DIR_MISMATCH', 'member 5 was known here with another data directory'],
    ['unknown-member', 'MEMBER_NOT_FOUND', 'member 5 is not a member of this cluster'],
  ] as const)('%s has its code and its words', (refusal, code, message) => {
    expect(refusalError(5, refusal)).toMatchObject({ code, message, details: { refusal } });
    expect(refusalOf(refusal)).toBe(refusal);
  });

  test.each([undefined, '', 'ok', 'toString', 7])('%s is none', (value) => {
    expect(refusalOf(value)).toBeUndefined();
  });
});
