/**
 * A deliberately naive twin of the state machine: the whole keyspace, copied at every revision.
 * Users and roles are a model of their own (`auth-model.ts`), asked before each command.
 *
 * It shares no code with `src/kv` but the types, and follows etcd 3.4's order of steps literally,
 * so that a clever shortcut in the real thing is compared with the plain meaning.
 */
import type { ErrorCode } from '../../src/base/index.ts';
import type {
  AdvanceTimeCommand,
  AlarmCommand,
  AlarmResult,
  Command,
  CommandResult,
  Compare,
  KeySelector,
  KeyValue,
  Operation,
  OperationResult,
  LeaseGrantCommand,
  LeaseId,
  LeaseKeepAliveResult,
  OnceCommand,
  PutOperation,
  RangeOperation,
  RangeResult,
  SessionRequest,
  TxnOperation,
} from '../../src/kv/index.ts';
import { AuthModel, type BareCommand, leasesOf } from './auth-model.ts';
import { text } from './map-store.ts';

interface ModelLease {
  readonly ttlMs: number;
  deadlineMs: number | undefined;
  /** The newest stamp when its time was begun. */
  sinceMs: number;
  /** Whose session it is, if it is one; undefined: nobody's. */
  owner: string | undefined;
}

interface ModelAnswer {
  /** Whose it is; undefined: of whoever may ask for it. */
  readonly user: string | undefined;
  readonly fingerprint: bigint;
  readonly result: CommandResult;
  /** Of a session, which it ends with. */
  readonly session: LeaseId | undefined;
  /** Of an answer under a key: time of the first stamp after it. */
  sinceMs: number | undefined;
}

/** When a key ends, if it does. */
interface ModelTtl {
  readonly ttlMs: number;
  readonly isRefreshed: boolean;
  deadlineMs: number | undefined;
  readonly sinceMs: number;
}

type Keyspace = Map<string, KeyValue>;

/** The state machine, the slow way. */
export class Model {
  revision = 1;
  level = 1;
  compactRevision = -1;
  /** The keyspace as it was at each revision. */
  readonly #keyspaces = new Map<number, Keyspace>([[1, new Map()]]);
  /** The keyspace of the command under way, and the number of its changes. */
  #working: Keyspace = new Map();
  #changes = 0;

  /** Active alarms as `corrupt 1`. */
  readonly alarms = new Set<string>();
  readonly records = new Map<string, string>();
  readonly leases = new Map<LeaseId, ModelLease>();
  /** Of the keys that exist now. */
  readonly ttls = new Map<string, ModelTtl>();
  timeMs = 0;
  /** By `session/sequence` or the idempotency key. */
  readonly answers = new Map<string, ModelAnswer>();
  readonly floors = new Map<LeaseId, number>();
  readonly auth: AuthModel;

  /** `universe`: keys in all ranges that permissions, and requests, are about. */
  constructor(universe?: readonly Uint8Array[]) {
    this.auth = new AuthModel(universe);
  }

  apply(command: Command): CommandResult {
    const code = this.refusal(command);
    if (code !== undefined) {
      return { kind: 'refused', code, revision: this.revision };
    }
    const user = command.type === 'as' && this.auth.isEnabled ? command.caller.user : undefined;
    return this.#carryOut(bareOf(command), user);
  }

