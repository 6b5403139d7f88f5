/** A small snapshot file, made of a state machine's records. */
import * as kv from '../../src/kv/index.ts';
import { snapshotFormat } from '../../src/storage/index.ts';
import { del, put } from '../kv/commands.ts';
import { bytes } from '../kv/map-store.ts';
import { Member } from '../kv/properties.ts';

/** Identity and position of the cluster that the sample is of. */
export const sampleHeader = {
  clusterId: 4711,
  index: 7,
  term: 3,
  revision: 6,
  membership: bytes('old'),
  createdBy: '9.8.7',
  createdMs: 1_700_000_000_000,
  estimatedBytes: 1000,
  senderTerm: 3,
};

/** The bytes of a snapshot of the keys a=2 and c=1, at revision 6. */
export function sampleSnapshot(header = sampleHeader): Buffer {
  const member = new Member(kv);
  const commands = [put('a', '1'), put('a', '2'), put('b', '1'), del('b'), put('c', '1')];
  const attributes = { type: 'setRecord', name: 'attributes/1', value: bytes('one') } as const;
  member.apply([
    { index: 1, term: 1, command: new Uint8Array(0), membership: bytes('old') },
    ...commands.map((command, i) => ({
      index: 2 + i,
      term: 3,
      command: kv.encodeCommand(command),
    })),
  ]);
  member.apply([{ index: 7, term: 3, command: kv.encodeCommand(attributes) }]);
  const encoder = snapshotFormat.createEncoder(header);
  const parts: Buffer[] = [];
  for (const part of encoder.push(member.store.records())) {
    parts.push(Buffer.from(part));
  }
  for (const part of encoder.finish()) {
    parts.push(Buffer.from(part));
  }
  return Buffer.concat(parts);
}
