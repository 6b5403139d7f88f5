import { describe, expect, test } from 'vitest';
import { listenError } from '../../src/base/index.ts';

describe('listenError', () => {
  test.each([
    ['clients', '--listen-client-urls'],
    ['peers', '--listen-peer-urls'],
    ['metrics', '--listen-metrics-urls'],
  ] as const)('names who is listened for (%s), the address and the flag %s', (purpose, flag) => {
    const error = listenError(purpose, '127.0.0.1:2379', new Error('listen EADDRINUSE'));

    expect(error.code).toBe('CONFIG_INVALID');
    expect(error.message).toContain(`cannot listen for ${purpose} on 127.0.0.1:2379`);
    expect(error.message).toContain(flag);
  });

  test.each([
    ['listen EADDRINUSE: address already in use 127.0.0.1:1', 'the port is in use'],
    ['No address added [listen EADDRINUSE: address already in use]', 'the port is in use'],
    ['listen EADDRNOTAVAIL: address not available', 'does not have that address'],
    ['listen EACCES: permission denied 127.0.0.1:80', 'may not use that port'],
    ['getaddrinfo ENOTFOUND nowhere', 'the host name is not known'],
  ])('says "%s" in plain words', (cause, reason) => {
    const error = listenError('clients', 'h:1', new Error(cause));

    expect(error.message).toContain(reason);
    expect(error.message).not.toMatch(/\bE[A-Z]{4,}\b/);
  });

  test('repeats a reason it does not know, and keeps the cause', () => {
    const cause = new Error('the moon is in the wrong phase');

    const error = listenError('peers', 'h:1', cause);

    expect(error.message).toContain('the moon is in the wrong phase');
    expect(error.cause).toBe(cause);
  });
});
