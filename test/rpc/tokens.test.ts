import { beforeEach, describe, expect, test } from 'vitest';
import { KvError } from '../../src/base/index.ts';
import { nodeCryptography } from '../../src/cli/node-cryptography.ts';
import { Tokens } from '../../src/rpc/tokens.ts';

const auth = { secret: new Uint8Array(32), timeMs: 0 };
const caller = { user: 'zo\u00c3\u00ab', credentials: 41 };
let tokens: Tokens;

beforeEach(() => {
  auth.secret = new Uint8Array(32).fill(7);
  auth.timeMs = 1000;
  tokens = new Tokens(nodeCryptography, auth, 99);
});

function refusalOf(token: string, by = tokens): string {
  try {
    by.callerOf(token);
    return 'known';
  } catch (error) {
    return error instanceof KvError ? error.code : String(error);
  }
}

describe('tokens', () => {
  test('say who has signed in, on every member and after a restart', () => {
    const token = tokens.issue(caller, 300);

    expect(tokens.callerOf(token)).toEqual(caller);
    expect(tokens.callerOf(token)).toEqual(caller);
    expect(new Tokens(nodeCryptography, auth, 99).callerOf(token)).toEqual(caller);
  });

  test('fit into metadata, whatever the name', () => {
    expect(tokens.issue(caller, 300)).toMatch(/^hf1\.[\w-]+\.[\w-]+$/);
  });

  test('end with their time, known or not', () => {
    const token = tokens.issue(caller, 300);
    auth.timeMs = 1299;
    expect(tokens.callerOf(token)).toEqual(caller);

    auth.timeMs = 1300;

    expect(refusalOf(token)).toBe('INVALID_AUTH_TOKEN');
    expect(refusalOf(token, new Tokens(nodeCryptography, auth, 99))).toBe('INVALID_AUTH_TOKEN');
  });

  test('end when there is another secret, though they were known', () => {
    const token = tokens.issue(caller, 300);
    tokens.callerOf(token);

    auth.secret = new Uint8Array(32).fill(8);

    expect(refusalOf(token)).toBe('INVALID_AUTH_TOKEN');
  });

  test('of another cluster are unknown, though it has the same secret', () => {
    expect(refusalOf(new Tokens(nodeCryptography, auth, 98).issue(caller, 300))).toBe(
      'INVALID_AUTH_TOKEN',
    );
  });

  test('in which anything was changed are unknown', () => {
    const token = tokens.issue(caller, 300);
    const [format = '', claims = '', signature = ''] = token.split('.');
    const forged = Buffer.from('["root",1,9999999]').toString('base64url');
    const wrong = [
      ...[`${format}.${forged}.${signature}`, `${format}.${claims}`, `${format}.${claims}.`],
      ...[`hf2.${claims}.${signature}`, `${token}.x`, `x${token}`, '', '...', 'hf1..'],
      ...[`${token}${'A'.repeat(3000)}`, 'hkJmlbGYFZKHGyhT.34'],
    ];

    expect(wrong.map((each) => refusalOf(each))).toEqual(wrong.map(() => 'INVALID_AUTH_TOKEN'));
  });
});
