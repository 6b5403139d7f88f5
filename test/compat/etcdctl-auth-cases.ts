/**
 * Commands of `etcdctl` about users, roles and permissions, in the order in which they are run on
 * both sides, and what users of all kinds may do once they must say who they are.
 */

/** A command; `input` is what it reads. */
export interface AuthCase {
  readonly args: readonly string[];
  readonly input?: string;
}

function cases(...lines: readonly (string | AuthCase)[]): readonly AuthCase[] {
  return lines.map((line) => (typeof line === 'string' ? { args: words(line) } : line));
}

/** Words of a line; `""` is an empty one. */
function words(line: string): readonly string[] {
  return line.split(' ').map((word) => (word === '""' ? '' : word));
}

/** While nobody is asked. */
export const casesWithoutAuth: readonly AuthCase[] = cases(
  'auth disable',
  'user list',
  'role list',
  'user add ann:secret',
  'user add ann:secret',
  'user add "" --no-password',
  'user add :x',
  'user add bob --new-user-password=pw -w json',
  'user add mute --no-password',
  'user add zoë:ü',
  { args: ['user', 'add', 'tim', '--interactive=false'], input: 'typed\n' },
  'user list',
  'user list -w json',
  'user list -w fields',
  'user list -w table',
  'user get ann',
  'user get ann --detail',
  'user get ann -w json',
  'user get zoë',
  'user get nobody',
  'role add readers',
  'role add readers',
  'role add ""',
  'role add writers -w json',
  'role add all -w fields',
  'role list',
  'role list -w json',
  'role get readers',
  'role get nothing',
  'role grant-permission readers read foo',
  'role grant-permission readers read foo fop',
  'role grant-permission readers read goo',
  'role grant-permission readers readwrite goo',
  'role grant-permission readers read --prefix pub/ -w json',
  'role grant-permission readers read --from-key z',
  'role grant-permission readers read c --prefix --from-key',
  'role grant-permission readers nothing foo',
  'role grant-permission readers read',
  'role grant-permission nothing read foo',
  'role grant-permission all readwrite "" --prefix',
  'role grant-permission writers write w/a w/m',
  'role grant-permission writers write w/m w/z',
  'role grant-permission writers readwrite both/ both0',
  'role grant-permission writers write log',
  'role get readers',
  'role get readers -w json',
  'role get readers -w fields',
  'role get all',
  'role get writers',
  'role revoke-permission readers goo',
  'role revoke-permission readers goo',
  'role revoke-permission readers foo nofoo',
  'role revoke-permission readers z --from-key',
  'role revoke-permission nothing foo',
  'role get readers',
  'user grant-role ann readers',
  'user grant-role ann readers',
  'user grant-role ann writers',
  'user grant-role ann nothing',
  'user grant-role nobody readers',
  'user grant-role bob readers -w json',
  'user grant-role tim all',
  'user get ann',
  'user get ann --detail',
  'user revoke-role ann nothing',
  'user revoke-role nobody readers',
  'user revoke-role ann writers',
  'user revoke-role ann writers',
  'user grant-role ann writers',
  'role add gone',
  'user grant-role ann gone',
  'role delete gone',
  'role delete gone',
  'user get ann',
  'user delete nobody',
  { args: ['user', 'passwd', 'ann', '--interactive=false'], input: 'sesame\n' },
  { args: ['user', 'passwd', 'nobody', '--interactive=false'], input: 'sesame\n' },
  // Nobody is asked, whatever is said.
  '--user=nobody:at-all put foo one',
  '--user=ann:wrong put pub/a two',
  'put w/b three',
  'put both/a four',
  'put secret five',
  'auth enable',
  'user add root:root',
  'user add other:other',
);

