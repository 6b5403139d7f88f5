import { describe, expect, test } from 'vitest';
import { addressOf, isLoopback, serverUrlOf, urlOf } from '../../src/cli/host-port.ts';

describe('addresses', () => {
  test.each([
    ['http://127.0.0.1:2379', '127.0.0.1:2379'],
    ['http://db-1.example.com:80', 'db-1.example.com:80'],
    ['http://[2001:db8::1]:2380', '[2001:db8::1]:2380'],
    ['https://n1:2380', 'n1:2380'],
  ])('%s is %s for gRPC, and can be written again', (text, address) => {
    const url = serverUrlOf(text);

    expect(url && addressOf(url)).toBe(address);
    expect(url && urlOf(url)).toBe(text);
    expect(url?.isSecure).toBe(text.startsWith('https'));
  });

  test.each([
    ['localhost', true],
    ['127.9.0.1', true],
    ['::1', true],
    ['0.0.0.0', false],
    ['127.0.0.1.example.com', false],
    ['n1', false],
  ])('whether %s stays on this machine: %s', (host, expected) => {
    expect(isLoopback(host)).toBe(expected);
  });

  test.each([
    '',
    'http://:1',
    'http://a:1/',
    'http://user@a:1',
    'http://a b:1',
    'http://a:01',
    'http://::1:1',
    'HTTP://a:1',
    'ftp://a:1',
  ])('"%s" is none', (url) => {
    expect(serverUrlOf(url)).toBeUndefined();
  });
});
