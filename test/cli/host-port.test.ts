import { describe, expect, test } from 'vitest';
import { addressOf, hostPortOf } from '../../src/cli/host-port.ts';

describe('addresses', () => {
  test.each([
    ['http://127.0.0.1:2379', '127.0.0.1:2379'],
    ['http://db-1.example.com:80', 'db-1.example.com:80'],
    ['http://[2001:db8::1]:2380', '[2001:db8::1]:2380'],
  ])('%s is %s for gRPC', (url, address) => {
    const hostPort = hostPortOf(url);

    expect(hostPort && addressOf(hostPort)).toBe(address);
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
  ])('"%s" is none', (url) => {
    expect(hostPortOf(url)).toBeUndefined();
  });
});
