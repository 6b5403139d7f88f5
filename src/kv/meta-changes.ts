/**
 * What a batch changes besides keys, leases and answers: who the members are and what they tell of
 * themselves, alarms, the feature level, users and roles. Each change is hashed, and told to the
 * member, which goes by it.
 */
import { type AlarmOutcome, changeAlarm } from './alarms.ts';
import type { AuthChange } from './auth-command.ts';
import type { AuthOutcome, AuthTable } from './auth-table.ts';
import type { Alarm, AlarmCommand, SetRecordCommand } from './command.ts';
import { namedRecordWrite } from './named-records.ts';
import type { StateWrite } from './need.ts';
import type { StateHasher } from './state-hash.ts';
import { type MembershipRecord, membershipWrite } from './state-meta.ts';

/** A change of what the state holds besides the keyspace. */
export type MetaChange =
  | ({ readonly type: 'membership' } & MembershipRecord)
  /** `value` is empty when the record was removed. */
  | { readonly type: 'record'; readonly name: string; readonly value: Uint8Array }
  /** All alarms that are active now. */
  | { readonly type: 'alarms'; readonly alarms: readonly Alarm[] }
  /** The feature level has risen. */
  | { readonly type: 'level'; readonly level: number }
  /** Who changed what about whom; `by` is undefined while nobody was asked. Never a secret. */
  | {
      readonly type: 'auth';
      readonly by: string | undefined;
      readonly change: AuthChange['type'];
      readonly user: string | undefined;
      readonly role: string | undefined;
    };

// What stands for what in the state's hash; a format (`apply-batch.ts` has the others).
const hashedAlarm = 4;
const hashedLevel = 7;

/** Where a batch starts, and where its changes go. */
export interface MetaChangesOptions {
  readonly alarms: readonly Alarm[];
  readonly level: number;
  readonly auth: AuthTable;
  readonly hasher: StateHasher;
  /** Takes an engine operation and hashes it. */
  readonly emitHashed: (write: StateWrite) => void;
}

/** See the module comment. */
export class MetaChanges {
  readonly #auth: AuthTable;
  readonly #hasher: StateHasher;
  readonly #emitHashed: (write: StateWrite) => void;
  readonly #changes: MetaChange[] = [];
  #alarms: readonly Alarm[];
  #level: number;

  constructor({ alarms, level, auth, hasher, emitHashed }: MetaChangesOptions) {
    this.#alarms = alarms;
    this.#level = level;
    this.#auth = auth;
    this.#hasher = hasher;
    this.#emitHashed = emitHashed;
  }

  /** The changes, in order. */
  get changes(): readonly MetaChange[] {
    return this.#changes;
  }

  /** Active alarms. */
  get alarms(): readonly Alarm[] {
    return this.#alarms;
  }

  /** The feature level. */
  get level(): number {
    return this.#level;
  }

  /** Sets the configuration that the entry at `index` brings. */
  setMembership(index: number, membership: Uint8Array): void {
    this.#emitHashed(membershipWrite({ index, membership }));
    this.#changes.push({ type: 'membership', index, membership: membership.slice() });
  }

  /** Sets or removes a named record. */
  setRecord({ name, value }: SetRecordCommand): void {
    this.#emitHashed(namedRecordWrite(name, value));
    this.#changes.push({ type: 'record', name, value: value.slice() });
  }

  /** Raises or lifts an alarm. */
  setAlarm(command: AlarmCommand): AlarmOutcome {
    const outcome = changeAlarm(this.#alarms, command);
    if (outcome.kind === 'ok' && outcome.alarms !== this.#alarms) {
      this.#alarms = outcome.alarms;
      this.#hasher.mix(hashedAlarm, alarmWord(command));
      this.#hasher.number(command.memberId);
      this.#changes.push({ type: 'alarms', alarms: outcome.alarms });
    }
    return outcome;
  }

  /** Raises the feature level, if it is below; returns what it is then. It never falls. */
  raiseLevel(level: number): number {
    if (level > this.#level) {
      this.#level = level;
      this.#hasher.mix(hashedLevel, 0);
      this.#hasher.number(level);
      this.#changes.push({ type: 'level', level });
    }
    return this.#level;
  }

  /** Changes users and roles on behalf of `by`. */
  changeAuth(change: AuthChange, by: string | undefined): AuthOutcome {
    const outcome = this.#auth.change(change);
    if (outcome.kind === 'changed') {
      for (const write of outcome.writes) {
        this.#emitHashed(write);
      }
      const user = 'user' in change ? change.user : undefined;
      const role = 'role' in change ? change.role : undefined;
      this.#changes.push({ type: 'auth', by, change: change.type, user, role });
    }
    return outcome;
  }
}

function alarmWord({ action, alarm }: AlarmCommand): number {
  return (action === 'activate' ? 1 : 0) + (alarm === 'corrupt' ? 2 : 0);
}
