/** What bounds calls of the Election service, over real gRPC in front of a fake member. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FakeMember } from './fake-member.ts';
import { answerTo, serve, type Serving } from './serving.ts';

const leader = { name: Buffer.from('name'), key: Buffer.from('name/7'), rev: '9', lease: '7' };

let member: FakeMember;
let serving: Serving;

beforeEach(async () => {
  member = new FakeMember();
  member.onPropose = async () =>
    Promise.resolve({
      ...{ kind: 'ok', revision: 20 },
      result: { type: 'txn', succeeded: true, responses: [] },
    });
  serving = await serve(member, { epochMs: () => 1000 });
});

afterEach(async () => {
  await serving.close();
});

test('proclaiming and resigning last no longer than their callers want', async () => {
  const deadline = Date.now() + 3_600_000;

  await answerTo((done) => serving.election.Proclaim({ leader }, { deadline }, done));
  await answerTo((done) => serving.election.Resign({ leader }, { deadline }, done));

  const bounds = member.asked.map(({ options }) => options?.deadlineMs ?? 0);
  expect(bounds).toHaveLength(2);
  expect(Math.min(...bounds)).toBeGreaterThan(0);
});
