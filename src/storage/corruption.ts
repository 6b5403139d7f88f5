/**
 * The one way to say that stored data is damaged: which file, where, what is wrong, and the way out
 * for the operator. Whoever says it has changed nothing on disk.
 *
 * The error's details name the part. `log` and `identity` hold what this member has promised
 * (votes, acknowledged entries): without them it may not come back as who it was. `engine` holds
 * the state only, which can be rebuilt.
 */
import { KvError } from '../base/index.ts';

/** Which part of a data directory is damaged. */
export type DataPart = 'log' | 'identity' | 'engine' | 'snapshot';

/** Its peers refuse a member that has lost what it promised, so it comes back as a new one. */
const comeBackAsNew =
  'move the data directory away, remove the member and add it anew (holdfast member remove, ' +
  'holdfast member add), and start it with an empty directory and --initial-cluster-state existing';

const remedies: Readonly<Record<DataPart, string>> = {
  log: comeBackAsNew,
  identity: comeBackAsNew,
  engine:
    'the log of this member is not affected: move the folder engine of the data directory away ' +
    'and start again, and the state is rebuilt from the log and the peers; ' +
    `or ${comeBackAsNew}`,
  snapshot: 'take the snapshot again, or use another one',
};

/** The error for damage at `offset` of a file (or folder), with the way out for the operator. */
export function corruptData(
  part: DataPart,
  path: string,
  offset: number,
  what: string,
  cause?: unknown,
): KvError {
  return new KvError('DATA_CORRUPT', {
    message:
      `stored data is damaged: ${path} at offset ${offset}: ${what}. It is left untouched. ` +
      `Remedy: ${remedies[part]}.`,
    details: { part, file: path, offset },
    cause,
  });
}

/** As {@link corruptData}, for the log. */
export function corruptLog(path: string, offset: number, what: string): KvError {
  return corruptData('log', path, offset, what);
}
