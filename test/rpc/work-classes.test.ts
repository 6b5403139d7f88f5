import { describe, expect, test } from 'vitest';
import { workByPath } from '../../src/rpc/work-classes.ts';
import { services } from '../../src/wire/index.ts';

const peers: readonly string[] = ['holdfast.v1.Peer'];

describe('classes of work', () => {
  test('every method that clients may call has one, and no other', () => {
    const paths = Object.entries(services)
      .filter(([service]) => !peers.includes(service))
      // Messages and enums are among them, which have no paths.
      .flatMap(([, methods]) => Object.values(methods as object) as { readonly path?: string }[])
      .flatMap(({ path }) => path ?? []);

    expect([...workByPath.keys()].sort()).toEqual(paths.sort());
  });

  test.each([
    ['/etcdserverpb.Lease/LeaseKeepAlive', 'renewal'],
    ['/etcdserverpb.Lease/LeaseRevoke', 'renewal'],
    ['/v3lockpb.Lock/Unlock', 'renewal'],
    ['/grpc.health.v1.Health/Check', 'system'],
    ['/etcdserverpb.Maintenance/Status', 'system'],
    ['/etcdserverpb.Cluster/MemberRemove', 'system'],
    ['/etcdserverpb.KV/Put', 'ordinary'],
    ['/etcdserverpb.Watch/Watch', 'ordinary'],
    ['/etcdserverpb.Maintenance/Snapshot', 'bulk'],
    ['/etcdserverpb.KV/RangeStream', 'bulk'],
  ])('%s is %s', (path, workClass) => {
    expect(workByPath.get(path)?.class).toBe(workClass);
  });

  test('what is there until somebody ends it is known as such', () => {
    const kept = [...workByPath].filter(([, { keeps }]) => keeps !== 'nothing');

    expect(kept.map(([path]) => path.replace(/^.*\//, '')).sort()).toEqual([
      'Campaign',
      'LeaseGrant',
      'LeaseKeepAlive',
      'Lock',
      'Observe',
      'Operate',
      'Watch',
      'Watch',
    ]);
  });
});
