import { startTestCluster, type TestCluster } from 'holdfast/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Inventory } from './inventory.ts';

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startTestCluster();
});
afterAll(async () => cluster.stop());

test('no more is reserved than there is, by however many servers', async () => {
  const servers = [1, 2, 3].map(() => new Inventory(cluster.client()));
  await servers[0]?.restock('chair', 4);

  const orders = Array.from({ length: 8 }, (_, i) => `order-${i}`);
  const reserved = await Promise.all(
    orders.map(async (order, i) => servers[i % 3]?.reserve('chair', order, 1)),
  );

  expect(reserved.filter((each) => each === true)).toHaveLength(4);
  expect(await servers[0]?.left('chair')).toBe(0);
});

test('an order that is tried again has reserved once, and is released once', async () => {
  const inventory = new Inventory(cluster.client());
  await inventory.restock('table', 5);

  expect(await inventory.reserve('table', 'a', 3)).toBe(true);
  expect(await inventory.reserve('table', 'a', 3)).toBe(true);
  expect(await inventory.reserve('table', 'b', 3)).toBe(false);
  expect(await inventory.left('table')).toBe(2);

  await inventory.release('table', 'a');
  await inventory.release('table', 'a');
  expect(await inventory.left('table')).toBe(5);
});

test('reserving goes on when the leader dies', async () => {
  const inventory = new Inventory(cluster.client());
  await inventory.restock('lamp', 20);

  const orders = Array.from({ length: 6 }, async (_, i) =>
    inventory.reserve('lamp', `order-${i}`, 2),
  );
  const leader = await cluster.leader();
  await leader.kill();
  await Promise.all(orders);
  await leader.start();

  expect(await inventory.left('lamp')).toBe(8);
});
