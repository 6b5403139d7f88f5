import { describe, expect, test } from 'vitest';
import { type ServerFlag, serverFlags } from '../../src/cli/server-flags.ts';

const flags: readonly ServerFlag[] = serverFlags;

describe('serverFlags', () => {
  test('names are in kebab-case and occur once', () => {
    const names = flags.map((flag) => flag.name);

    expect(names.filter((name) => !/^[a-z]+(-[a-z]+)*$/.test(name))).toEqual([]);
    expect(names).toEqual([...new Set(names)]);
  });

  test('each has a line of help, which does not repeat the default', () => {
    for (const { name, help, default: value } of flags) {
      expect(`${name}: ${help}`).toMatch(/: [a-zN"].*[^.]$/);
      expect(value !== undefined && help.includes('(default')).toBe(false);
    }
  });

  test('the defaults fit the kinds', () => {
    const patterns = {
      string: /./,
      integer: /^\d+$/,
      boolean: /^(true|false)$/,
      list: /^$|^http:/,
    };
    for (const { name, kind, default: value } of flags.filter((flag) => 'default' in flag)) {
      expect(`${name}=${value ?? ''} ${patterns[kind].test(value ?? '')}`).toMatch(/ true$/);
    }
  });

  test('has the names that an operator of etcd looks for', () => {
    expect(flags.map((flag) => flag.name)).toEqual(
      expect.arrayContaining([
        'name',
        'data-dir',
        'listen-client-urls',
        'advertise-client-urls',
        'listen-peer-urls',
        'initial-advertise-peer-urls',
        'initial-cluster',
        'initial-cluster-state',
        'initial-cluster-token',
        'heartbeat-interval',
        'election-timeout',
        'max-request-bytes',
        'max-txn-ops',
        'auto-compaction-mode',
        'auto-compaction-retention',
        'listen-metrics-urls',
      ]),
    );
  });
});
