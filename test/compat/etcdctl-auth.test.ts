/**
 * `etcdctl` is told the same by etcd and by Holdfast about users, roles and permissions, and each
 * user may do the same. Every command goes to another member of Holdfast than the one before.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AuthCase, casesWithAuth, casesWithoutAuth } from './etcdctl-auth-cases.ts';
import { hasEtcd } from './etcd-server.ts';
import { bytes, RawClient } from './raw-client.ts';
import { comparable, type EtcdctlOutcome, runEtcdctl } from './etcdctl-runner.ts';
import { type Sides, startSides } from './sides.ts';

/** What a watch stream tells. */
interface WatchAnswer {
  readonly created: boolean;
  readonly header: { readonly revision: string };
}

/** Lines of `etcdctl` about its own attempts are no answers. */
function answerOf(outcome: EtcdctlOutcome): EtcdctlOutcome {
  const lines = outcome.stderr.split('\n').filter((line) => !line.startsWith('{'));
  return { ...outcome, stderr: lines.join('\n') };
}

describe.runIf(hasEtcd())('users, roles and permissions', () => {
  let sides: Sides;
  let asked = 0;

  beforeAll(async () => {
    sides = await startSides();
  });

  afterAll(async () => {
    await sides.stop();
  });

  async function answersTo({ args, input = '' }: AuthCase): Promise<readonly EtcdctlOutcome[]> {
    const { endpoints } = sides.holdfast;
    const endpoint = endpoints[asked++ % endpoints.length] ?? '';
    return Promise.all(
      [sides.etcd, endpoint].map(async (each) =>
        answerOf(comparable(await runEtcdctl(each, args, input), each, args)),
      ),
    );
  }

  async function compare(cases: readonly AuthCase[]): Promise<void> {
    const differences: object[] = [];
    for (const each of cases) {
      const [etcd, holdfast] = await answersTo(each);
      if (JSON.stringify(etcd) !== JSON.stringify(holdfast)) {
        differences.push({ args: each.args.join(' '), etcd, holdfast });
      }
    }
    expect(differences).toEqual([]);
  }

  test('are the same while nobody is asked', async () => {
    await compare(casesWithoutAuth);
  });

  test('are the same, and permit the same, once everybody is', async () => {
    await compare(casesWithAuth);
  });

  test('let in who was added without a password once root gives one; not etcd', async () => {
    const root = '--user=root:root';
    const ask = async (password: string) =>
      answersTo({ args: [`--user=quiet:${password}`, 'get', 'k'] });
    await answersTo({ args: [root, 'user', 'add', 'quiet', '--no-password'] });
    const [etcdBefore, before] = await ask('guess');
    const passwd = [root, 'user', 'passwd', 'quiet', '--interactive=false'];
    await answersTo({ args: passwd, input: 'new\n' });
    const [etcd, holdfast] = await ask('new');

    for (const answer of [etcdBefore, etcd]) {
      expect(answer?.stderr).toContain('password was given for no password user');
    }
    expect(before?.stderr).toContain('authentication failed, invalid user ID or password');
    expect(holdfast?.stderr).toContain('permission denied');
  });

  test('tell a stream’s progress, and give no watch, to somebody without a token', async () => {
    const requests = [{ progress_request: {} }, { create_request: { key: bytes('a') } }];
    const endpoints = [sides.etcd, sides.holdfast.endpoints[0] ?? ''];

    const answers = await Promise.all(
      endpoints.map(async (endpoint) => {
        const client = new RawClient(endpoint);
        const told = await client.stream('Watch', requests, requests.length);
        client.close();
        return told as readonly WatchAnswer[];
      }),
    );

    for (const told of answers) {
      const progress = told.find(({ created }) => !created);
      const watch = told.find(({ created }) => created);
      expect(Number(progress?.header.revision)).toBeGreaterThan(0);
      expect(progress).toMatchObject({ watch_id: '-1', events: [] });
      expect(watch).toMatchObject({ created: true, canceled: true, events: [] });
    }
  });
});
