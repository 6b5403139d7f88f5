/** Protobuf by hand: numbers, bytes and messages as the encoding has them, and what is refused. */
import { describe, expect, test } from 'vitest';
import { ProtoReader, ProtoWriter } from '../../src/wire/protobuf.ts';

function written(write: (writer: ProtoWriter) => void): string {
  const writer = new ProtoWriter(1);
  write(writer);
  return writer.finish().toString('hex');
}

function reader(hex: string): ProtoReader {
  const bytes = new ProtoReader(Buffer.from(hex, 'hex'));
  bytes.next();
  return bytes;
}

describe('what is written', () => {
  test.each([
    [1, '0801'],
    [127, '087f'],
    [128, '088001'],
    [300, '08ac02'],
    [2 ** 31, '088080808008'],
    [2 ** 53 - 1, '08ffffffffffffff0f'],
    [0, ''],
  ])('a number %d', (value, hex) => {
    expect(written((writer) => writer.uint(1, value))).toBe(hex);
    expect(written((writer) => writer.int(1, value))).toBe(hex);
    expect(written((writer) => writer.int64(1, String(value)))).toBe(hex);
  });

  test('a negative number takes ten bytes', () => {
    expect(written((writer) => writer.int(1, -1))).toBe('08ffffffffffffffffff01');
    expect(written((writer) => writer.int64(1, '-1'))).toBe('08ffffffffffffffffff01');
  });

  test('a field above 15 has a longer tag', () => {
    expect(written((writer) => writer.flag(1000, true))).toBe('c03e01');
  });

  test('bytes and texts, unless they are empty', () => {
    expect(written((writer) => writer.bytes(2, Buffer.from('ab')))).toBe('12026162');
    expect(written((writer) => writer.text(2, 'é'))).toBe('1202c3a9');
    expect(written((writer) => writer.bytes(2, Buffer.alloc(0)))).toBe('');
  });

  test('a message within has its length in four bytes', () => {
    const hex = written((writer) => {
      const mark = writer.begin(3);
      writer.uint(1, 5);
      writer.end(mark);
    });

    expect(hex).toBe('1a' + '82808000' + '0805');
  });

  test('grows as it must', () => {
    const value = Buffer.alloc(100_000, 7);
    const writer = new ProtoWriter(1);
    writer.bytes(1, value);

    const bytes = new ProtoReader(writer.finish());

    expect(bytes.next()).toBe(1);
    expect(bytes.bytes().equals(value)).toBe(true);
    expect(bytes.next()).toBe(0);
  });
});

describe('what is read', () => {
  test.each(['0', '1', '-1', '9007199254740993', '9223372036854775807', '-9223372036854775808'])(
    'the 64-bit number %s exactly',
    (decimal) => {
      const writer = new ProtoWriter();
      writer.int64(1, decimal);
      const bytes = new ProtoReader(writer.finish());

      expect(bytes.next() === 0 ? '0' : bytes.int64()).toBe(decimal);
    },
  );

  test('a negative number as a number', () => {
    expect(reader('08ffffffffffffffffff01').int()).toBe(-1);
  });

  test('a length that is longer than it need be', () => {
    const inner = reader('1a' + '82808000' + '0805').message();

    expect(inner.next()).toBe(1);
    expect(inner.int()).toBe(5);
    expect(inner.next()).toBe(0);
  });

  test.each([
    ['a varint', '0801'],
    ['64 bits', '090102030405060708'],
    ['bytes', '0a0161'],
    ['32 bits', '0d01020304'],
  ])('nothing of %s that is skipped', (_, hex) => {
    const bytes = new ProtoReader(Buffer.from(`${hex}1003`, 'hex'));
    bytes.next();
    bytes.skip();

    expect(bytes.next()).toBe(2);
    expect(bytes.int()).toBe(3);
  });

  test.each([
    ['is cut off in a number', '08ff', (bytes: ProtoReader) => bytes.int()],
    ['is cut off in bytes', '0a0561', (bytes: ProtoReader) => bytes.bytes()],
    ['never ends a number', `08${'ff'.repeat(11)}`, (bytes: ProtoReader) => bytes.int()],
    ['has a number beyond 2^53', '08ffffffffffffffff7f', (bytes: ProtoReader) => bytes.int()],
    [
      'has an unsigned number beyond 2^53',
      `08${'ff'.repeat(9)}01`,
      (bytes: ProtoReader) => bytes.uint(),
    ],
    ['has a number for bytes', '0801', (bytes: ProtoReader) => bytes.bytes()],
    ['has bytes for a number', '0a0161', (bytes: ProtoReader) => bytes.flag()],
    ['has a group', '0b', (bytes: ProtoReader) => bytes.skip()],
  ])('is an error when the message %s', (_, hex, read) => {
    expect(() => read(reader(hex))).toThrow('malformed message');
  });

  test.each([
    ['0', '00'],
    ['2^29', '8080808010'],
    ['of 64 bits', '88808080808080808001'],
  ])('is an error when a field has the number %s', (_, hex) => {
    expect(() => new ProtoReader(Buffer.from(hex, 'hex')).next()).toThrow('malformed message');
  });

  test('the one field that matters, as it comes last, or what stands for it', () => {
    const bytes = (): ProtoReader => new ProtoReader(Buffer.from('0a016110051007', 'hex'));

    expect(bytes().only(2, (it) => it.int(), 0)).toBe(7);
    expect(bytes().only(1, (it) => it.text(), '')).toBe('a');
    expect(bytes().only(3, (it) => it.text(), 'none')).toBe('none');
  });

  test('does not look beyond the end of a message within', () => {
    // The inner message ends within its number; the outer one goes on.
    const inner = reader('0a02' + '08ff' + '1001').message();
    inner.next();

    expect(() => inner.int()).toThrow('malformed message');
  });
});
