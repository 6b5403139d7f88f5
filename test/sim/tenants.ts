/**
 * Simulated clients that own something for a time: leases with keys, keys with a time to live,
 * locks with fenced writes, and sessions whose requests are sent again until they are answered.
 *
 * They use keys of their own, so that the other clients' history is what it would be without them,
 * but for its revisions.
 */
import type { Prng } from '../../src/base/index.ts';
import {
  type Command,
  type CommandResult,
  fingerprintOf,
  type LeaseId,
  type PutOperation,
} from '../../src/kv/index.ts';
import type { NodeId } from '../../src/raft/index.ts';
import { Account } from './accounts.ts';
import { type Answer, callMember, propose, refusalOf } from './calls.ts';
import type { Cluster } from './cluster.ts';
import type { Request } from './history.ts';
import { fencedKey, sessionKeyPrefix } from './invariants/ownership.ts';
import { pick, streamOf, streams } from './parameters.ts';
import { rootName } from './permissions.ts';
import { accountOf, anyMember, bytesOf, type Workload } from './workload.ts';

/** Clients of the history from here on. */
const tenantClients = 2_000;
const lockKey = 'x-lock';
/** Attempts of a session's request. */
const attemptsMax = 8;

type TenantCommand = Extract<Request, { type: 'command' }>['command'];

/** Begins the tenants of a run. */
export function beginTenants(seed: number, workload: Workload, cluster: Cluster): void {
  for (let tenant = 1; tenant <= cluster.parameters.workload.tenants; tenant++) {
    new Tenant(tenant, streamOf(seed, streams.tenant + tenant), workload, cluster).live();
  }
}

/** See the module comment. */
class Tenant {
  readonly #id: number;
  readonly #prng: Prng;
  readonly #workload: Workload;
  readonly #cluster: Cluster;
  /** Undefined in runs without users. */
  readonly #account: Account | undefined;
  /** Of somebody else, if there is anybody. */
  readonly #other: Account | undefined;
  readonly #root = new Account(rootName);
  #member: NodeId;
  #count = 0;

  constructor(id: number, prng: Prng, workload: Workload, cluster: Cluster) {
    this.#id = id;
    this.#prng = prng;
    this.#workload = workload;
    this.#cluster = cluster;
    this.#account = accountOf(id, cluster);
    this.#other = accountOf(id + 1, cluster);
    this.#member = anyMember(prng, cluster);
  }

