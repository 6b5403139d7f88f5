/** Commands, ranges and entries as tests of a member write them. */
import {
  type AppliedEntry,
  type Command,
  encodeCommand,
  type RangeOperation,
} from '../../src/kv/index.ts';
import { range } from '../kv/commands.ts';

export { put } from '../kv/commands.ts';
export { bytes } from '../kv/map-store.ts';

/** A read of one key. */
export function get(key: string, fields: Partial<RangeOperation> = {}): RangeOperation {
  return { ...range(key), ...fields };
}

/** Entries of term 1 that carry these commands, from `firstIndex` on. */
export function entriesOf(commands: readonly Command[], firstIndex = 1): AppliedEntry[] {
  return commands.map((command, i) => ({
    index: firstIndex + i,
    term: 1,
    command: encodeCommand(command),
  }));
}
