import { expect, test } from 'vitest';
import {
  formatGranted,
  formatLeases,
  formatRenewed,
  formatRevoked,
  formatTimeToLive,
  leaseName,
} from '../../../src/cli/client/lease-output.ts';

const header = { cluster_id: '1', member_id: '2', revision: '3', raft_term: '4' };
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');

test('a lease is named by all 16 digits', () => {
  expect(leaseName('31')).toBe('000000000000001f');
  expect(leaseName('-1')).toBe('ffffffffffffffff');
});

test('forms that etcdctl has not are short, or tables', () => {
  const granted = { header, ID: '31', TTL: '60', error: '' };
  const shown = { header, ID: '31', TTL: '9', grantedTTL: '60', keys: [Buffer.from('a')] };
  const list = { header, leases: [{ ID: '31' }] };
  expect(text(formatGranted(granted, 'plain'))).toBe('000000000000001f\n');
  expect(text(formatRevoked({ header }, '31', 'plain'))).toBe('000000000000001f\n');
  expect(text(formatRenewed({ header, ID: '31', TTL: '6' }, 'plain'))).toMatch(/1f\t6\n$/);
  expect(text(formatTimeToLive(shown, true, 'plain'))).toBe('000000000000001f\t60\t9\na\n');
  expect(text(formatLeases(list, 'plain'))).toBe('000000000000001f\n');
  for (const table of [
    formatGranted(granted, 'table'),
    formatRevoked({ header }, '31', 'table'),
    formatRenewed({ header, ID: '31', TTL: '6' }, 'table'),
    formatTimeToLive(shown, true, 'table'),
    formatLeases(list, 'table'),
  ]) {
    expect(text(table)).toContain('| 000000000000001f |');
  }
});
