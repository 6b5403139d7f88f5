import { describe, expect, test } from 'vitest';
import { wrongUsage } from '../../src/cli/wrong-usage.ts';

describe('wrongUsage', () => {
  test.each([
    [
      "error: unknown option '--peer-client-cert-file=c.pem'\n",
      'holdfast: --peer-client-cert-file: TLS has no such setting here: see docs/security.md ' +
        '(see --help)',
    ],
    [
      "error: unknown option '--bcrypt-cost=5'\n",
      'holdfast: --bcrypt-cost: there is no such setting of tokens and passwords here: see ' +
        'docs/security.md (see --help)',
    ],
  ])('tells what etcd has and Holdfast has not from what is misspelt: %j', (text, line) => {
    expect(wrongUsage(text)).toBe(line);
  });

  test('does not repeat a password', () => {
    expect(wrongUsage("error: unknown option '--password=hush\nhush'\n")).toBe(
      'holdfast: --password: this command does not ask members as anybody (see --help)',
    );
    expect(wrongUsage("error: unknown option '--user=root:hush'\n")).not.toContain('hush');
  });

  test.each([
    ["error: unknown option '--keys'\n(Did you mean --keys-only?)\n", "'--keys' (Did you mean"],
    ["error: unknown command 'authority'\n", "unknown command 'authority'"],
  ])('leaves anything else as it is: %j', (text, part) => {
    expect(wrongUsage(text)).toContain(part);
    expect(wrongUsage(text)).toMatch(/^holdfast: unknown .* \(see --help\)$/);
  });
});
