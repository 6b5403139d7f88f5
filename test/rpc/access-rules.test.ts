import { expect, test } from 'vitest';
import { ruleByPath } from '../../src/rpc/access-rules.ts';
import { services } from '../../src/wire/index.ts';

const pathOf = ({ path }: { readonly path: string }): string => path;

test('every method that clients may call has a rule', () => {
  const paths = Object.entries(services)
    .filter(([name]) => name !== 'holdfast.v1.Peer')
    .flatMap(([, methods]) => Object.values(methods as object).map(pathOf));

  expect([...ruleByPath.keys()].sort()).toEqual(paths.sort());
});

test('nothing but signing in, the state of authentication, and health is open to anybody', () => {
  const open = [...ruleByPath].filter(([, rule]) => rule === 'open').map(([path]) => path);

  expect(open.sort()).toEqual([
    '/etcdserverpb.Auth/AuthStatus',
    '/etcdserverpb.Auth/Authenticate',
    '/grpc.health.v1.Health/Check',
    '/grpc.health.v1.Health/Watch',
  ]);
});
