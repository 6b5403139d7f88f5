/** The client library in the place of a connection, in front of a fake member. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { plainAccess } from '../../../src/cli/bench/access.ts';
import type { CallResult } from '../../../src/cli/bench/connection.ts';
import { LibraryCallee } from '../../../src/cli/bench/library.ts';
import { framePut, frameRange } from '../../../src/cli/bench/requests.ts';
import type { CommandResult } from '../../../src/kv/index.ts';
import { FakeMember } from '../../rpc/fake-member.ts';
import { type Serving, serve } from '../../rpc/serving.ts';

let member: FakeMember;
let serving: Serving;
let callee: LibraryCallee;

beforeEach(async () => {
  member = new FakeMember();
  member.onPropose = async (command) => {
    const result =
      command.type === 'leaseGrant' || command.type === 'once'
        ? command.type === 'once' && command.command.type === 'put'
          ? { type: 'put' }
          : { type: 'leaseGrant', id: 77n }
        : { type: command.type };
    return { kind: 'ok', revision: 7, result } as CommandResult;
  };
  const result = { type: 'range', kvs: [], more: false, count: 0 } as const;
  member.onRange = async () => ({ revision: 5, result });
  serving = await serve(member);
  callee = new LibraryCallee([{ host: '127.0.0.1', port: serving.port }], plainAccess);
});

afterEach(async () => {
  await callee.close();
  await serving.close();
});

async function call(path: string, frame: Buffer): Promise<CallResult> {
  return new Promise((resolve) => callee.call(path, frame, resolve));
}

test('puts and reads what the load generator would', async () => {
  const [key, value] = [Buffer.from('key'), Buffer.from('value')];

  expect(await call('/etcdserverpb.KV/Put', framePut({ key, value }))).toMatchObject({ code: 0 });
  expect(await call('/etcdserverpb.KV/Range', frameRange(key, true))).toMatchObject({ code: 0 });

  const commands = member.asked.flatMap((each) => ('command' in each ? [each.command] : []));
  expect(commands).toContainEqual(
    expect.objectContaining({
      type: 'once',
      command: expect.objectContaining({ type: 'put', key, value }) as unknown,
    }),
  );
  expect(member.asked).toContainEqual(expect.objectContaining({ method: 'range' }));
});

test('a call that it does not know fails, and says so', async () => {
  expect(await call('/etcdserverpb.KV/Txn', Buffer.alloc(5))).toMatchObject({
    code: 2,
    text: 'Error: the client library is not measured with /etcdserverpb.KV/Txn',
  });
});
