/** The code in the client's guide, and in the README, does what they say, as it stands there. */
import { readFileSync } from 'node:fs';
import { codecs, Holdfast } from 'holdfast/client';
import { startTestCluster, type TestCluster } from 'holdfast/testing';
import ts from 'typescript';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';

let cluster: TestCluster;

beforeAll(async () => {
  cluster = await startTestCluster({ nodes: 1 });
});

afterAll(async () => {
  await cluster.stop();
});

/** The code under each heading of the two that has some. */
const blocks = new Map(
  ['README.md', 'docs/client.md']
    .map((page) => readFileSync(new URL(`../../${page}`, import.meta.url), 'utf8'))
    .join('\n')
    .split(/^#+ /m)
    .flatMap((section) => {
      const [title = ''] = section.split('\n');
      return [...section.matchAll(/```js\n(.*?)```/gs)].map(([, code = ''], at) => [
        at === 0 ? title : `${title}, ${at + 1}`,
        code,
      ]);
    }) as [string, string][],
);

/** Runs what is under a heading; it may use what is in `names`. */
async function run(title: string, names: Readonly<Record<string, unknown>>): Promise<void> {
  const code = (blocks.get(title) ?? `throw new Error('nothing under "${title}"');`)
    .replace(/^import .*$/m, '')
    .replace(/endpoints: \[.*?\]/, 'endpoints');
  const { outputText } = ts.transpileModule(`async function run() { ${code} }`, {
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.None },
  });
  const all = { codecs, Holdfast, endpoints: cluster.endpoints, ...names };
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- the guide is a text
  const made = new Function(...Object.keys(all), `${outputText}; return run();`) as (
    ...values: readonly unknown[]
  ) => Promise<void>;
  await made(...Object.values(all));
}

test('every block of code is tried here', () => {
  expect([...blocks.keys()]).toEqual([
    ...['From Node.js', 'The client library', 'Transactions', 'Transactions, 2', 'Watches'],
    ...['Locks, semaphores, elections', 'Caches', 'Change feeds', 'Reconcilers'],
  ]);
});

test('the README sells one, and gives back its lock', async () => {
  const log = vi.fn();

  await run('From Node.js', { console: { log } });

  await using client = new Holdfast({ endpoints: cluster.endpoints });
  expect((await client.kv.get('stock/tea'))?.value).toBe('2');
  expect(log.mock.calls).toEqual([[expect.any(Number), false]]);
  expect(await client.kv.count({ prefix: 'jobs/nightly/' })).toBe(0);
});

test('the beginning puts and gets', async () => {
  await run('The client library', {});

  await using client = new Holdfast({ endpoints: cluster.endpoints });
  expect((await client.kv.get('greeting'))?.value).toBe('hello');
});

test('transactions decide, and programs sell what there is', async () => {
  await using client = new Holdfast({ endpoints: cluster.endpoints });
  const { kv } = client;
  await kv.put('stock', '1');

  await run('Transactions', { kv });
  await run('Transactions, 2', { kv });

  expect((await kv.get('owner'))?.value).toBe('ann');
  expect((await kv.get('stock'))?.value).toBe('0');
  await expect(run('Transactions, 2', { kv })).rejects.toThrow('sold out');
});

test('a watch is read until it is closed', async () => {
  await using client = new Holdfast({ endpoints: cluster.endpoints });

  const ended = run('Watches', { kv: client.kv }).catch((error: unknown) => error);
  await client.kv.put('orders/1', 'tea');
  await client.close();

  expect(await ended).toMatchObject({ code: 'CLIENT_CLOSED' });
});

test('a lock is held while the report is written', async () => {
  await using client = new Holdfast({ endpoints: cluster.endpoints });
  const written: unknown[] = [];
  const store = {
    write: async (...args: readonly unknown[]) => {
      written.push(...args, await client.tryLock('reports/nightly'));
    },
  };

  await run('Locks, semaphores, elections', { client, store, report: 'all is well' });

  const held = { fence: expect.any(Number) as number, signal: expect.any(AbortSignal) as object };
  expect(written).toEqual(['all is well', held, undefined]);
});

test('a cache has what was written', async () => {
  await using client = new Holdfast({ endpoints: cluster.endpoints });
  const kv = client.kv.namespace('flags/').as(codecs.json());

  await run('Caches', { client, kv });

  expect((await kv.get('dark-mode'))?.value).toBe(true);
});

test('a feed sends an invoice for each order', async () => {
  await using client = new Holdfast({ endpoints: cluster.endpoints });
  await client.kv.put('orders/1', 'tea');
  const ending = new AbortController();
  const sent: unknown[] = [];
  const sendInvoice = (order: string): void => {
    sent.push(order);
    ending.abort();
  };

  await run('Change feeds', { client, sendInvoice, signal: ending.signal });

  expect(sent).toEqual(['tea']);
});

test('a reconciler leads, makes what is missing, and removes what nobody desires', async () => {
  await using client = new Holdfast({ endpoints: cluster.endpoints });
  const desired = client.kv.namespace('dns/').as(codecs.json<string>());
  await desired.put('www', '10.0.0.1');
  const ending = new AbortController();
  const done: string[] = [];
  const note = (...words: readonly string[]): void => {
    done.push(words.join(' '));
    if (done.length === 2) {
      ending.abort();
    }
  };
  const dns = {
    list: () => ['old'],
    remove: (name: string) => note('remove', name),
    ensure: (name: string, address: string) => note('ensure', name, address),
  };
  const log = { warn: (failure: unknown) => note(JSON.stringify(failure)) };

  await run('Reconcilers', { client, dns, log, hostname: 'here', signal: ending.signal });

  expect(done.sort()).toEqual(['ensure www 10.0.0.1', 'remove old']);
});
