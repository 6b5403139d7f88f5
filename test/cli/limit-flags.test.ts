import { describe, expect, test } from 'vitest';
import { readServerConfig } from '../../src/cli/server-config.ts';
import type { ServerFlagName } from '../../src/cli/server-flags.ts';

type Flags = Partial<Readonly<Record<ServerFlagName, string>>>;

const read = (flags: Flags): ReturnType<typeof readServerConfig> =>
  readServerConfig({ flags, env: {} });

describe('the limits of clients', () => {
  test('must let the largest request pass, and say how', () => {
    const result = read({
      ...{ 'max-request-bytes': '40000000', 'max-inflight-bytes': '67108864' },
      'max-client-inflight-bytes': '33554432',
    });

    expect(result.kind === 'invalid' ? result.problems : []).toEqual([
      expect.stringMatching(/^--max-inflight-bytes: 67108864 must be at least 80000000/),
      expect.stringMatching(
        /^--max-client-inflight-bytes.*33554432 must be at least 40000000.*--max-request-bytes/,
      ),
    ]);
  });

  test('grow with the largest request unless they are set', () => {
    expect(read({ 'max-request-bytes': '40000000' })).toMatchObject({
      config: { requestLimits: { inflightBytes: { client: 80_000_000, member: 160_000_000 } } },
    });
  });
});
