/** Options of a client: defaults, and every mistake named. */
import { describe, expect, test } from 'vitest';
import { type HoldfastOptions, readOptions } from '../../src/client/options.ts';

function mistakes(options: HoldfastOptions): string {
  try {
    readOptions(options);
  } catch (error) {
    expect(error).toMatchObject({ code: 'CONFIG_INVALID', outcome: 'rejected' });
    return (error as Error).message;
  }
  throw new Error('the options were taken');
}

const ca = '-----BEGIN CERTIFICATE-----';

describe('options', () => {
  test('have defaults', () => {
    expect(readOptions({ endpoints: '127.0.0.1:2379' })).toEqual({
      addresses: ['127.0.0.1:2379'],
      tls: undefined,
      auth: undefined,
      timeoutMs: 30_000,
    });
  });

  test('take URLs and lists; an endpoint that is named twice counts once', () => {
    const endpoints = ['http://localhost:1', '[::1]:2', '127.1.2.3:3/', 'localhost:1'];

    expect(readOptions({ endpoints }).addresses).toEqual([
      ...['localhost:1', '[::1]:2', '127.1.2.3:3'],
    ]);
  });

  test('speak TLS when told, or when the URLs say so', () => {
    expect(readOptions({ endpoints: 'https://db.example:1' }).tls).toEqual({});
    expect(readOptions({ endpoints: 'db.example:1', tls: true }).tls).toEqual({});
    expect(readOptions({ endpoints: 'db.example:1', tls: { ca } }).tls).toEqual({ ca });
  });

  test('refuse plain text to another machine, unless it is insisted on', () => {
    expect(mistakes({ endpoints: ['127.0.0.1:1', 'db.example:1'] })).toContain(
      'db.example:1: plain text is for this machine only',
    );
    expect(readOptions({ endpoints: 'db.example:1', insecure: true }).tls).toBeUndefined();
  });

  test.each<readonly [string, HoldfastOptions, string]>([
    ['no endpoint', { endpoints: [] }, 'name one at least'],
    ['no port', { endpoints: 'localhost' }, '"localhost" is not host:port'],
    ['several in one text', { endpoints: 'localhost:1,localhost:2' }, 'give several as a list'],
    ['another scheme', { endpoints: 'grpc://localhost:1' }, 'not host:port'],
    ['an IPv6 address without brackets', { endpoints: '::1:1' }, 'not host:port'],
    ['a port beyond', { endpoints: 'localhost:65536' }, 'not host:port'],
    ['both schemes', { endpoints: ['http://[::1]:1', 'https://[::1]:2'] }, 'different things'],
    ['TLS to http', { endpoints: 'http://[::1]:1', tls: true }, 'different things'],
    ['no TLS to https', { endpoints: 'https://[::1]:1', tls: false }, 'different things'],
    ['a certificate without key', { endpoints: '[::1]:1', tls: { cert: ca } }, 'go together'],
    ['no time', { endpoints: '[::1]:1', timeoutMs: 0 }, 'timeoutMs is 0'],
    ['endless time', { endpoints: '[::1]:1', timeoutMs: Infinity }, 'timeoutMs is Infinity'],
  ])('refuse %s', (_, options, text) => {
    expect(mistakes(options)).toContain(text);
  });

  test.each<readonly [unknown, string]>([
    [undefined, 'give an object, not undefined'],
    [{}, 'endpoints: name one at least'],
    [{ endpoint: ['127.0.0.1:1'] }, 'unknown field "endpoint"; known: endpoints, tls'],
    [{ endpoints: 5 }, 'endpoints is 5: give host:port'],
    [{ endpoints: '127.0.0.1:1', namspace: 'a' }, 'unknown field "namspace"'],
    [{ endpoints: '127.0.0.1:1', codec: 'json' }, 'codec is a string: give a codec'],
    [{ endpoints: '127.0.0.1:1', timeoutMs: 'x' }, 'timeoutMs is a string'],
    [{ endpoints: '127.0.0.1:1', auth: { name: 'a' } }, 'auth: name and password go together'],
    [{ endpoints: '127.0.0.1:1', auth: { name: '', password: 'p' } }, 'auth: name is empty: give '],
    [
      { endpoints: '127.0.0.1:1', auth: { user: 'a', password: 'p' } },
      'unknown field "user"; know',
    ],
    [{ endpoints: '127.0.0.1:1', auth: { name: 'a', password: 5 } }, 'password is 5: give text'],
    [{ endpoints: '127.0.0.1:1', auth: 'a:p' }, 'auth is a string: give { name, password }'],
    [{ endpoints: '127.0.0.1:1', tls: 'ca.pem' }, 'tls is a string: give true, or { ca, cert, key'],
    [{ endpoints: '127.0.0.1:1', tls: { caFile: 'x' } }, 'tls: unknown field "caFile"; known: ca'],
    [{ endpoints: '127.0.0.1:1', tls: { ca: ['x'] } }, 'tls: ca is an array: give PEM, as text or'],
    [{ endpoints: '127.0.0.1:1', tls: { ca: 'ca.pem' } }, 'bytes; not the name of a file'],
    [
      { endpoints: '127.0.0.1:1', tls: { key: Buffer.from('x') } },
      'tls: key is an object: give PEM',
    ],
    [{ endpoints: '127.0.0.1:1', tls: { serverName: 5 } }, 'tls: serverName is 5: give text of'],
  ])('that plain JavaScript may hand over are refused: %j', (options, text) => {
    expect(mistakes(options as HoldfastOptions)).toContain(text);
  });

  test('name every mistake', () => {
    expect(mistakes({ endpoints: ['x', 'y'], timeoutMs: -1 })).toMatch(/"x".*"y".*timeoutMs/);
  });
});
