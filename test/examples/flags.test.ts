import { codecs } from 'holdfast/client';
import { startTestCluster, type TestCluster } from 'holdfast/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Flag, Flags } from './flags.ts';

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startTestCluster();
});
afterAll(async () => cluster.stop());

const operator = () => cluster.client().kv.namespace('flags/').as(codecs.json<Flag>());
const users = Array.from({ length: 1000 }, (_, i) => `user-${i}`);

test('a change reaches every process, which is told of it', async () => {
  await using here = await Flags.open(cluster.client());
  await using there = await Flags.open(cluster.client());
  const told: string[] = [];
  there.onChange((names) => told.push(...names));
  expect(here.isOn('dark', 'ann')).toBe(false);

  const { revision } = await operator().put('dark', { percent: 100 });
  await Promise.all([here.atLeast(revision), there.atLeast(revision)]);

  expect([here.isOn('dark', 'ann'), there.isOn('dark', 'ann')]).toEqual([true, true]);
  expect(told).toEqual(['dark']);
});

test('a part of the users has it, and keeps it when there are more', async () => {
  const kv = operator();
  await using flags = await Flags.open(cluster.client());
  await flags.atLeast((await kv.put('new-cart', { percent: 20 })).revision);
  const first = users.filter((user) => flags.isOn('new-cart', user));

  await flags.atLeast((await kv.put('new-cart', { percent: 60 })).revision);
  const second = users.filter((user) => flags.isOn('new-cart', user));

  expect(first.length).toBeGreaterThan(150);
  expect(first.length).toBeLessThan(250);
  expect(second).toEqual(expect.arrayContaining(first));
  expect(second.length).toBeGreaterThan(500);
});

test('flags are there while no member is, and a bad one is off', async () => {
  await operator().put('dark', { percent: 100 });
  const bad = await cluster.client().kv.put('flags/bad', 'no JSON');
  await using flags = await Flags.open(cluster.client());
  await flags.atLeast(bad.revision);

  await Promise.all(cluster.members.map(async (member) => member.kill()));

  expect(flags.isOn('dark', 'ann')).toBe(true);
  expect(flags.isOn('bad', 'ann')).toBe(false);
  await Promise.all(cluster.members.map(async (member) => member.start()));
});
