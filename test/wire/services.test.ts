/** The contracts as they are loaded: names, numbers and how values look. */
import type { ServiceDefinition } from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import { services } from '../../src/wire/index.ts';

const kv = services['etcdserverpb.KV'];

describe('the services', () => {
  test('have the paths etcd and gRPC give them', () => {
    const definitions: readonly ServiceDefinition[] = [
      kv,
      services['etcdserverpb.Cluster'],
      services['etcdserverpb.Maintenance'],
      services['grpc.health.v1.Health'],
      services['holdfast.v1.Admin'],
    ];
    const paths = definitions.flatMap((service) => Object.values(service).map(({ path }) => path));

    expect(paths.sort()).toEqual([
      '/etcdserverpb.Cluster/MemberAdd',
      '/etcdserverpb.Cluster/MemberList',
      '/etcdserverpb.Cluster/MemberPromote',
      '/etcdserverpb.Cluster/MemberRemove',
      '/etcdserverpb.Cluster/MemberUpdate',
      '/etcdserverpb.KV/Compact',
      '/etcdserverpb.KV/DeleteRange',
      '/etcdserverpb.KV/Put',
      '/etcdserverpb.KV/Range',
      '/etcdserverpb.KV/RangeStream',
      '/etcdserverpb.KV/Txn',
      '/etcdserverpb.Maintenance/Alarm',
      '/etcdserverpb.Maintenance/Defragment',
      '/etcdserverpb.Maintenance/Downgrade',
      '/etcdserverpb.Maintenance/Hash',
      '/etcdserverpb.Maintenance/HashKV',
      '/etcdserverpb.Maintenance/MoveLeader',
      '/etcdserverpb.Maintenance/Snapshot',
      '/etcdserverpb.Maintenance/Status',
      '/grpc.health.v1.Health/Check',
      '/grpc.health.v1.Health/Watch',
      '/holdfast.v1.Admin/MemberDemote',
      '/holdfast.v1.Admin/MemberReplace',
    ]);
  });

  test('stream only the parts of a range, snapshots and the changes of health', () => {
    expect(kv.RangeStream).toMatchObject({ requestStream: false, responseStream: true });
    expect(services['grpc.health.v1.Health'].Watch).toMatchObject({
      requestStream: false,
      responseStream: true,
    });
    expect(services['etcdserverpb.Maintenance'].Snapshot).toMatchObject({
      requestStream: false,
      responseStream: true,
    });
    expect(kv.Range).toMatchObject({ requestStream: false, responseStream: false });
  });
});

