import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { MemberConnection } from '../../chaos/connection.ts';
import { Recorder } from '../../chaos/history.ts';
import { Session } from '../../chaos/workloads/session.ts';
import { createPrng } from '../../src/base/index.ts';
import { freePorts } from '../harness/processes.ts';
import { createTempDir } from '../storage/temp-dir.ts';

let connections: readonly MemberConnection[];
let recorder: Recorder;
let session: Session;

beforeEach(async () => {
  // Nobody listens there, so every call fails.
  const ports = await freePorts(3);
  connections = ports.map((port, i) => new MemberConnection(`n${i + 1}`, `127.0.0.1:${port}`));
  recorder = new Recorder(join(createTempDir(), 'history.jsonl'));
  session = new Session({ connections, recorder, prng: createPrng(1), callTimeoutMs: 5000 });
});

afterEach(async () => {
  for (const connection of connections) {
    connection.close();
  }
  await recorder.close();
});

test('a call that fails is written down with the member it was made at, not the next', async () => {
  const members: string[] = [];
  for (let call = 0; call < 4; call++) {
    members.push((await session.call({ type: 'range', key: 'a' })).member);
  }

  expect(members).toEqual(['n1', 'n2', 'n3', 'n1']);
});

test('one that is given up is written down with the member of its last attempt', async () => {
  const given = session.callOnce({ type: 'put', key: 'a', value: '1' }, 'id');
  session.stop();

  expect(await given).toMatchObject({ member: 'n1', attempts: 1, outcome: 'fail' });
});
