/** A snapshot format for tests of what is around it: readable, whole, but without checksums. */
import type { SnapshotFormat } from '../../src/replica/snapshots.ts';
import type { SnapshotHeader } from '../../src/storage/index.ts';

type PlainRecord = readonly [string, string];

/** Each piece is a line: the header, records, the end. */
export const plainSnapshots: SnapshotFormat = {
  versionMax: 1,
  createEncoder: (header) => ({
    *push(records) {
      if (records.length > 0) {
        yield lineOf(records.map(({ key, value }): PlainRecord => [hex(key), hex(value)]));
      }
    },
    *finish() {
      yield lineOf({ ...header, membership: hex(header.membership) });
    },
  }),
  createDecoder: () => {
    let header: SnapshotHeader | undefined;
    let rest = '';
    return {
      get header() {
        return header;
      },
      push(bytes) {
        const lines = (rest + Buffer.from(bytes).toString()).split('\n');
        rest = lines.pop() ?? '';
        return lines.flatMap((line) => {
          const parsed = JSON.parse(line) as readonly PlainRecord[] | SnapshotHeader;
          if ('clusterId' in parsed) {
            header = { ...parsed, membership: Buffer.from(String(parsed.membership), 'hex') };
            return [];
          }
          const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));
          return [parsed.map(([key, value]) => ({ key: bytesOf(key), value: bytesOf(value) }))];
        });
      },
      finish() {
        if (header === undefined || rest !== '') {
          throw new Error('the snapshot is not whole');
        }
      },
    };
  },
};

function lineOf(value: unknown): Uint8Array {
  return new Uint8Array(Buffer.from(`${JSON.stringify(value)}\n`));
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
