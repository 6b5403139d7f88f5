/** A test of a user's own, in plain JavaScript with Node's test runner: `node --test`. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startTestCluster } from 'holdfast/testing';

let cluster;
before(async () => {
  cluster = await startTestCluster({ nodes: 3 });
});
after(() => cluster.stop());

test('what is written survives the leader', async () => {
  const { kv } = cluster.client();
  await kv.put('greeting', 'hello');

  const leader = await cluster.leader();
  await leader.kill();
  assert.equal((await kv.get('greeting')).value, 'hello');

  await leader.start();
});
