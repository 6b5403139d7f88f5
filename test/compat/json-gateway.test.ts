/**
 * The JSON gateway answers as etcd's does: the same requests of HTTP to both, in one order, and the
 * same statuses and bodies, but for ids and terms.
 */
import { once } from 'node:events';
import { type IncomingMessage, request as httpRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasEtcd } from './etcd-server.ts';
import { startSides, type Sides } from './sides.ts';

const text = (value: string): string => Buffer.from(value).toString('base64');

/** A request, and what is known to be otherwise. */
interface HttpCase {
  readonly title: string;
  readonly path: string;
  /** As an object, or as it is. */
  readonly body?: object | string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The text of an error is Holdfast's own. */
  readonly saysItsOwn?: boolean;
  /** Fields that only Holdfast's answer has. */
  readonly adds?: readonly string[];
  /** What Holdfast answers, on purpose. */
  readonly differs?: { readonly status: number; readonly code: number };
}

const foo = text('foo');
const put = { key: foo, value: text('bar') };
const ownText = { saysItsOwn: true } as const;

const cases: readonly HttpCase[] = [
  { title: 'a put', path: '/v3/kv/put', body: put },
  { title: 'a put with the previous value', path: '/v3/kv/put', body: { ...put, prev_kv: true } },
  { title: 'a read of a key', path: '/v3/kv/range', body: { key: foo } },
  { title: 'a read of nothing', path: '/v3/kv/range', body: { key: text('nothing') } },
  {
    title: 'a range with names in camel case, a number as a number, an enum by name',
    path: '/v3/kv/range',
    body: { key: foo, rangeEnd: text('fop'), limit: 1, sortOrder: 'DESCEND' },
  },
  {
    title: 'a range with a number in quotes and an enum by number',
    path: '/v3/kv/range',
    body: { key: foo, range_end: text('fop'), limit: '1', sort_order: 2, keys_only: true },
  },
  { title: 'the paths of 3.3', path: '/v3beta/kv/range', body: { key: foo } },
  { title: 'an unknown field', path: '/v3/kv/range', body: { key: foo, colour: 'red' } },
  { title: 'no key', path: '/v3/kv/range', body: {} },
  { title: 'an empty body', path: '/v3/kv/range', body: '' },
  { title: 'null for a field', path: '/v3/kv/range', body: { key: foo, range_end: null } },
  { title: 'what is no base64', path: '/v3/kv/range', body: { key: '!!!' }, ...ownText },
  { title: 'a number for bytes', path: '/v3/kv/range', body: { key: 5 }, ...ownText },
  { title: 'text for a number', path: '/v3/kv/range', body: { key: foo, limit: 'x' }, ...ownText },
  { title: 'a list for a message', path: '/v3/kv/txn', body: { compare: {} }, ...ownText },
  {
    title: 'an unknown enum',
    path: '/v3/kv/range',
    body: { key: foo, sort_order: 'UP' },
    ...ownText,
  },
  { title: 'what is no JSON', path: '/v3/kv/range', body: 'nope', ...ownText },
  { title: 'half of a JSON', path: '/v3/kv/range', body: '{"key":', ...ownText },
  {
    title: 'a transaction',
    path: '/v3/kv/txn',
    body: {
      compare: [{ result: 'EQUAL', target: 'CREATE', key: foo, create_revision: '2' }],
      success: [
        { request_put: { key: foo, value: text('baz') } },
        { request_range: { key: foo } },
        { requestDeleteRange: { key: text('other') } },
      ],
      failure: [{ request_range: { key: foo } }],
    },
  },
  {
    title: 'a transaction that goes the other way',
    path: '/v3/kv/txn',
    body: {
      compare: [{ result: 'GREATER', target: 'VERSION', key: foo, version: 99 }],
      failure: [{ request_range: { key: foo, count_only: true } }],
    },
  },
  { title: 'a compaction beyond the newest', path: '/v3/kv/compaction', body: { revision: '99' } },
  { title: 'a compaction', path: '/v3/kv/compaction', body: { revision: '3' } },
  { title: 'a read of what is compacted', path: '/v3/kv/range', body: { key: foo, revision: 2 } },
  { title: 'a lease', path: '/v3/lease/grant', body: { TTL: 600, ID: '7' } },
  { title: 'a lease that is there', path: '/v3/lease/grant', body: { TTL: 600, ID: '7' } },
  { title: 'a put with it', path: '/v3/kv/put', body: { key: text('l'), value: '', lease: '7' } },
  { title: 'its keys', path: '/v3/lease/timetolive', body: { ID: '7', keys: true } },
  { title: 'the same, as before', path: '/v3/kv/lease/timetolive', body: { ID: 7 } },
  { title: 'all leases', path: '/v3/lease/leases', body: {} },
  { title: 'a renewal', path: '/v3/lease/keepalive', body: { ID: 7 } },
  { title: 'two renewals', path: '/v3/lease/keepalive', body: '{"ID":7} {"ID":"8"}' },
  { title: 'its end', path: '/v3/kv/lease/revoke', body: { ID: 7 } },
  { title: 'its end again', path: '/v3/lease/revoke', body: { ID: 7 } },
  { title: 'a deletion', path: '/v3/kv/deleterange', body: { key: foo, prev_kv: true } },
  { title: 'a user who is not there', path: '/v3/auth/user/get', body: { name: 'nobody' } },
  { title: 'a user', path: '/v3/auth/user/add', body: { name: 'ann', password: 'secret' } },
  { title: 'the users', path: '/v3/auth/user/list', body: {} },
  { title: 'a role', path: '/v3/auth/role/add', body: { name: 'reader' } },
  {
    title: 'a permission',
    path: '/v3/auth/role/grant',
    body: { name: 'reader', perm: { permType: 'READ', key: foo, range_end: text('fop') } },
  },
  { title: 'what a role may', path: '/v3/auth/role/get', body: { role: 'reader' } },
  {
    title: 'a sign-in while nobody is asked',
    path: '/v3/auth/authenticate',
    body: { name: 'ann' },
  },
  { title: 'alarms', path: '/v3/maintenance/alarm', body: {}, adds: ['header'] },
  { title: 'a lock', path: '/v3/lock/lock', body: { name: text('m') }, adds: ['fencing_token'] },
  {
    title: 'an election without a leader',
    path: '/v3/election/leader',
    body: { name: text('e') },
    ...ownText,
    differs: { status: 404, code: 5 },
  },
  {
    title: 'a short patience',
    path: '/v3/kv/range',
    body: { key: foo },
    headers: { 'grpc-timeout': '5S' },
  },
  { title: 'another method', path: '/v3/kv/put', method: 'PUT', body: put, ...ownText },
  { title: 'a question', path: '/v3/kv/put', method: 'GET', ...ownText },
  { title: 'an unknown path', path: '/v3/nothing', body: {}, ...ownText },
];