  /** Why its caller may not have a command carried out now, if so. */
  refusal(command: Command): ErrorCode | undefined {
    const caller = command.type === 'as' ? command.caller : undefined;
    const bare = bareOf(command);
    const code = this.auth.refusal(caller, bare, (lease) => this.#keysOf(lease));
    if (code !== undefined || caller === undefined || !this.auth.isEnabled) {
      return code;
    }
    return this.#usesOthersSession(caller.user, bare) ? 'SESSION_OF_ANOTHER' : undefined;
  }

  #usesOthersSession(user: string, command: BareCommand): boolean {
    const isOthers = (id: LeaseId): boolean => {
      const owner = this.leases.get(id)?.owner;
      return owner !== undefined && owner !== user;
    };
    const isOthersSession = (id: LeaseId): boolean => this.floors.has(id) && isOthers(id);
    switch (command.type) {
      case 'once':
        return (
          (command.id.type === 'session' && isOthers(command.id.session)) ||
          this.#usesOthersSession(user, command.command)
        );
      case 'put':
      case 'txn':
        return leasesOf(command).some(isOthersSession);
      case 'leaseRevoke':
        return this.auth.users.get(user)?.roles.has('root') !== true && isOthersSession(command.id);
      default:
        return false;
    }
  }

  #keysOf(id: LeaseId): readonly Uint8Array[] {
    const kvs = [...this.#at(this.revision).values()];
    return kvs.filter(({ lease }) => lease === id).map(({ key }) => key);
  }

  #carryOut(command: BareCommand, user: string | undefined): CommandResult {
    const { revision } = this;
    if (command.type === 'alarm') {
      return { kind: 'ok', result: this.#alarm(command), revision };
    }
    if (command.type === 'setRecord') {
      const { name, value } = command;
      this.records.delete(name);
      if (value.length > 0) {
        this.records.set(name, text(value));
      }
      return { kind: 'ok', result: { type: 'setRecord' }, revision };
    }
    if (command.type === 'leaseKeepAlive') {
      return { kind: 'ok', result: this.#keepAlive(command.ids), revision };
    }
    if (command.type === 'advanceTime') {
      return this.#advanceTime(command);
    }
    if (command.type === 'once') {
      return this.#once(command, user);
    }
    if (command.type === 'auth') {
      const code = this.auth.change(command.change);
      return code === undefined
        ? { kind: 'ok', result: { type: 'auth' }, revision }
        : { kind: 'refused', code, revision };
    }
    if (command.type === 'raiseLevel') {
      this.level = Math.max(this.level, command.level);
      return { kind: 'ok', result: { type: 'raiseLevel', level: this.level }, revision };
    }
    if (this.#hasAlarm('corrupt') && !isReadOnly(command)) {
      return { kind: 'refused', code: 'CORRUPT', revision };
    }
    if (command.type === 'compact') {
      return this.#compact(command.revision);
    }
    if (command.type === 'leaseGrant') {
      return this.#grant(command, user);
    }
    if (command.type === 'leaseRevoke') {
      if (!this.leases.has(command.id)) {
        return { kind: 'refused', code: 'LEASE_NOT_FOUND', revision };
      }
      this.#endLease(command.id);
      return { kind: 'ok', result: { type: 'leaseRevoke' }, revision: this.revision };
    }
    this.#working = new Map(this.#at(this.revision));
    this.#changes = 0;
    const code = command.type === 'txn' ? this.#checkTxn(command) : this.#checkBare(command);
    if (code !== undefined) {
      return { kind: 'refused', code, revision: this.revision };
    }
    const result =
      command.type === 'txn'
        ? this.#executeTxn(command, this.#decideAll(command))
        : this.#execute(command);
    if (this.#changes > 0) {
      this.revision++;
      this.#keyspaces.set(this.revision, this.#working);
    }
    return { kind: 'ok', result, revision: this.revision };
  }

  /** A range on the state at `revision`, when the store was there. */
  range(range: RangeOperation, revision: number): RangeResult | ErrorCode {
    if (range.revision > revision) {
      return 'FUTURE_REVISION';
    }
    const at = range.revision > 0 ? range.revision : revision;
    return at < this.compactRevision ? 'COMPACTED' : answer(range, this.#at(at));
  }

  /** What a selector names, as it was at `revision`, whatever has been compacted. */
  keysAt(selector: KeySelector, revision: number): readonly KeyValue[] {
    return select(selector, this.#at(revision));
  }

  #once({ id, fingerprint, command }: OnceCommand, user: string | undefined): CommandResult {
    const refused = { kind: 'refused', revision: this.revision } as const;
    const session = id.type === 'session' ? id.session : undefined;
    if (id.type === 'session') {
      const lease = this.leases.get(id.session);
      if (lease !== undefined && this.level >= 3) {
        lease.owner ??= user;
      }
      const code = this.#enter(id);
      if (code !== undefined) {
        return { ...refused, code };
      }
    }
    const name = id.type === 'session' ? `${id.session}/${id.sequence}` : `key ${text(id.key)}`;
    const known = this.answers.get(name);
    if (known !== undefined) {
      const isTheirs = known.user === undefined || known.user === user;
      if (known.fingerprint !== fingerprint || !isTheirs) {
        return { ...refused, code: 'REQUEST_MISMATCH' };
      }
      return known.result.kind === 'ok' ? { ...known.result, isRepeated: true } : known.result;
    }
    const result = this.#carryOut(command, user);
    const isAlarmed = result.kind === 'refused' && ['NO_SPACE', 'CORRUPT'].includes(result.code);
    if (!isAlarmed) {
      this.answers.set(name, { user, fingerprint, result, session, sinceMs: undefined });
    }
    return result;
  }

  #enter({ session, sequence, lowestUnanswered }: SessionRequest): ErrorCode | undefined {
    if (!this.leases.has(session)) {
      return 'SESSION_EXPIRED';
    }
    const floor = Math.max(this.floors.get(session) ?? 1, lowestUnanswered);
    this.floors.set(session, floor);
    for (let at = 1; at < floor; at++) {
      this.answers.delete(`${session}/${at}`);
    }
    if (sequence < floor) {
      return 'ANSWER_FORGOTTEN';
    }
    return sequence >= floor + 1024 ? 'TOO_MANY_ANSWERS' : undefined;
  }

  #grant({ id, ttlMs }: LeaseGrantCommand, user: string | undefined): CommandResult {
    const { revision } = this;
    if (this.#hasAlarm('nospace')) {
      return { kind: 'refused', code: 'NO_SPACE', revision };
    }
    if (this.leases.has(id)) {
      return { kind: 'refused', code: 'LEASE_EXISTS', revision };
    }
    const owner = this.level >= 3 ? user : undefined;
    this.leases.set(id, { ttlMs, deadlineMs: undefined, sinceMs: this.timeMs, owner });
    return { kind: 'ok', result: { type: 'leaseGrant', id, ttlMs }, revision };
  }

