import { describe, expect, test } from 'vitest';
import {
  AddressError,
  isSameListen,
  joinAddress,
  splitAddress,
} from '../../../chaos/toxiproxy/address.ts';

describe('splitAddress', () => {
  test.each([
    ['10.0.0.1:80', '10.0.0.1', 80],
    ['localhost:80', '127.0.0.1', 80],
    ['[::1]:80', '::1', 80],
    [':80', '127.0.0.1', 80],
    ['name:', 'name', 0],
    ['', '127.0.0.1', 0],
  ])('takes %j apart', (address, host, port) => {
    expect(splitAddress(address)).toEqual([host, port]);
  });

  test.each([
    ['x', 'address x: missing port in address'],
    ['[::1]', 'address [::1]: missing port in address'],
    ['[::1', "address [::1: missing ']' in address"],
    ['1:2:3', 'address 1:2:3: too many colons in address'],
    ['a:99999', 'address 99999: invalid port'],
    ['a:b', 'address tcp/b: unknown port'],
  ])('says of %j what Go says', (address, complaint) => {
    expect(() => splitAddress(address)).toThrow(new AddressError(complaint));
  });
});

test('joinAddress puts brackets where they are needed', () => {
  expect(joinAddress('::1', 80)).toBe('[::1]:80');
  expect(joinAddress('a', 80)).toBe('a:80');
});

test('a proxy that is bound to loopback is where localhost wants it', () => {
  expect(isSameListen('127.0.0.1:80', '127.0.0.1:80')).toBe(true);
  expect(isSameListen('127.0.0.1:80', 'localhost:80')).toBe(true);
  expect(isSameListen('127.0.0.1:80', 'localhost:81')).toBe(false);
  expect(isSameListen('127.0.0.1:80', 'localhost:0')).toBe(false);
});