describe('a message', () => {
  test('has the field numbers of etcd', () => {
    // key = 1, range_end = 2, limit = 3, sort_order = 5, serializable = 7, max_create_revision = 13
    const bytes = kv.Range.requestSerialize({
      key: Buffer.from('a'),
      range_end: Buffer.from('b'),
      limit: 5,
      sort_order: 'DESCEND',
      serializable: true,
      max_create_revision: 9,
    });

    expect(bytes.toString('hex')).toBe('0a0161' + '120162' + '1805' + '2802' + '3801' + '6809');
  });

  test('about members and maintenance has the field numbers of etcd, ours from 1000 on', () => {
    const { MemberAdd } = services['etcdserverpb.Cluster'];
    const { Downgrade, HashKV, Snapshot, Status } = services['etcdserverpb.Maintenance'];

    expect(
      MemberAdd.requestSerialize({
        peerURLs: ['u'],
        isLearner: true,
        holdfastAutoPromote: true,
      }).toString('hex'),
    ).toBe('0a0175' + '1001' + 'c03e01');
    // remaining_bytes = 2, blob = 3, version = 4
    expect(
      Snapshot.responseSerialize({
        remaining_bytes: 5,
        blob: Buffer.from('b'),
        version: 'v',
      }).toString('hex'),
    ).toBe('1005' + '1a0162' + '220176');
    // hash = 2, compact_revision = 3, hash_revision = 4
    expect(
      HashKV.responseSerialize({ hash: 1, compact_revision: 2, hash_revision: 3 }).toString('hex'),
    ).toBe('1001' + '1802' + '2003');
    // storageVersion = 11, dbSizeQuota = 12, downgradeInfo = 13
    expect(
      Status.responseSerialize({
        storageVersion: 'v',
        dbSizeQuota: 6,
        downgradeInfo: { enabled: true, targetVersion: 't' },
      }).toString('hex'),
    ).toBe('5a0176' + '6006' + '6a05' + '0801' + '120174');
    expect(Downgrade.requestSerialize({ action: 'CANCEL', version: 'v' }).toString('hex')).toBe(
      '0802' + '120176',
    );
  });

  test('additions have numbers from 1000 on', () => {
    const put = kv.Put.requestSerialize({ ttl_ms: 1, ttl_refresh_on_write: true });
    const range = kv.Range.requestSerialize({ remaining_ttl: true, no_count: true });
    const answer = kv.Put.responseSerialize({ prev_kv: { ttl_ms: 2, ttl_remaining_ms: 1 } });

    expect(put.toString('hex')).toBe('c03e01' + 'c83e01');
    expect(range.toString('hex')).toBe('c03e01' + 'c83e01');
    expect(answer.toString('hex')).toBe('1206' + 'c03e02' + 'c83e01');
  });

  test("compares with etcd's numbers, range_end at 64", () => {
    const bytes = kv.Txn.requestSerialize({
      compare: [
        {
          result: 'NOT_EQUAL',
          target: 'LEASE',
          key: Buffer.from('a'),
          lease: 1,
          range_end: Buffer.from('b'),
        },
      ],
    });

    expect(bytes.toString('hex')).toBe('0a0d' + '0803' + '1004' + '1a0161' + '4001' + '82040162');
  });

  test('keeps all 64 bits of a number, as decimal digits', () => {
    const extremes = { lease: '-9223372036854775808' };
    const response = { header: { cluster_id: '18446744073709551615' } };

    expect(kv.Put.requestDeserialize(kv.Put.requestSerialize(extremes)).lease).toBe(
      '-9223372036854775808',
    );
    expect(kv.Put.responseDeserialize(kv.Put.responseSerialize(response)).header?.cluster_id).toBe(
      '18446744073709551615',
    );
  });

  test('that is empty has its defaults', () => {
    expect(kv.Put.requestDeserialize(Buffer.alloc(0))).toEqual({
      key: Buffer.alloc(0),
      value: Buffer.alloc(0),
      lease: '0',
      prev_kv: false,
      ignore_value: false,
      ignore_lease: false,
      ttl_ms: '0',
      ttl_refresh_on_write: false,
    });
    expect(kv.Txn.requestDeserialize(Buffer.alloc(0))).toEqual({
      compare: [],
      success: [],
      failure: [],
    });
  });

  test('names the values of an enum; one it does not know stays a number', () => {
    const known = kv.Range.requestDeserialize(Buffer.from('2801', 'hex'));
    const unknown = kv.Range.requestDeserialize(Buffer.from('2863', 'hex'));

    expect(known.sort_order).toBe('ASCEND');
    expect(unknown.sort_order).toBe(99);
  });

  test('passes over fields it does not know', () => {
    // Field 5000, a string, then the key.
    const bytes = Buffer.from('c2b80203787878' + '0a0161', 'hex');

    expect(kv.Range.requestDeserialize(bytes).key).toEqual(Buffer.from('a'));
  });

  test('says which operation of a transaction it carries', () => {
    const bytes = kv.Txn.requestSerialize({
      success: [{ request_put: { key: Buffer.from('a') } }],
    });

    expect(kv.Txn.requestDeserialize(bytes).success[0]).toMatchObject({
      request: 'request_put',
      request_put: { key: Buffer.from('a') },
    });
  });

  test.each(['0a05', '0aff', 'ffffffffffffffffffffff'])(
    'cut off or malformed (%s) is an error',
    (hex) => {
      expect(() => kv.Range.requestDeserialize(Buffer.from(hex, 'hex'))).toThrow();
    },
  );
});