  #keepAlive(ids: readonly LeaseId[]): LeaseKeepAliveResult {
    const ttlsMs = ids.map((id) => {
      const lease = this.leases.get(id);
      if (lease !== undefined) {
        lease.deadlineMs = undefined;
        lease.sinceMs = this.timeMs;
      }
      return lease?.ttlMs ?? 0;
    });
    return { type: 'leaseKeepAlive', ttlsMs };
  }

  #advanceTime({ timeMs, keepAnswersMs }: AdvanceTimeCommand): CommandResult {
    const beforeMs = this.timeMs;
    this.timeMs = Math.max(this.timeMs, timeMs);
    for (const timed of [...this.leases.values(), ...this.ttls.values()]) {
      if (timed.sinceMs < beforeMs) {
        timed.deadlineMs ??= this.timeMs + timed.ttlMs;
      }
    }
    const due = [...this.leases]
      .map(([id, { deadlineMs = Infinity }]) => ({ id, deadlineMs }))
      .filter(({ deadlineMs }) => deadlineMs <= this.timeMs && !this.#hasAlarm('corrupt'))
      .sort((a, b) => a.deadlineMs - b.deadlineMs || Number(a.id - b.id));
    for (const { id } of due) {
      this.#endLease(id);
    }
    const keys = [...this.ttls]
      .map(([key, { deadlineMs = Infinity }]) => ({ key, deadlineMs }))
      .filter(({ deadlineMs }) => deadlineMs <= this.timeMs && !this.#hasAlarm('corrupt'))
      .sort((a, b) => a.deadlineMs - b.deadlineMs || (a.key < b.key ? -1 : 1));
    for (const { key } of keys) {
      const kept = new Map(this.#at(this.revision));
      kept.delete(key);
      this.ttls.delete(key);
      this.revision++;
      this.#keyspaces.set(this.revision, kept);
    }
    for (const [key, answer] of this.answers) {
      if (answer.session === undefined) {
        answer.sinceMs ??= this.timeMs;
        if (answer.sinceMs <= this.timeMs - keepAnswersMs && !this.#hasAlarm('corrupt')) {
          this.answers.delete(key);
        }
      }
    }
    const result = { type: 'advanceTime', ended: due.length + keys.length } as const;
    return { kind: 'ok', result, revision: this.revision };
  }

  #endLease(id: LeaseId): void {
    this.leases.delete(id);
    this.floors.delete(id);
    for (const [key, { session }] of this.answers) {
      if (session === id) {
        this.answers.delete(key);
      }
    }
    const kept = [...this.#at(this.revision)].filter(([, { lease }]) => lease !== id);
    const keptKeys = new Set(kept.map(([key]) => key));
    for (const key of [...this.ttls.keys()].filter((each) => !keptKeys.has(each))) {
      this.ttls.delete(key);
    }
    if (kept.length < this.#at(this.revision).size) {
      this.revision++;
      this.#keyspaces.set(this.revision, new Map(kept));
    }
  }

  #at(revision: number): Keyspace {
    const keyspace = this.#keyspaces.get(revision);
    if (keyspace === undefined) {
      throw new Error(`the model has no revision ${revision}`);
    }
    return keyspace;
  }

  #alarm({ action, alarm, memberId }: AlarmCommand): AlarmResult {
    const name = `${alarm} ${memberId}`;
    const alarms = action === 'activate' || this.alarms.has(name) ? [{ alarm, memberId }] : [];
    if (action === 'activate') {
      this.alarms.add(name);
    } else {
      this.alarms.delete(name);
    }
    return { type: 'alarm', alarms };
  }

  #hasAlarm(type: string): boolean {
    return [...this.alarms].some((name) => name.startsWith(type));
  }

  #compact(revision: number): CommandResult {
    const refused = { kind: 'refused', revision: this.revision } as const;
    if (revision <= this.compactRevision) {
      return { ...refused, code: 'COMPACTED' };
    }
    if (revision > this.revision) {
      return { ...refused, code: 'FUTURE_REVISION' };
    }
    this.compactRevision = revision;
    return { kind: 'ok', result: { type: 'compact' }, revision: this.revision };
  }

  #checkBare(operation: Operation): ErrorCode | undefined {
    if (operation.type !== 'put') {
      return undefined;
    }
    if (this.#hasAlarm('nospace')) {
      return 'NO_SPACE';
    }
    return this.#lacksLease(operation) ? 'LEASE_NOT_FOUND' : this.#checkOld(operation);
  }

  #lacksLease({ lease }: PutOperation): boolean {
    return lease !== 0n && !this.leases.has(lease);
  }

  #checkOld(put: PutOperation): ErrorCode | undefined {
    const needsOld = put.ignoreValue || put.ignoreLease;
    return needsOld && !this.#working.has(text(put.key)) ? 'KEY_NOT_FOUND' : undefined;
  }

  #checkTxn(txn: TxnOperation): ErrorCode | undefined {
    const taken = this.#takenOperations(txn);
    if (this.#hasAlarm('nospace') && taken.some(({ type }) => type === 'put')) {
      return 'NO_SPACE';
    }
    for (const operation of taken) {
      if (operation.type === 'put') {
        const code = this.#checkOld(operation);
        if (code !== undefined || this.#lacksLease(operation)) {
          return code ?? 'LEASE_NOT_FOUND';
        }
      }
    }
    for (const operation of taken) {
      if (operation.type === 'range' && operation.revision > this.revision) {
        return 'FUTURE_REVISION';
      }
      if (
        operation.type === 'range' &&
        operation.revision !== 0 &&
        operation.revision < this.compactRevision
      ) {
        return 'COMPACTED';
      }
    }
    return undefined;
  }

  /** Operations that will be executed, nested ones in place. */
  #takenOperations(txn: TxnOperation): readonly Operation[] {
    const branch = this.#holdAll(txn.compare) ? txn.success : txn.failure;
    return branch.flatMap((operation) => {
      return operation.type === 'txn' ? this.#takenOperations(operation) : [operation];
    });
  }

  #decideAll(txn: TxnOperation): Map<TxnOperation, boolean> {
    const decisions = new Map<TxnOperation, boolean>();
    const visit = (nested: TxnOperation): void => {
      decisions.set(nested, this.#holdAll(nested.compare));
      for (const operation of [...nested.success, ...nested.failure]) {
        if (operation.type === 'txn') {
          visit(operation);
        }
      }
    };
    visit(txn);
    return decisions;
  }

  #holdAll(compares: readonly Compare[]): boolean {
    return compares.every((compare) => {
      const kvs = select(compare, this.#working);
      if (kvs.length === 0) {
        return compare.target !== 'value' && holds(compare, undefined);
      }
      return kvs.every((kv) => holds(compare, kv));
    });
  }

  #executeTxn(txn: TxnOperation, decisions: Map<TxnOperation, boolean>): OperationResult {
    const succeeded = decisions.get(txn) === true;
    const branch = succeeded ? txn.success : txn.failure;
    const responses = branch.map((operation) => {
      return operation.type === 'txn'
        ? this.#executeTxn(operation, decisions)
        : this.#execute(operation);
    });
    return { type: 'txn', succeeded, responses };
  }

  /** Begins the time of a key that is put, and returns it; 0 when it is to last. */
  #startTime({ key, ttlMs, ttlRefreshOnWrite }: PutOperation): number {
    const old = this.ttls.get(text(key));
    const start = { deadlineMs: undefined, sinceMs: this.timeMs };
    this.ttls.delete(text(key));
    if (ttlMs > 0) {
      this.ttls.set(text(key), { ttlMs, isRefreshed: ttlRefreshOnWrite, ...start });
      return ttlMs;
    }
    if (ttlMs === 0 && old?.isRefreshed === true) {
      this.ttls.set(text(key), { ...old, ...start });
      return old.ttlMs;
    }
    return 0;
  }

  #execute(operation: Exclude<Operation, TxnOperation>): OperationResult {
    if (operation.type === 'range') {
      const keyspace = operation.revision > 0 ? this.#at(operation.revision) : this.#working;
      return answer(operation, keyspace);
    }
    if (operation.type === 'deleteRange') {
      const kvs = select(operation, this.#working);
      for (const kv of kvs) {
        this.#working.delete(text(kv.key));
        this.ttls.delete(text(kv.key));
        this.#changes++;
      }
      const prevKvs = operation.prevKv ? kvs : [];
      return { type: 'deleteRange', deleted: kvs.length, prevKvs };
    }
    const old = this.#working.get(text(operation.key));
    this.#working.set(text(operation.key), {
      key: operation.key,
      value: operation.ignoreValue ? (old?.value ?? new Uint8Array()) : operation.value,
      createRevision: old?.createRevision ?? this.revision + 1,
      modRevision: this.revision + 1,
      version: (old?.version ?? 0) + 1,
      lease: operation.ignoreLease ? (old?.lease ?? 0n) : operation.lease,
      ttlMs: this.#startTime(operation),
    });
    this.#changes++;
    return operation.prevKv && old !== undefined ? { type: 'put', prevKv: old } : { type: 'put' };
  }
}

