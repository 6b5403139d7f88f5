import { describe, expect, test } from 'vitest';
import {
  bitString,
  integer,
  objectId,
  octetString,
  sequence,
  setOf,
  tagged,
  time,
  truth,
  utf8String,
} from '../../src/tls/der.ts';

const monthMs = 30 * 24 * 60 * 60 * 1000;

describe('DER', () => {
  test.each([
    ['a number', integer(Buffer.from('05', 'hex')), '020105'],
    ['nought', integer(Buffer.from('0000', 'hex')), '020100'],
    ['leading noughts go', integer(Buffer.from('000102', 'hex')), '02020102'],
    ['a leading bit is no sign', integer(Buffer.from('ff', 'hex')), '020200ff'],
    ['an identifier with long arcs', objectId('1.2.840.10045.4.3.2'), '06082a8648ce3d040302'],
    ['a short identifier', objectId('2.5.29.17'), '0603551d11'],
    ['bits', bitString(Buffer.from('06', 'hex'), 1), '03020106'],
    ['bytes', octetString(Buffer.from('abcd', 'hex')), '0402abcd'],
    ['text', utf8String('é'), '0c02c3a9'],
    ['truth', truth(), '0101ff'],
    ['a set', setOf(truth()), '31030101ff'],
    ['an empty sequence', sequence(), '3000'],
    ['a value that its place explains', tagged(2, 'plain', Buffer.from('a')), '820161'],
    ['a value around others', tagged(3, 'around', truth()), 'a3030101ff'],
  ])('%s', (_, written, expected) => {
    expect(written.toString('hex')).toBe(expected);
  });

  test.each([
    [127, '047f'],
    [128, '048180'],
    [256, '04820100'],
    [65_536, '0483010000'],
  ])('%i bytes are announced in the shortest form', (bytes, expected) => {
    const written = octetString(Buffer.alloc(bytes));

    expect(written.subarray(0, written.length - bytes).toString('hex')).toBe(expected);
  });

  test('a moment has two digits of the year up to 2049, and four from then on', () => {
    const newYear2050 = Date.UTC(2050, 0, 1);

    expect(time(newYear2050 - 1000).toString('latin1')).toBe('\x17\x0d491231235959Z');
    expect(time(newYear2050 + monthMs).toString('latin1')).toBe('\x18\x0f20500131000000Z');
  });
});
