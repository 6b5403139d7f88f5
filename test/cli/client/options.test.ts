/** What all client commands take, from text to checked values. */
import { Command } from 'commander';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { Dialler } from '../../../src/cli/client/dialler.ts';
import {
  addGroup,
  addSharedOptions,
  addSharedOptionsInFront,
  type ClientOptions,
  clientOptionsOf,
  parseCount,
  parseMemberId,
  parseOneOf,
  parsePeerUrls,
} from '../../../src/cli/client/options.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

/** The settings that a command `get` sees on this command line. */
function settingsOf(...argv: string[]): ClientOptions {
  let seen: ClientOptions | undefined;
  const program = new Command().exitOverride().configureOutput({ writeErr: () => undefined });
  const get = addSharedOptions(program.command('get')).action(() => {
    seen = clientOptionsOf(get);
  });
  const member = addGroup(program, 'member', 'members');
  const list = addSharedOptions(member.command('list')).action(() => {
    seen = clientOptionsOf(list, 60_000);
  });
  program.command('server').action(() => undefined);
  addSharedOptionsInFront(program, [get, member]);
  program.parse(argv, { from: 'user' });
  if (seen === undefined) {
    throw new Error('get was not run');
  }
  return seen;
}

describe('--command-timeout', () => {
  test.each([
    ['500ms', 500],
    ['5s', 5000],
    ['1m', 60_000],
    ['1m30s', 90_000],
    ['1.5s', 1500],
    ['24h', 86_400_000],
  ])('%s is %i milliseconds', (text, expected) => {
    expect(settingsOf('get', `--command-timeout=${text}`).timeoutMs).toBe(expected);
  });

  test.each(['', '5', 's', '-1s', '0s', '5 s', '5S', '1d', '25h', '1e3s', '5sx'])(
    '"%s" is refused',
    (text) => {
      expect(() => settingsOf('get', `--command-timeout=${text}`)).toThrow(
        'It must be a duration with its unit',
      );
    },
  );
});

describe('--endpoints', () => {
  test.each([
    ['127.0.0.1:2379', ['127.0.0.1:2379']],
    ['http://a:1, b:2 ,', ['a:1', 'b:2']],
    ['http://a:1/', ['a:1']],
    ['[::1]:2379', ['[::1]:2379']],
    ['a:1,http://a:1', ['a:1']],
    ['https://a:1/,b:2', ['https://a:1', 'b:2']],
    ['HTTPS://[::1]:2379', ['https://[::1]:2379']],
  ])('%s is %j', (text, expected) => {
    expect(settingsOf('get', `--endpoints=${text}`).endpoints).toEqual(expected);
  });

  test.each(['a', 'a:', ':1', 'a:0', 'a:70000', 'a:1:2', '::1:2379', 'ftp://a:1', 'a:1/path', ''])(
    '"%s" is refused',
    (text) => {
      expect(() => settingsOf('get', `--endpoints=${text}`)).toThrow(/--endpoints: .*must/);
    },
  );

  test('with files for TLS are dialled with those, from flags or the environment', () => {
    vi.stubEnv('HOLDFAST_CACERT', '/nowhere/ca.pem');

    expect(() => settingsOf('get')).toThrow('HOLDFAST_CACERT: /nowhere/ca.pem: there is no such');
    expect(() => settingsOf('get', '--cacert=/here')).toThrow('--cacert: /here: there is no such');
    expect(() => settingsOf('--cert=/c', 'get')).toThrow('--cert: needs --key beside it');
  });
});

describe('parseCount', () => {
  test.each([
    ['0', 0],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
  ])('%s is %i', (text, expected) => {
    expect(parseCount(text)).toBe(expected);
  });

  test.each(['', '-1', '1.5', '1e3', ' 1', 'x', '9007199254740993'])('"%s" is refused', (text) => {
    expect(() => parseCount(text)).toThrow('whole number');
  });
});

describe('parseMemberId', () => {
  test.each([
    ['0', '0'],
    ['3e9', '1001'],
    ['8CBCA9CCCC7CDC94', '10141167158000671892'],
    ['ffffffffffffffff', '18446744073709551615'],
  ])('%s is %s', (text, expected) => {
    expect(parseMemberId(text)).toBe(expected);
  });

  test.each(['', 'g', '0x1', '-1', '10000000000000000'])('"%s" is refused', (text) => {
    expect(() => parseMemberId(text)).toThrow('the id of a member, in hexadecimal');
  });
});

describe('parsePeerUrls', () => {
  test('takes several, with blanks', () => {
    expect(parsePeerUrls('http://a:1, http://[::1]:2 ,')).toEqual(['http://a:1', 'http://[::1]:2']);
  });

  test.each(['', ',', 'a:1', 'http://a', 'https://a', 'http://a:1/x'])(
    '"%s" is refused',
    (text) => {
      expect(() => parsePeerUrls(text)).toThrow('http://HOST:PORT');
    },
  );
});

describe('parseOneOf', () => {
  test('ignores the case and returns the word as it is known', () => {
    expect(parseOneOf(['ASCEND', 'DESCEND'])('descend')).toBe('DESCEND');
  });

  test('names the choices', () => {
    expect(() => parseOneOf(['l', 's'])('x')).toThrow('It must be one of l, s.');
  });
});

describe('the shared options', () => {
  test('have defaults', () => {
    vi.stubEnv('HOLDFAST_ENDPOINTS', undefined);

    expect(settingsOf('get')).toEqual({
      dialler: expect.any(Dialler) as Dialler,
      endpoints: ['127.0.0.1:2379'],
      timeoutMs: 5000,
      format: undefined,
    });
  });

  test('come from behind the command, else from in front of it, else from the environment', () => {
    vi.stubEnv('HOLDFAST_ENDPOINTS', 'env:1');

    expect(settingsOf('get').endpoints).toEqual(['env:1']);
    expect(settingsOf('--endpoints=front:1', 'get').endpoints).toEqual(['front:1']);
    expect(settingsOf('--endpoints=front:1', 'get', '--endpoints=own:1').endpoints).toEqual([
      'own:1',
    ]);
    expect(settingsOf('get', '-w=table').format).toBe('table');
    expect(settingsOf('--command-timeout', '1s', '-w', 'json', 'get')).toMatchObject({
      timeoutMs: 1000,
      format: 'json',
    });
  });

  test('of a command in a group come from behind the group too', () => {
    expect(settingsOf('-w=json', 'member', '-w=table', 'list', '-w=plain').format).toBe('plain');
    expect(settingsOf('-w=json', 'member', '-w=table', 'list').format).toBe('table');
    expect(settingsOf('-w=json', 'member', 'list').format).toBe('json');
  });

  test('leave a command its own time, unless one is given', () => {
    expect(settingsOf('member', 'list').timeoutMs).toBe(60_000);
    expect(settingsOf('member', '--command-timeout=1s', 'list').timeoutMs).toBe(1000);
  });

  test('are named by where a wrong one was set', () => {
    vi.stubEnv('HOLDFAST_ENDPOINTS', 'nonsense');

    expect(() => settingsOf('get')).toThrow('HOLDFAST_ENDPOINTS: "nonsense" must be HOST:PORT');
  });

  test('are refused in front of a command that is no client', () => {
    expect(() => settingsOf('--endpoints=a:1', 'server')).toThrow('server: takes none of');
  });
});