/** A command without its caller. */
export function bareOf(command: Command): BareCommand {
  return command.type === 'as' ? command.command : command;
}

function isReadOnly(command: Command): boolean {
  return (
    command.type === 'txn' &&
    [...command.success, ...command.failure].every(({ type }) => type === 'range')
  );
}

function select(selector: KeySelector, keyspace: Keyspace): KeyValue[] {
  const key = text(selector.key);
  const end = text(selector.rangeEnd ?? new Uint8Array());
  return [...keyspace.entries()]
    .filter(([candidate]) => {
      if (end === '') {
        return candidate === key;
      }
      return candidate >= key && (end === '\0' || candidate < end);
    })
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, kv]) => kv);
}

function answer(range: RangeOperation, keyspace: Keyspace): RangeResult {
  let kvs = select(range, keyspace);
  const count = kvs.length;
  if (range.countOnly) {
    return { type: 'range', kvs: [], more: false, count };
  }
  const { limit, sortOrder, minModRevision, maxModRevision, minCreateRevision, maxCreateRevision } =
    range;
  const filters = [minModRevision, maxModRevision, minCreateRevision, maxCreateRevision];
  const fetchesAll = sortOrder !== 'none' || filters.some((filter) => filter !== 0);
  if (limit > 0 && !fetchesAll) {
    kvs = kvs.slice(0, limit + 1);
  }
  kvs = kvs.filter((kv) => maxModRevision === 0 || kv.modRevision <= maxModRevision);
  kvs = kvs.filter((kv) => minModRevision === 0 || kv.modRevision >= minModRevision);
  kvs = kvs.filter((kv) => maxCreateRevision === 0 || kv.createRevision <= maxCreateRevision);
  kvs = kvs.filter((kv) => minCreateRevision === 0 || kv.createRevision >= minCreateRevision);
  if (sortOrder !== 'none' || range.sortTarget !== 'key') {
    const sign = sortOrder === 'descend' ? -1 : 1;
    kvs = kvs
      .map((kv, position) => ({ kv, position, by: sortValue(range, kv) }))
      .sort((a, b) => {
        const order = a.by < b.by ? -1 : a.by > b.by ? 1 : 0;
        return order === 0 ? a.position - b.position : sign * order;
      })
      .map(({ kv }) => kv);
  }
  const more = limit > 0 && kvs.length > limit;
  kvs = more ? kvs.slice(0, limit) : kvs;
  const shown = range.keysOnly ? kvs.map((kv) => ({ ...kv, value: new Uint8Array() })) : kvs;
  return { type: 'range', kvs: shown, more, count: range.noCount ? 0 : count };
}

function sortValue(range: RangeOperation, kv: KeyValue): string | number {
  switch (range.sortTarget) {
    case 'key':
      return text(kv.key);
    case 'value':
      return text(kv.value);
    case 'version':
      return kv.version;
    case 'create':
      return kv.createRevision;
    case 'mod':
      return kv.modRevision;
  }
}

function holds(compare: Compare, kv: KeyValue | undefined): boolean {
  const [actual, operand] = operandsOf(compare, kv);
  switch (compare.result) {
    case 'equal':
      return actual === operand;
    case 'notEqual':
      return actual !== operand;
    case 'greater':
      return actual > operand;
    case 'less':
      return actual < operand;
  }
}

function operandsOf(
  compare: Compare,
  kv: KeyValue | undefined,
): [string, string] | [number, number] | [bigint, bigint] {
  switch (compare.target) {
    case 'value':
      return [kv === undefined ? '' : text(kv.value), text(compare.operand)];
    case 'lease':
      return [kv?.lease ?? 0n, compare.operand];
    case 'version':
      return [kv?.version ?? 0, compare.operand];
    case 'create':
      return [kv?.createRevision ?? 0, compare.operand];
    case 'mod':
      return [kv?.modRevision ?? 0, compare.operand];
  }
}
