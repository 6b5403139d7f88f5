import { startTestCluster, type TestCluster } from 'holdfast/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Gateway, Payments } from './payment.ts';

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startTestCluster();
});
afterAll(async () => cluster.stop());

/** Charges each id once, as gateways do; `dies` after the charge of the calls that it names. */
function gateway(dies: readonly number[] = []) {
  const charged = new Map<string, number>();
  let calls = 0;
  const charge: Gateway = async ({ id, cents }) => {
    charged.set(id, cents);
    calls++;
    if (dies.includes(calls)) {
      throw new Error('this server is gone');
    }
    return Promise.resolve(`receipt of ${id}`);
  };
  const total = (): number => [...charged.values()].reduce((sum, cents) => sum + cents, 0);
  return { charge, total };
}

test('a payment that is asked for again, and by several servers, is made once', async () => {
  const bank = gateway();
  const servers = [1, 2, 3].map(() => new Payments(cluster.client(), bank.charge));
  const payment = { id: 'p1', account: 'ann', cents: 995 };

  const receipts = await Promise.all(servers.map(async (server) => server.pay(payment)));
  const again = await servers[0]?.pay(payment);

  expect(new Set([...receipts, again])).toEqual(new Set(['receipt of p1']));
  expect(await servers[1]?.paid('ann')).toBe(995);
  expect(bank.total()).toBe(995);
});

test('a server that dies after the charge leaves a payment that another one finishes', async () => {
  const bank = gateway([1]);
  const payments = new Payments(cluster.client(), bank.charge);
  const payment = { id: 'p2', account: 'bob', cents: 500 };

  await expect(payments.pay(payment)).rejects.toThrow('this server is gone');
  expect(await payments.paid('bob')).toBe(0);
  expect(await payments.pay(payment)).toBe('receipt of p2');

  expect(await payments.paid('bob')).toBe(500);
  expect(bank.total()).toBe(500);
});

test('an id that is used for another payment is refused', async () => {
  const payments = new Payments(cluster.client(), gateway().charge);
  await payments.pay({ id: 'p3', account: 'cem', cents: 100 });

  const other = payments.pay({ id: 'p3', account: 'cem', cents: 200 });

  await expect(other).rejects.toThrow('payment p3 has been another one before');
  expect(await payments.paid('cem')).toBe(100);
});
