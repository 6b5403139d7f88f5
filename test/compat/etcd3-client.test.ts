/**
 * The npm client `etcd3` does its everyday work against Holdfast; the same against etcd, so that
 * the test itself is right. It is given all three members, as an application would.
 */
import {
  AlarmAction,
  type Etcd3,
  EtcdLeaseInvalidError,
  GRPCGenericError,
  GRPCInvalidArgumentError,
  GRPCOutOfRangeError,
} from 'etcd3';
import { beforeEach, expect, test } from 'vitest';
import { describeEtcd3 } from './etcd3-sides.ts';

describeEtcd3('the etcd3 client against', (connected) => {
  let client: Etcd3;

  beforeEach(() => {
    ({ client } = connected);
  });

  test('puts and gets text, numbers, JSON and bytes', async () => {
    const data = Buffer.from([0, 255, 128]);
    await client.put('text').value('grüße');
    await client.put('number').value(42);
    await client.put('json').value(JSON.stringify({ a: [1] }));
    await client.put(Buffer.from([0, 1])).value(data);

    expect(await client.get('text').string()).toBe('grüße');
    expect(await client.get('number').number()).toBe(42);
    expect(await client.get('json').json()).toEqual({ a: [1] });
    expect(await client.get(Buffer.from([0, 1])).buffer()).toEqual(data);
    expect(await client.get('missing').string()).toBeNull();
    expect(await client.get('text').exists()).toBe(true);
    expect(await client.get('missing').exists()).toBe(false);
  });

  test('gets the previous value of a key that it puts', async () => {
    await client.put('k').value('1');

    const previous = await client.put('k').value('2').getPrevious();

    expect(previous.value.toString()).toBe('1');
    expect(previous.version).toBe('1');
  });

  test('touches a key, which keeps its value', async () => {
    await client.put('k').value('1');

    await client.put('k').touch();

    const { kvs } = await client.get('k').exec();
    expect(kvs).toMatchObject([{ value: Buffer.from('1'), version: '2' }]);
  });

  test('gets all keys, those of a prefix, and those of a range', async () => {
    for (const key of ['a/1', 'a/2', 'b/1', 'c']) {
      await client.put(key).value(key.toUpperCase());
    }

    expect(await client.getAll().keys()).toEqual(['a/1', 'a/2', 'b/1', 'c']);
    expect(await client.getAll().prefix('a/').strings()).toEqual({ 'a/1': 'A/1', 'a/2': 'A/2' });
    expect(await client.getAll().inRange({ start: 'a/2', end: 'c' }).keys()).toEqual([
      'a/2',
      'b/1',
    ]);
    expect(await client.getAll().count()).toBe(4);
    expect(await client.getAll().sort('Key', 'Descend').limit(2).keys()).toEqual(['c', 'b/1']);
    expect(await client.getAll().sort('Mod', 'Ascend').limit(1).keys()).toEqual(['a/1']);
  });

  test('reads an older revision, and the member’s own state', async () => {
    const { header } = await client.put('k').value('old').exec();
    await client.put('k').value('new');

    expect(await client.get('k').revision(header.revision).string()).toBe('old');
    expect(
      await client
        .getAll()
        .minModRevision(Number(header.revision) + 1)
        .count(),
    ).toBe(1);
    expect(await client.get('k').serializable(true).exists()).toBe(true);
  });

  test('deletes one key, a prefix, and everything', async () => {
    for (const key of ['a', 'p/1', 'p/2', 'z']) {
      await client.put(key).value(key);
    }

    expect(await client.delete().key('a').exec()).toMatchObject({ deleted: '1' });
    expect(await client.delete().key('a').exec()).toMatchObject({ deleted: '0' });
    const previous = await client.delete().prefix('p/').getPrevious();
    expect(previous.map(({ key }) => key.toString())).toEqual(['p/1', 'p/2']);
    expect(await client.delete().all().exec()).toMatchObject({ deleted: '1' });
    expect(await client.getAll().keys()).toEqual([]);
  });

  test('takes one branch of a transaction if its conditions hold, else the other', async () => {
    const createOnce = async (value: string) =>
      client
        .if('lock', 'Create', '==', 0)
        .then(client.put('lock').value(value))
        .else(client.get('lock'))
        .commit();

    const first = await createOnce('mine');
    const second = await createOnce('theirs');

    expect(first.succeeded).toBe(true);
    expect(second.succeeded).toBe(false);
    expect(second.responses[0]?.response_range.kvs[0]?.value.toString()).toBe('mine');
    expect(await client.get('lock').string()).toBe('mine');
  });

  test('compares value, version and revisions in a transaction', async () => {
    await client.put('k').value('5');
    const { header } = await client.put('k').value('6').exec();

    const { succeeded } = await client
      .if('k', 'Value', '==', '6')
      .and('k', 'Version', '==', 2)
      .and('k', 'Mod', '==', Number(header.revision))
      .and('k', 'Create', '<', Number(header.revision))
      .and('k', 'Value', '>', '5')
      .and('missing', 'Version', '!=', 1)
      .then(client.put('k').value('7'), client.delete().key('gone'), client.get('k'))
      .commit();

    expect(succeeded).toBe(true);
    expect(await client.get('k').string()).toBe('7');
  });

  test('repeats software transactions that meet, so that none is lost', async () => {
    await client.put('counter').value(0);

    await Promise.all(
      Array.from({ length: 5 }, async () =>
        client.stm({ retries: 50 }).transact(async (tx) => {
          const counter = await tx.get('counter').number();
          await tx.put('counter').value((counter ?? 0) + 1);
        }),
      ),
    );

    expect(await client.get('counter').number()).toBe(5);
  });

  test('keeps to its namespace', async () => {
    const namespace = client.namespace('app/');
    await namespace.put('k').value('inside');
    await client.put('k').value('outside');

    expect(await namespace.getAll().strings()).toEqual({ k: 'inside' });
    expect(await client.get('app/k').string()).toBe('inside');
    await namespace.delete().all();
    expect(await client.getAll().keys()).toEqual(['k']);
  });

  test('knows the errors by their classes', async () => {
    await expect(client.put('').value('x').exec()).rejects.toThrow(GRPCInvalidArgumentError);
    await expect(client.get('').exec()).rejects.toThrow('etcdserver: key is not provided');
    await expect(client.get('k').revision(999_999_999).exec()).rejects.toThrow(GRPCOutOfRangeError);
    await expect(client.put('k').value('x').lease(4711).exec()).rejects.toThrow(
      EtcdLeaseInvalidError,
    );
    const twice = client
      .if('k', 'Version', '==', 0)
      .then(client.put('k').value('1'), client.put('k').value('2'));
    await expect(twice.commit()).rejects.toThrow(GRPCGenericError);
  });

  test('asks for status, members and alarms', async () => {
    const { leader } = await client.maintenance.status();
    const { members } = await client.cluster.memberList({});
    const { alarms } = await client.maintenance.alarm({ action: AlarmAction.Get });

    expect(leader).not.toBe('0');
    expect(members.map(({ ID }) => ID)).toContain(leader);
    expect(members.flatMap(({ clientURLs }) => clientURLs).sort()).toEqual(
      [...connected.urls].sort(),
    );
    expect(alarms).toEqual([]);
  });
});