  /** Does one thing after the other, until clients are to stop. */
  live(): void {
    this.#after(2_000, () => {
      const deeds = [
        (): void => {
          this.#holdLease();
        },
        (): void => {
          this.#keepForATime(this.#prng.nextInt(1, 4));
        },
        (): void => {
          this.#lock();
        },
        (): void => {
          this.#converse();
        },
      ];
      pick(this.#prng, deeds)();
    });
  }

  #holdLease(): void {
    const id = this.#nextLease();
    this.#grant(id, this.#ttlMs(), () => {
      this.#ask(putOf(`t-${this.#id}`, String(id), { lease: id }), () => {
        this.#holdMore(id, () => {
          this.#renew(id, this.#prng.nextInt(0, 4));
        });
      });
    });
  }

  /** With accounts, keys that other permissions are about, one of them somebody else's. */
  #holdMore(id: LeaseId, then: () => void): void {
    if (this.#account === undefined) {
      then();
      return;
    }
    const value = `${id}.${++this.#count}`;
    const others = putOf(`v-${this.#id}.held`, value, { lease: id });
    const own = putOf(`u-${this.#id}.held`, value, { lease: id });
    this.#ask(
      others,
      () => {
        this.#ask(own, then);
      },
      this.#other,
    );
  }

  #renew(id: LeaseId, times: number): void {
    this.#after(3_000, () => {
      if (times === 0) {
        // Most leases are left alone.
        this.#giveUp(id, this.#prng.nextInt(0, 4) === 0);
        return;
      }
      this.#ask({ type: 'leaseKeepAlive', ids: [id] }, () => {
        this.#holdMore(id, () => {
          this.#renew(id, times - 1);
        });
      });
    });
  }

  #giveUp(id: LeaseId, isRevoked: boolean): void {
    if (isRevoked) {
      this.#ask({ type: 'leaseRevoke', id }, () => {
        this.live();
      });
    } else {
      this.live();
    }
  }

  #keepForATime(times: number): void {
    const hasTtl = this.#prng.nextInt(0, 4) > 0;
    const ttlMs = hasTtl ? this.#ttlMs() : 0;
    const ttlRefreshOnWrite = hasTtl && this.#prng.nextInt(0, 2) === 0;
    const key = `u-${this.#id}.${this.#prng.nextInt(0, 2)}`;
    this.#ask(putOf(key, String(++this.#count), { ttlMs, ttlRefreshOnWrite }), () => {
      if (times === 0) {
        this.#ask({ type: 'deleteRange', key: bytesOf(key), prevKv: false }, () => {
          this.live();
        });
        return;
      }
      this.#after(3_000, () => {
        this.#keepForATime(times - 1);
      });
    });
  }

  #lock(): void {
    const id = this.#nextLease();
    this.#grant(id, this.#ttlMs(), () => {
      const compare = { key: bytesOf(lockKey), target: 'create', result: 'equal' } as const;
      const success = [putOf(lockKey, String(id), { lease: id })];
      const command = { type: 'txn', compare: [{ ...compare, operand: 0 }], success } as const;
      this.#ask({ ...command, failure: [] }, (result) => {
        const { result: outcome } = result?.kind === 'ok' ? result : { result: undefined };
        if (result !== undefined && outcome?.type === 'txn' && outcome.succeeded) {
          this.#writeFenced(id, result.revision, this.#prng.nextInt(1, 4));
        } else {
          this.#giveUp(id, true);
        }
      });
    });
  }

  /** Writes what only the owner may; who sleeps too long finds out. */
  #writeFenced(id: LeaseId, token: number, times: number): void {
    if (times === 0) {
      this.#giveUp(id, true);
      return;
    }
    this.#after(2_500, () => {
      const compare = { key: bytesOf(lockKey), target: 'create', result: 'equal' } as const;
      // Every command is another one: the token, and a part of one for the number of the write.
      const success = [putOf(fencedKey, `${token}.${9 - times}`)];
      const command = { type: 'txn', compare: [{ ...compare, operand: token }], success } as const;
      this.#ask({ ...command, failure: [] }, () => {
        this.#writeFenced(id, token, times - 1);
      });
    });
  }

  #converse(): void {
    const session = this.#nextLease();
    this.#grant(session, 10_000, () => {
      this.#talk(session, 1, this.#prng.nextInt(1, 8));
    });
  }

  /** Goes on with a session; with accounts somebody else may be quicker. */
  #talk(session: LeaseId, sequence: number, last: number): void {
    if (this.#other === undefined || this.#prng.nextInt(0, 3) > 0) {
      this.#say(session, sequence, last);
      return;
    }
    const uses: readonly TenantCommand[] = [
      this.#request(session, sequence, sequence),
      this.#request(session, sequence, sequence),
      putOf(`t-${this.#id}`, `s${++this.#count}`, { lease: session }),
      { type: 'leaseRevoke', id: session },
    ];
    const stranger = pick(this.#prng, [this.#other, this.#other, this.#root]);
    this.#ask(
      pick(this.#prng, uses),
      () => {
        this.#say(session, sequence, last);
      },
      stranger,
    );
  }

  /** Sends the request `sequence` of a session until it is answered, then the next. */
  #say(session: LeaseId, sequence: number, last: number, attempt = 1): void {
    this.#ask(this.#request(session, sequence, sequence), (result) => {
      if (result?.kind === 'refused' && result.code === 'SESSION_EXPIRED') {
        this.live();
      } else if (result === undefined && attempt < attemptsMax) {
        this.#after(1_000, () => {
          this.#say(session, sequence, last, attempt + 1);
        });
      } else if (sequence < last && result !== undefined) {
        this.#repeatLate(session, sequence);
        this.#talk(session, sequence + 1, last);
      } else {
        this.#giveUp(session, this.#prng.nextInt(0, 2) === 0);
      }
    });
  }

  /** An attempt that comes again when everybody has forgotten it, as networks do it. */
  #repeatLate(session: LeaseId, sequence: number): void {
    if (this.#prng.nextInt(0, 3) === 0) {
      this.#after(4_000, () => {
        this.#ask(this.#request(session, sequence, 1), () => undefined);
      });
    }
  }

  #request(session: LeaseId, sequence: number, lowestUnanswered: number): TenantCommand {
    const command = putOf(`${sessionKeyPrefix}${session}.${sequence}`, String(sequence));
    const id = { type: 'session', session, sequence, lowestUnanswered } as const;
    return { type: 'once', id, fingerprint: fingerprintOf(command), command };
  }

  /** Goes on once the lease is there; otherwise does something else. */
  #grant(id: LeaseId, ttlMs: number, then: () => void): void {
    this.#ask({ type: 'leaseGrant', id, ttlMs }, (result) => {
      if (result?.kind === 'ok') {
        then();
      } else {
        this.live();
      }
    });
  }

  /** Calls a member once; no result: it is not known what became of it. */
  #ask(
    command: TenantCommand,
    then: (result: CommandResult | undefined) => void,
    account = this.#account,
  ): void {
    if (this.#prng.nextInt(0, 6) === 0) {
      this.#member = anyMember(this.#prng, this.#cluster);
    }
    const request = { type: 'command', command } as const;
    const operation = this.#workload.open(tenantClients + this.#id, request, account?.user);
    operation.member = this.#member;
    const done = (answer: Answer): void => {
      account?.learn(refusalOf(answer) ?? '');
      const isApplied = answer.kind === 'applied';
      const failed = answer.kind === 'refused' ? { ...answer, kind: 'fail' as const } : answer;
      this.#workload.close(operation, failed);
      if (!isApplied) {
        this.#member = anyMember(this.#prng, this.#cluster);
      }
      then(isApplied ? answer.result : undefined);
    };
    if (account === undefined) {
      this.#call(command, account, done);
    } else {
      account.prepare(this.#cluster, this.#member, () => {
        this.#call(command, account, done);
      });
    }
  }

  #call(
    command: TenantCommand,
    account: Account | undefined,
    done: (answer: Answer) => void,
  ): void {
    const { callTimeoutUs: timeoutUs } = this.#cluster.parameters.workload;
    callMember<Answer>(this.#cluster, this.#member, {
      lost: { kind: 'unknown', reason: 'no answer' },
      ask: (member, reply) => {
        propose(member, command, { account, timeoutUs }, reply);
      },
      done,
    });
  }

  /**
   * Goes on after a while, `maxMs` at most where members are quick enough for it, unless clients
   * are to stop.
   */
  #after(maxMs: number, act: () => void): void {
    const { thinkMaxUs } = this.#cluster.parameters.workload;
    const slowness = Math.max(1, Math.ceil(thinkMaxUs / 2_000_000));
    this.#cluster.clock.after(this.#prng.nextInt(1_000, maxMs * 1000 * slowness), () => {
      if (!this.#workload.isStopped) {
        act();
      }
    });
  }

  #ttlMs(): number {
    return pick(this.#prng, [1_000, 1_500, 3_000]);
  }

  #nextLease(): LeaseId {
    return BigInt(this.#id * 100_000 + ++this.#count);
  }
}

function putOf(
  key: string,
  value: string,
  options: Partial<Pick<PutOperation, 'lease' | 'ttlMs' | 'ttlRefreshOnWrite'>> = {},
): Extract<Command, { type: 'put' }> {
  return {
    ...{ type: 'put', key: bytesOf(key), value: bytesOf(value), lease: 0n, prevKv: false },
    ...{ ignoreValue: false, ignoreLease: false, ttlMs: 0, ttlRefreshOnWrite: false },
    ...options,
  };
}
