/**
 * Holdfast answers single calls as etcd does: status code, text and response, for what no command
 * line can ask. Each call goes to the next of Holdfast's three members.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectAlike } from './alike.ts';
import { hasEtcd } from './etcd-server.ts';
import { bytes, RawClient } from './raw-client.ts';
import { rawCases } from './raw-grpc-cases.ts';
import { RawSides } from './raw-sides.ts';
import { type HoldfastSide, startHoldfast } from './sides.ts';

const grpcMessageBytesMax = 2 * 1024 * 1024;

describe.runIf(hasEtcd())('single calls to Holdfast and to etcd', () => {
  let sides: RawSides;

  beforeAll(async () => {
    sides = await RawSides.start();
  });

  afterAll(async () => {
    await sides.stop();
  });

  describe('are answered alike:', () => {
    test.each(rawCases.map((each, i) => [each.title, each, i] as const))(
      '%s',
      async (_title, each, i) => {
        await expectAlike(each, sides.etcd, sides.memberAt(i));
      },
    );
  });

  test('have ended in the same state on every member', async () => {
    const request = { key: bytes('\0'), range_end: bytes('\0') };
    const expected = await sides.etcd.call({ method: 'Range', request });

    for (const member of sides.members) {
      expect(await member.call({ method: 'Range', request })).toEqual(expected);
    }
  });

  test.each(['/etcdserverpb.KV/Nothing', '/etcdserverpb.Nothing/Range'])(
    'to the unknown method %s are refused with the same code',
    async (path) => {
      const answers = await Promise.all(
        [sides.etcd, ...sides.members].map(async (client) =>
          client.callPath(path, Buffer.alloc(0)),
        ),
      );

      expect(answers.map(({ code }) => code)).toEqual(Array(4).fill('UNIMPLEMENTED'));
    },
  );

  test('with a message that gRPC does not take are refused with the same code', async () => {
    const request = { key: bytes('k'), value: Buffer.alloc(grpcMessageBytesMax, 'x') };
    const answers = await Promise.all(
      [sides.etcd, ...sides.members].map(async (client) => client.call({ method: 'Put', request })),
    );

    expect(answers.map(({ code }) => code)).toEqual(Array(4).fill('RESOURCE_EXHAUSTED'));
  });

  test('with a message that is no request are refused, and the member goes on', async () => {
    const garbage = Buffer.from([0x0a, 0xff]);
    const path = '/etcdserverpb.KV/Range';
    const answers = await Promise.all(
      [sides.etcd, ...sides.members].map(async (client) => client.callPath(path, garbage)),
    );

    expect(answers.map(({ code }) => code)).toEqual(Array(4).fill('INTERNAL'));
    expect(await sides.memberAt(0).revision()).toBe(await sides.etcd.revision());
  });

  test('about alarms tell the same list', async () => {
    const call = { method: 'Alarm', request: { action: 'GET' } } as const;
    const answers = await Promise.all(
      [sides.etcd, ...sides.members].map(async (client) => client.call(call)),
    );

    for (const { code, response } of answers) {
      expect(code).toBe('OK');
      expect(response).toMatchObject({ alarms: [] });
    }
  });

  test.each(['Status', 'MemberList'] as const)(
    'of %s have fields of the same form',
    async (method) => {
      const expected = await sides.etcd.call({ method, request: {} });

      for (const member of sides.members) {
        expect(formOf(await member.call({ method, request: {} }))).toEqual(formOf(expected));
      }
    },
  );
});

describe('calls that etcd 3.4 does not know, or does not survive,', () => {
  let holdfast: HoldfastSide;
  let members: RawClient[];

  beforeAll(async () => {
    holdfast = await startHoldfast();
    members = holdfast.endpoints.map((endpoint) => new RawClient(endpoint));
  });

  afterAll(async () => {
    for (const client of members) {
      client.close();
    }
    await holdfast.stop();
  });

  test('a range in a stream has the keys of a plain one, in parts, from every member', async () => {
    const [writer] = members as [RawClient];
    for (let batch = 0; batch < 20; batch++) {
      const success = Array.from({ length: 120 }, (_, i) => ({
        request_put: { key: bytes(`s/${batch}/${i}`), value: bytes('v') },
      }));
      expect(await writer.call({ method: 'Txn', request: { success } })).toMatchObject({
        code: 'OK',
      });
    }
    const request = { key: bytes('s/'), range_end: bytes('s0') };

    for (const member of members) {
      const parts = await member.rangeStream(request);
      const keys = parts.flatMap(({ kvs }) => kvs.map(({ key }) => key.toString('latin1')));
      const { response } = await member.call({ method: 'Range', request });
      const { kvs } = response as { kvs: { key: string }[] };
      expect(parts.length).toBeGreaterThan(1);
      expect(keys).toEqual(kvs.map(({ key }) => key));
      expect(keys).toHaveLength(2400);
    }
  });

  test('an unknown sort target is refused', async () => {
    for (const member of members) {
      const request = { key: bytes('a'), range_end: bytes('z'), sort_target: 9 };
      expect(await member.call({ method: 'Range', request })).toEqual({
        code: 'INVALID_ARGUMENT',
        details: 'etcdserver: invalid sort option',
      });
    }
  });

  test('a put that ignores the value of a key just deleted ends no process', async () => {
    const request = {
      success: [
        { request_delete_range: { key: bytes('a'), range_end: bytes('\0') } },
        { request_put: { key: bytes('gone'), ignore_value: true } },
      ],
    };
    for (const member of members) {
      await member.call({ method: 'Put', request: { key: bytes('gone'), value: bytes('1') } });

      expect(await member.call({ method: 'Txn', request })).toMatchObject({ code: 'OK' });
      expect(await member.call({ method: 'Range', request: { key: bytes('gone') } })).toMatchObject(
        { response: { kvs: [{ value: '', version: '1' }] } },
      );
    }
  });
});

/** Fields of `Status` that etcd 3.4 leaves out. */
const fieldsOfEtcd36: readonly string[] = ['storageVersion', 'dbSizeQuota', 'downgradeInfo'];

/** What kind of value each field has; a list is described by its first element. */
function formOf(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.slice(0, 1).map(formOf);
  }
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).filter(([name]) => !fieldsOfEtcd36.includes(name));
    return Object.fromEntries(entries.map(([name, each]) => [name, formOf(each)]));
  }
  if (typeof value === 'string' && /^\d+$/.test(value)) {
    return value === '0' ? 'zero' : 'number';
  }
  return typeof value;
}
