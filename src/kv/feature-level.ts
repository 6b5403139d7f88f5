/**
 * Feature levels: which of the formats that members share a cluster may use (ADR-018).
 *
 * A level is a number that a build reads up to; a cluster is at the level that an entry of its log
 * has raised it to. What a level brings is neither written nor asked for below it, so that members
 * of the build before understand all there is, and can still take the place of newer ones. Once the
 * level has risen they cannot, and say so: the level is part of the state, and stands in front.
 *
 * | level | since | brings                                                                      |
 * |-------|-------|-----------------------------------------------------------------------------|
 * | 1     | 0.1   | whatever there was before levels                                            |
 * | 2     | 0.1   | the level in the meta record; users and roles may be made                   |
 * | 3     | 0.1   | a lease has an owner, and so the session that it may be                     |
 */
import { KvError } from '../base/index.ts';
import type { Command } from './command.ts';

/** Levels that a build, or a member, reads: every one from `oldest` to `newest`. */
export interface LevelRange {
  readonly oldest: number;
  readonly newest: number;
}

/** What this build reads. */
export const featureLevels: LevelRange = { oldest: 1, newest: 3 };

/** The level of a cluster whose log has not raised it. */
export const firstLevel = 1;
/** From here on the meta record says the level, and users may be made. */
export const levelOfUsers = 2;
/** From here on a lease remembers whose it is. */
export const levelOfOwners = 3;

/** The level that a cluster must be at before the command may stand in its log. */
export function levelNeeded(command: Command): number {
  const { type } = command.type === 'as' ? command.command : command;
  return type === 'auth' || type === 'raiseLevel' ? levelOfUsers : firstLevel;
}

/** Tells whether what is written at `level` is read within `range`. */
export function readsLevel(range: LevelRange, level: number): boolean {
  return level >= range.oldest && level <= range.newest;
}

/**
 * Refuses a state or a log of a level that is not read here.
 *
 * @throws {KvError} VERSION_MISMATCH.
 */
export function checkLevel(range: LevelRange, level: number): void {
  if (!readsLevel(range, level)) {
    const { oldest, newest } = range;
    const isNewer = level > newest;
    throw new KvError('VERSION_MISMATCH', {
      message:
        `the cluster's feature level is ${level}, and this member reads levels ${oldest} to ` +
        `${newest}. Nothing has been changed. ` +
        (isNewer
          ? 'Start the newer build that was here before, or one that reads this level, and take ' +
            'back --feature-level-max if it is set: a level that has risen does not fall'
          : 'Start a build between the one that was here before and this one, and wait until ' +
            'the level has risen') +
        ' (docs/upgrading.md).',
      details: { level, oldest, newest },
    });
  }
}
