/**
 * Simulated clients: each does one thing after another, at any member, and tries again elsewhere
 * what surely had no effect. What may have had one is never repeated: the client does not know, and
 * says so in the history.
 *
 * Every value written is unique, so that a read tells which write it saw.
 */
import { must, type Prng } from '../../src/base/index.ts';
import type {
  Command,
  Compare,
  KeySelector,
  Operation as KvOperation,
  RangeOperation,
} from '../../src/kv/index.ts';
import type { NodeId } from '../../src/raft/index.ts';
import { range } from '../kv/commands.ts';
import { Account } from './accounts.ts';
import { type Answer, callMember, propose, refusalOf } from './calls.ts';
import type { Cluster } from './cluster.ts';
import { type Operation, type Outcome, type Request } from './history.ts';
import type { ReadFloor } from './invariants/read-linearizability.ts';
import type { SimMember } from './member.ts';
import { type OperationKind, streamOf, streams } from './parameters.ts';
import { userName } from './permissions.ts';

const encoder = new TextEncoder();

/** The bytes of a text. */
export function bytesOf(text: string): Uint8Array {
  return encoder.encode(text);
}

/** One of the members that are not gone for good. */
export function anyMember(prng: Prng, cluster: Cluster): NodeId {
  const ids = [...cluster.members.values()]
    .filter((member) => !member.isRetired)
    .map(({ id }) => id);
  return ids[prng.nextInt(0, ids.length)] ?? 1;
}

/** The account of a client or tenant; several have the same. Undefined in runs without users. */
export function accountOf(id: number, { parameters }: Cluster): Account | undefined {
  const { users = 0 } = parameters.workload;
  return users === 0 ? undefined : new Account(userName(1 + (id % users)));
}

/** See the module comment. */
export class Workload {
  readonly history: Operation[] = [];
  readonly #cluster: Cluster;
  #isStopped = false;
  #pending = 0;

  constructor(seed: number, cluster: Cluster) {
    this.#cluster = cluster;
    const { clients } = cluster.parameters.workload;
    for (let client = 1; client <= clients; client++) {
      const prng = streamOf(seed, streams.client + client);
      new Client(client, prng, this, cluster).begin();
    }
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Calls without an answer. */
  get pending(): number {
    return this.#pending;
  }

  /** Clients end what they are doing, and begin nothing. */
  stop(): void {
    this.#isStopped = true;
  }

  open(client: number, request: Request, user?: string): Operation {
    const operation: Operation = {
      client,
      user,
      request,
      invokedUs: this.#cluster.clock.nowUs,
      completedUs: undefined,
      outcome: { kind: 'unknown', reason: 'the run ended' },
      member: 0,
    };
    this.history.push(operation);
    this.#pending++;
    return operation;
  }

  close(operation: Operation, outcome: Outcome): void {
    const { clock, invariants, trace } = this.#cluster;
    operation.completedUs = clock.nowUs;
    operation.outcome = outcome;
    this.#pending--;
    if (outcome.kind === 'applied') {
      invariants.reads.tell(outcome.result.revision);
    }
    if (trace.isOn) {
      trace.add(clock.nowUs, `c${operation.client} ${describeOutcome(operation)}`);
    }
  }
}

/** One client; see the module comment. */
class Client {
  readonly #id: number;
  readonly #prng: Prng;
  readonly #workload: Workload;
  readonly #cluster: Cluster;
  /** Undefined in runs without users. */
  readonly #account: Account | undefined;
  /** The member it talks to. */
  #member: NodeId;
  #count = 0;
  /** Last revision of a key that it has seen, for compare-and-swap. */
  readonly #seen = new Map<string, number>();

  constructor(id: number, prng: Prng, workload: Workload, cluster: Cluster) {
    this.#id = id;
    this.#prng = prng;
    this.#workload = workload;
    this.#cluster = cluster;
    this.#account = accountOf(id, cluster);
    this.#member = this.#anyMember();
  }

  begin(): void {
    this.#think();
  }