/** From here on everybody is asked; root has had its role by `etcdctl` itself. */
export const casesWithAuth: readonly AuthCase[] = cases(
  'put foo x',
  'get foo',
  'get foo --consistency=s',
  'del foo',
  { args: ['txn'], input: '\nput foo x\n\n\n' },
  'user list',
  'auth disable',
  '--user=root:wrong get foo',
  '--user=nobody:at-all get foo',
  '--user=mute:x get foo',
  '--user=ann:secret get foo',
  '--user=root:root auth enable',
  '--user=root:root user list',
  '--user=root:root role list',
  '--user=root:root user get root',
  '--user=root:root role get root',
  '--user=root:root user delete root',
  '--user=root:root role delete root',
  '--user=root:root user revoke-role root root',
  '--user=root:root get secret',
  '--user=zoë:ü get foo',
  '--user=tim:typed get "" --prefix --keys-only',
  '--user=ann --password=sesame get foo',
  ...['get foo', 'get fooz', 'get fo', 'get foo fop', 'get foo foq', 'get foo --from-key'].map(ann),
  ...['get pub/ --prefix', 'get pub/a --keys-only', 'get pub/ --prefix --count-only'].map(ann),
  ...['get secret', 'get "" --prefix', 'get foo --consistency=s', 'get secret --rev=2'].map(ann),
  ...['put foo x', 'put w/b x', 'put w/b y --prev-kv', 'put both/a x --prev-kv'].map(ann),
  ...['put log x', 'get log', 'put w/b --ignore-value', 'put secret x'].map(ann),
  // Two permissions that adjoin are one.
  ...['del w/b w/y', 'del w/a w/z0', 'del w/b --prev-kv', 'del both/ --prefix --prev-kv'].map(ann),
  ...['del pub/a', 'del w/b w/c --prev-kv', 'del "" --prefix'].map(ann),
  annTxn('', 'get foo', ''),
  annTxn('', 'put w/c x', 'put w/d x'),
  annTxn('', 'put w/c x', 'put secret x'),
  annTxn('', 'get secret', ''),
  annTxn('value("foo") = "one"', 'put w/c y', ''),
  annTxn('value("secret") = "one"', 'put w/c z', ''),
  annTxn('', 'del w/c', 'del pub/a'),
  ...['user get ann', 'user get bob', 'role get readers', 'role get all', 'user list'].map(ann),
  ...['role list', 'user add eve:eve', 'role add eves', 'user grant-role ann all'].map(ann),
  ...['role grant-permission readers read secret', 'auth disable', 'auth enable'].map(ann),
  ...['user delete bob', 'role delete readers', 'user revoke-role bob readers'].map(ann),
  ...['alarm list', 'member add x --peer-urls=http://127.0.0.1:1', 'member remove 123'].map(ann),
  // A revocation counts at once, and so does a grant.
  '--user=root:root user revoke-role ann writers',
  ...['put w/c x', 'get foo'].map(ann),
  '--user=root:root user grant-role ann writers',
  ...['put w/c x'].map(ann),
  '--user=root:root role revoke-permission readers foo',
  ...['get foo', 'get foo fop'].map(ann),
  '--user=root:root role delete readers',
  ...['get foo', 'user get ann'].map(ann),
  { args: ['--user=root:root', 'user', 'passwd', 'ann', '--interactive=false'], input: 'new\n' },
  ...['put w/c x'].map(ann),
  '--user=ann:new put w/c x',
  '--user=root:root user delete ann',
  '--user=ann:new put w/c x',
  '--user=root:root user get ann',
  '--user=root:root user add ann:new',
  '--user=ann:new put w/c x',
  '--user=root:root auth disable',
  'put foo x',
  'get foo',
  'auth enable',
  'get foo',
  '--user=root:root get foo',
);

function ann(command: string): AuthCase {
  return { args: ['--user=ann:sesame', ...words(command)] };
}

function annTxn(compares: string, success: string, failure: string): AuthCase {
  const input = [compares, success, failure].map((part) => `${part}\n\n`).join('');
  return { args: ['--user=ann:sesame', 'txn'], input };
}
