/** Commands, ranges and entries as tests of a member write them. */
import {
  type AppliedEntry,
  type Command,
  encodeCommand,
  type PutOperation,
  type RangeOperation,
} from '../../src/kv/index.ts';

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

export function put(key: string, value: string): PutOperation {
  return {
    type: 'put',
    key: bytes(key),
    value: bytes(value),
    lease: 0n,
    prevKv: false,
    ignoreValue: false,
    ignoreLease: false,
    ttlMs: 0,
    ttlRefreshOnWrite: false,
  };
}

export function get(key: string, fields: Partial<RangeOperation> = {}): RangeOperation {
  return {
    type: 'range',
    key: bytes(key),
    limit: 0,
    revision: 0,
    sortOrder: 'none',
    sortTarget: 'key',
    keysOnly: false,
    countOnly: false,
    noCount: false,
    minModRevision: 0,
    maxModRevision: 0,
    minCreateRevision: 0,
    maxCreateRevision: 0,
    ...fields,
  };
}

/** Entries of term 1 that carry these commands, from `firstIndex` on. */
export function entriesOf(commands: readonly Command[], firstIndex = 1): AppliedEntry[] {
  return commands.map((command, i) => ({
    index: firstIndex + i,
    term: 1,
    command: encodeCommand(command),
  }));
}