  #think(): void {
    const { thinkMaxUs, operationsMax } = this.#cluster.parameters.workload;
    if (this.#workload.isStopped || this.#workload.history.length >= operationsMax) {
      return;
    }
    this.#cluster.clock.after(this.#prng.nextInt(1, thinkMaxUs + 1), () => {
      if (!this.#workload.isStopped) {
        this.#act();
      }
    });
  }

  #act(): void {
    if (this.#prng.nextInt(0, 8) === 0) {
      this.#member = this.#anyMember();
    }
    const request = this.#request();
    const operation = this.#workload.open(this.#id, request, this.#account?.user);
    const floor = this.#cluster.invariants.reads.begin();
    this.#attempt(operation, floor, 1);
  }

  #attempt(operation: Operation, floor: ReadFloor, attempt: number): void {
    if (this.#account === undefined) {
      this.#attemptNow(operation, floor, attempt);
    } else {
      this.#account.prepare(this.#cluster, this.#member, () => {
        this.#attemptNow(operation, floor, attempt);
      });
    }
  }

  #attemptNow(operation: Operation, floor: ReadFloor, attempt: number): void {
    const { attemptsMax } = this.#cluster.parameters.workload;
    operation.member = this.#member;
    this.#call(operation.request, floor, (answer) => {
      this.#account?.learn(refusalOf(answer) ?? '');
      if (answer.kind !== 'refused') {
        this.#learn(operation.request, answer);
        this.#workload.close(operation, answer);
        this.#think();
        return;
      }
      this.#member = this.#anyMember();
      if (attempt >= attemptsMax || this.#workload.isStopped) {
        this.#workload.close(operation, { kind: 'fail', reason: answer.reason });
        this.#think();
        return;
      }
      this.#cluster.clock.after(this.#prng.nextInt(1_000, 300_000), () => {
        this.#attempt(operation, floor, attempt + 1);
      });
    });
  }

  /** Calls a member once; the answer may be lost, and then time decides. */
  #call(request: Request, floor: ReadFloor, done: (answer: Answer) => void): void {
    const { callTimeoutUs } = this.#cluster.parameters.workload;
    // A read has no effect, so it may be asked for again whatever became of it.
    const lost: Answer =
      request.type === 'range'
        ? { kind: 'refused', reason: 'no answer' }
        : { kind: 'unknown', reason: 'no answer' };
    const ask = (member: SimMember, reply: (answer: Answer) => void): void => {
      if (request.type === 'command') {
        const options = { account: this.#account, timeoutUs: callTimeoutUs };
        propose(member, request.command, options, reply);
      } else {
        this.#read(member, request, floor, reply);
      }
    };
    callMember<Answer>(this.#cluster, this.#member, { lost, ask, done });
  }

  #read(
    member: SimMember,
    request: Extract<Request, { type: 'range' }>,
    floor: ReadFloor,
    reply: (answer: Answer) => void,
  ): void {
    const { reads } = this.#cluster.invariants;
    const { range, isSerializable } = request;
    const { run } = member;
    const onAnswer: Parameters<typeof run.read>[2] = (answer) => {
      if (answer.kind === 'failed' || answer.outcome.kind === 'refused') {
        const reason = answer.kind === 'failed' ? answer.reason : 'compacted';
        reply({ kind: 'refused', reason });
        return;
      }
      const { revision, outcome } = answer;
      if (!isSerializable) {
        reads.end(floor, { member: member.id, revision, readableIndex: run.readableIndex });
      }
      reply({ kind: 'read', revision, result: outcome.result });
    };
    const { callTimeoutUs: timeoutUs } = this.#cluster.parameters.workload;
    if (this.#account !== undefined) {
      run.gate.read(this.#account.token, range, { isSerializable, timeoutUs }, onAnswer);
    } else if (isSerializable) {
      run.readSerializable(range, onAnswer);
    } else {
      run.read(range, timeoutUs, onAnswer);
    }
  }

  #learn(request: Request, answer: Answer): void {
    if (answer.kind === 'read' && request.type === 'range') {
      for (const kv of answer.result.kvs) {
        this.#seen.set(String.fromCharCode(...kv.key), kv.modRevision);
      }
    }
  }

  #anyMember(): NodeId {
    return anyMember(this.#prng, this.#cluster);
  }

  #request(): Request {
    const { mix } = this.#cluster.parameters.workload;
    const kinds = Object.entries(mix) as [OperationKind, number][];
    let dice = this.#prng.nextInt(
      0,
      kinds.reduce((sum, [, weight]) => sum + weight, 0),
    );
    const [kind] = must(
      kinds.find(([, weight]) => (dice -= weight) < 0),
      'a kind of operation',
    );
    return this.#requestOf(kind);
  }

  #requestOf(kind: OperationKind): Request {
    const key = this.#key();
    const command = (it: Extract<Request, { type: 'command' }>['command']): Request => {
      return { type: 'command', command: it };
    };
    switch (kind) {
      case 'put':
        return command(this.#put(key));
      case 'delete':
        return command({ type: 'deleteRange', key: bytesOf(key), prevKv: true });
      case 'deleteRange':
        return command({ type: 'deleteRange', ...this.#span(), prevKv: false });
      case 'get':
        return { type: 'range', range: rangeOf({ key: bytesOf(key) }), isSerializable: false };
      case 'range':
        return { type: 'range', range: rangeOf(allKeys), isSerializable: false };
      case 'staleRange':
        return { type: 'range', range: rangeOf(allKeys), isSerializable: true };
      case 'swap':
        return command(this.#swap(key));
      case 'multi':
        return command(this.#multi(key));
      case 'readTxn': {
        const success = [rangeOf({ key: bytesOf(key) }), rangeOf(allKeys)];
        return command({ type: 'txn', compare: [], success, failure: [] });
      }
      case 'compact': {
        const newest = Math.max(0, ...this.#seen.values());
        return command({ type: 'compact', revision: Math.max(1, newest - 10) });
      }
    }
  }

  /** Writes a key if it still is as this client has last seen it; otherwise tells what it is. */
  #swap(key: string): Extract<Command, { type: 'txn' }> {
    const compare: Compare = {
      key: bytesOf(key),
      target: 'mod',
      result: 'equal',
      operand: this.#seen.get(key) ?? 0,
    };
    const failure: KvOperation[] = [rangeOf({ key: bytesOf(key) })];
    return { type: 'txn', compare: [compare], success: [this.#put(key)], failure };
  }

  /** Writes two keys at once, deletes one, and reads everything in the midst of it. */
  #multi(key: string): Extract<Command, { type: 'txn' }> {
    const other = this.#key();
    const success: KvOperation[] = [this.#put(key), rangeOf(allKeys)];
    if (other !== key) {
      success.push(
        this.#prng.nextInt(0, 3) === 0
          ? { type: 'deleteRange', key: bytesOf(other), prevKv: true }
          : this.#put(other),
      );
    }
    return { type: 'txn', compare: [], success, failure: [] };
  }

  #put(key: string): Extract<Command, { type: 'put' }> {
    const { valueBytesMax } = this.#cluster.parameters.workload;
    const name = `${this.#id}.${++this.#count}`;
    const value = name.padEnd(this.#prng.nextInt(1, valueBytesMax + 1), '.');
    return {
      ...{ type: 'put', key: bytesOf(key), value: bytesOf(value), lease: 0n },
      ...{
        prevKv: this.#prng.nextInt(0, 3) === 0,
        ignoreValue: false,
        ignoreLease: false,
        ttlMs: 0,
        ttlRefreshOnWrite: false,
      },
    };
  }

  #key(): string {
    return `k${this.#prng.nextInt(0, this.#cluster.parameters.workload.keys)}`;
  }

  #span(): { readonly key: Uint8Array; readonly rangeEnd: Uint8Array } {
    const { keys } = this.#cluster.parameters.workload;
    const first = this.#prng.nextInt(0, keys);
    return { key: bytesOf(`k${first}`), rangeEnd: bytesOf(`k${first + 2}`) };
  }
}

const allKeys = { key: bytesOf('k'), rangeEnd: bytesOf('l') };

function rangeOf(selector: KeySelector): RangeOperation {
  return { ...range(''), ...selector };
}

function describeOutcome({ request, outcome, member }: Operation): string {
  const what = request.type === 'range' ? 'range' : request.command.type;
  switch (outcome.kind) {
    case 'applied':
      return (
        `${what} at n${member}: ${outcome.result.kind} ` +
        `${outcome.index} rev=${outcome.result.revision}`
      );
    case 'read':
      return `${what} at n${member}: ${outcome.result.count} keys rev=${outcome.revision}`;
    case 'fail':
    case 'unknown':
      return `${what} at n${member}: ${outcome.kind}, ${outcome.reason}`;
  }
}
