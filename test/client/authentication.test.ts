/**
 * The client at members that ask who it is: Holdfast's and, where it is installed, etcd's. Tokens
 * end with their time, with every change of a password, and etcd's with the member that gave them;
 * a client that knows its password does not notice.
 */
import { execFile } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Holdfast, type Watch } from '../../src/client/index.ts';
import { hasEtcd, startEtcd } from '../compat/etcd-server.ts';
import { startHoldfast } from '../compat/sides.ts';
import { errorOf } from './sides.ts';

/** Members whose first one can be started anew. */
interface Side {
  readonly endpoints: readonly string[];
  restart(): Promise<void>;
  stop(): Promise<void>;
}

async function etcdSide(): Promise<Side> {
  const etcd = await startEtcd(1, ['--bcrypt-cost=4']);
  const { endpoints } = etcd;
  return { endpoints, restart: async () => etcd.restart(0), stop: async () => etcd.stop() };
}

async function holdfastSide(): Promise<Side> {
  const holdfast = await startHoldfast();
  const { cluster, endpoints } = holdfast;
  const restart = async (): Promise<void> => {
    await cluster.signal(0, 'SIGKILL');
    await cluster.start(0);
  };
  return { endpoints, restart, stop: async () => holdfast.stop() };
}

const sides = [
  { name: 'Holdfast', start: holdfastSide },
  { name: 'etcd 3.4', start: etcdSide },
];

const auth = { name: 'root', password: 'secret' };

/** Reads a watch until it has told `count` changes. */
async function take(watch: Watch<string>, count: number): Promise<readonly string[]> {
  const seen: string[] = [];
  for await (const event of watch) {
    seen.push(event.type === 'put' ? `${event.key}=${event.entry.value}` : `${event.key} deleted`);
    if (seen.length === count) {
      break;
    }
  }
  return seen;
}

// `etcdctl` makes the users.
describe.runIf(hasEtcd()).each(sides)('at members of $name that ask for a password', (side) => {
  let members: Side;
  let endpoint: string;

  async function etcdctl(command: string, input = ''): Promise<void> {
    const env = { PATH: process.env['PATH'], ETCDCTL_API: '3' };
    await new Promise<void>((resolve, reject) => {
      const done = (error: Error | null): void => (error === null ? resolve() : reject(error));
      const args = [`--endpoints=${endpoint}`, ...command.split(' ')];
      execFile('etcdctl', args, { env }, done).stdin?.end(input);
    });
  }

  /** No member knows any token any more: that is what etcd makes of a change of the password. */
  async function forgetTokens(): Promise<void> {
    await etcdctl('--user=root:secret user passwd root --interactive=false', 'secret\n');
  }

  beforeAll(async () => {
    members = await side.start();
    endpoint = members.endpoints[0] ?? '';
    await etcdctl('user add root:secret');
    await etcdctl('auth enable');
  });

  afterAll(async () => {
    await members.stop();
  });

  test('nothing is done with a wrong password, all is with the right one', async () => {
    await using client = new Holdfast({ endpoints: endpoint, auth });
    await using wrong = new Holdfast({ endpoints: endpoint, auth: { ...auth, password: 'no' } });
    await using nobody = new Holdfast({ endpoints: endpoint });

    await using lock = await client.lock('owned');
    await using watch = client.kv.watch('a');
    await watch.begun();
    await client.kv.put('a', 'x');

    expect(lock.isHeld).toBe(true);
    expect(await take(watch, 1)).toEqual(['a=x']);
    for (const failure of [
      wrong.kv.put('a', 'x'),
      wrong.lock('a'),
      wrong.kv.watch('a').batches().next(),
    ].map(errorOf)) {
      expect(await failure).toMatchObject({
        ...{ code: 'UNAUTHENTICATED', outcome: 'rejected', retryable: false },
        hint: 'check user name and password',
      });
    }
    for (const failure of [nobody.kv.put('a', 'x'), nobody.kv.watch('a').batches().next()].map(
      errorOf,
    )) {
      expect(await failure).toMatchObject({ code: 'UNAUTHENTICATED', outcome: 'rejected' });
    }
  });

  test('a watch that is begun with a token that is not known any more begins', async () => {
    await using client = new Holdfast({ endpoints: endpoint, auth });
    const kv = client.kv.namespace('late/');
    await using first = kv.watch('a');
    await first.begun();
    await forgetTokens();

    await using second = kv.watch('b');
    await second.begun();
    await kv.put('a', '1');
    await kv.put('b', '2');

    expect(await take(first, 1)).toEqual(['a=1']);
    expect(await take(second, 1)).toEqual(['b=2']);
  });

  test('a slow watch comes back to where it was, though its token is forgotten', async () => {
    await using client = new Holdfast({ endpoints: endpoint, auth });
    const kv = client.kv.namespace('slow/');
    const value = 'x'.repeat(1_000_000);
    await using slow = kv.watch({ prefix: '' });
    await slow.begun();
    await using quick = kv.watch('k7');
    await quick.begun();
    for (let i = 0; i < 8; i++) {
      await kv.put(`k${i}`, value);
    }
    await take(quick, 1);
    await forgetTokens();

    const seen = await take(slow, 8);

    expect(seen.map((each) => each.slice(0, 2))).toEqual([
      'k0',
      'k1',
      'k2',
      'k3',
      'k4',
      'k5',
      'k6',
      'k7',
    ]);
  });

  test('watches, caches and owners go on after a member comes back without tokens', async () => {
    await using client = new Holdfast({ endpoints: endpoint, auth });
    const kv = client.kv.namespace('restart/');
    await using watch = kv.watch({ prefix: 'k' });
    await watch.begun();
    const { revision } = await kv.put('k1', 'before');
    await using lock = await client.lock('owner');
    await using cache = await kv.cache();

    await members.restart();
    // A read goes on by another connection; a write that a dropped one may have taken does not.
    await kv.get('k1');
    const { revision: after } = await kv.put('k2', 'after');
    await cache.atLeast(after);

    expect(after).toBeGreaterThan(revision);
    expect(await take(watch, 2)).toEqual(['k1=before', 'k2=after']);
    expect(cache.get('k2')?.value).toBe('after');
    expect(lock.isHeld).toBe(true);
  });

  test('a watch of what its user may not read is refused, the others go on', async () => {
    await etcdctl('--user=root:secret user add ann:pw');
    await etcdctl('--user=root:secret role add anns');
    await etcdctl('--user=root:secret role grant-permission anns --prefix=true readwrite ann/');
    await etcdctl('--user=root:secret user grant-role ann anns');
    await using client = new Holdfast({
      ...{ endpoints: endpoint, auth: { name: 'ann', password: 'pw' } },
    });
    await using watch = client.kv.watch('ann/a');
    await watch.begun();

    await using other = client.kv.watch('bob/a');
    const failure = await errorOf(other.begun());
    await client.kv.put('ann/a', '1');

    expect(failure).toMatchObject({ code: 'PERMISSION_DENIED', retryable: false });
    expect(await take(watch, 1)).toEqual(['ann/a=1']);
  });
});