interface Answer {
  readonly status: number;
  readonly type: string | undefined;
  readonly body: string;
}

/** Asks, and waits for the whole answer. */
async function ask(endpoint: string, { path, body, method, headers }: HttpCase): Promise<Answer> {
  const [host, port] = endpoint.split(':');
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      { host, port, path, method: method ?? 'POST', headers: { ...headers } },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('end', () => {
          const { statusCode = 0, headers: answered } = response;
          resolve({ status: statusCode, type: answered['content-type'], body: text });
        });
      },
    );
    request.on('error', reject);
    request.end(typeof body === 'object' ? JSON.stringify(body) : (body ?? ''));
  });
}

function withoutIds(body: string): string {
  return body.replace(/"(cluster_id|member_id|raft_term|TTL)":"\d+"/g, '"$1":"?"');
}

/** Without what two clusters cannot have in common. */
function comparable({ status, type, body }: Answer, { saysItsOwn = false }: HttpCase): object {
  const shared = withoutIds(body)
    // The end of the name of a lock's key is its lease's id.
    .replace(/(bS)[89]\w+=*/g, '$1?')
    .trim();
  if (!saysItsOwn) {
    return { status, type, body: shared.split('\n').map((line): unknown => JSON.parse(line)) };
  }
  const isJson = shared.startsWith('{');
  return isJson
    ? { status, type, code: (JSON.parse(shared) as { code: number }).code }
    : { status, isJson };
}

/** Without the fields that Holdfast adds. */
function withoutAdded(answer: Answer, { adds = [] }: HttpCase): Answer {
  if (adds.length === 0) {
    return answer;
  }
  const message = JSON.parse(answer.body) as Record<string, unknown>;
  const kept = Object.entries(message).filter(([name]) => !adds.includes(name));
  expect(Object.keys(message)).toEqual(expect.arrayContaining([...adds]));
  return { ...answer, body: JSON.stringify(Object.fromEntries(kept)) };
}

/** What a watch tells until it has told as much as there are steps; after each comes its step. */
async function follow(
  endpoint: string,
  create: object,
  steps: readonly (() => Promise<unknown>)[],
): Promise<readonly unknown[]> {
  const [host, port] = endpoint.split(':');
  const request = httpRequest({ host, port, path: '/v3/watch', method: 'POST' });
  request.end(JSON.stringify({ create_request: create }));
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  const told: unknown[] = [];
  let said = '';
  // To leave it in the middle of its answer ends the connection.
  for await (const chunk of response.setEncoding('utf8')) {
    const lines = `${said}${String(chunk)}`.split('\n');
    said = lines.pop() ?? '';
    for (const line of lines) {
      told.push(JSON.parse(withoutIds(line)));
      await steps[told.length - 1]?.();
    }
    if (told.length >= steps.length) {
      break;
    }
  }
  return told;
}

describe.runIf(hasEtcd())('the JSON gateways of Holdfast and etcd', () => {
  let sides: Sides;

  beforeAll(async () => {
    sides = await startSides();
  });

  afterAll(async () => {
    await sides.stop();
  });

  test.each(cases.map((each) => [each.title, each] as const))(
    'answer alike to %s',
    async (_title, each) => {
      const [member = ''] = sides.holdfast.endpoints;
      const [expected, actual] = await Promise.all([ask(sides.etcd, each), ask(member, each)]);

      const { differs } = each;
      expect(comparable(withoutAdded(actual, each), each)).toEqual({
        ...comparable(expected, each),
        ...differs,
      });
    },
  );

  test('tell alike of history, and of what happens then', async () => {
    const [member = ''] = sides.holdfast.endpoints;
    const key = text('watched');
    const told = await Promise.all(
      [sides.etcd, member].map(async (endpoint) => {
        const write = async (value: string): Promise<Answer> =>
          ask(endpoint, { title: '', path: '/v3/kv/put', body: { key, value: text(value) } });
        const { body } = await write('1');
        const { header } = JSON.parse(body) as { header: { revision: string } };
        await write('2');
        const create = { key, start_revision: header.revision, prev_kv: true };
        const steps = [
          async () => Promise.resolve(),
          async () => write('3'),
          async () => ask(endpoint, { title: '', path: '/v3/kv/deleterange', body: { key } }),
          async () => Promise.resolve(),
        ];
        return follow(endpoint, create, steps);
      }),
    );

    expect(told[1]).toEqual(told[0]);
    expect(JSON.stringify(told[1])).toContain('"type":"DELETE"');
  });
});
