/**
 * Administrators of users: they make the accounts that the other clients sign in with, then add and
 * delete users and roles, grant and revoke, and turn authentication off and on, all of it while
 * everybody reads and writes. Now and then somebody tries who is not root.
 */
import type { Prng } from '../../src/base/index.ts';
import type { AuthChange } from '../../src/kv/index.ts';
import type { NodeId } from '../../src/raft/index.ts';
import { Account } from './accounts.ts';
import { type Answer, callMember, propose, refusalOf } from './calls.ts';
import type { Cluster } from './cluster.ts';
import { administrators, pick, streamOf, streams } from './parameters.ts';
import { permittableKeys, rootName, userName } from './permissions.ts';
import { anyMember, bytesOf, type Workload } from './workload.ts';

/** Clients of the history from here on. */
const administratorClients = 3_000;
const roles = ['role-1', 'role-2', 'role-3'] as const;

/** Begins the administrators of a run with users. */
export function beginAdministrators(seed: number, workload: Workload, cluster: Cluster): void {
  const { users = 0 } = cluster.parameters.workload;
  for (let id = 1; users > 0 && id <= administrators; id++) {
    new Administrator(id, streamOf(seed, streams.administrator + id), workload, cluster).begin();
  }
}

/** See the module comment. */
class Administrator {
  readonly #id: number;
  readonly #prng: Prng;
  readonly #workload: Workload;
  readonly #cluster: Cluster;
  readonly #root = new Account(rootName);
  /** Not root, as a rule. */
  readonly #other = new Account(userName(1));
  #member: NodeId;
  #count = 0;

  constructor(id: number, prng: Prng, workload: Workload, cluster: Cluster) {
    this.#id = id;
    this.#prng = prng;
    this.#workload = workload;
    this.#cluster = cluster;
    this.#member = anyMember(prng, cluster);
  }

  /** The first makes the accounts; the others come when there may be some. */
  begin(): void {
    if (this.#id === 1) {
      this.#carryOut(this.#accounts());
    } else {
      this.#goOn();
    }
  }

  #accounts(): AuthChange[] {
    const { users = 0 } = this.#cluster.parameters.workload;
    const [everything, reading, writing] = roles;
    const keys = { key: bytesOf('k'), rangeEnd: bytesOf('y') };
    const permission = (role: string, access: 'readwrite' | 'read' | 'write'): AuthChange => ({
      type: 'roleGrantPermission',
      ...{ role, permission: { access, ...keys } },
    });
    return [
      ...roles.map((role): AuthChange => ({ type: 'roleAdd', role })),
      permission(everything, 'readwrite'),
      permission(reading, 'read'),
      permission(writing, 'write'),
      ...Array.from({ length: users }, (_, i) => userName(i + 1)).flatMap((user) => [
        this.#userAdd(user),
        { type: 'userGrantRole', user, role: pick(this.#prng, roles) } as const,
      ]),
      ...this.#enable(),
    ];
  }

  /** Makes these changes one after the other, each until a member has carried it out. */
  #carryOut([change, ...rest]: readonly AuthChange[]): void {
    if (change === undefined) {
      this.#goOn();
      return;
    }
    this.#ask(change, this.#root, (answer) => {
      this.#after(() => {
        this.#carryOut(answer.kind === 'applied' ? rest : [change, ...rest]);
      });
    });
  }

  /** Does one thing after the other, until clients are to stop. */
  #goOn(): void {
    this.#after(() => {
      const dice = this.#prng.nextInt(0, 8);
      if (dice === 0) {
        this.#carryOut(this.#enable());
      } else {
        this.#ask(this.#change(), dice === 1 ? this.#other : this.#root, () => {
          this.#goOn();
        });
      }
    });
  }

  /** `root` must be there, and be root. */
  #enable(): AuthChange[] {
    return [
      this.#userAdd(rootName),
      { type: 'userGrantRole', user: rootName, role: rootName },
      { type: 'enable', secret: bytesOf(`secret ${this.#id}.${++this.#count}`) },
    ];
  }

  #userAdd(user: string): AuthChange {
    return { type: 'userAdd', user, passwordHash: this.#hash() };
  }

  #change(): AuthChange {
    const prng = this.#prng;
    const { users = 0 } = this.#cluster.parameters.workload;
    const user = userName(prng.nextInt(1, users + 1));
    const role = pick(prng, roles);
    const keys = pick(prng, permittableKeys);
    const access = pick(prng, ['read', 'write', 'readwrite', 'readwrite'] as const);
    const grant: AuthChange = {
      type: 'roleGrantPermission',
      role,
      permission: { access, ...keys },
    };
    const revoke: AuthChange = { type: 'roleRevokePermission', role, keys };
    const give: AuthChange = { type: 'userGrantRole', user, role };
    const take: AuthChange = { type: 'userRevokeRole', user, role };
    return pick(prng, [
      ...[grant, grant, grant, grant, grant, revoke, revoke, revoke, revoke],
      ...[give, give, give, give, take, take, take],
      ...[this.#userAdd(user), this.#userAdd(user), { type: 'userDelete', user } as const],
      {
        type: 'userChangePassword',
        user: pick(prng, [user, rootName]),
        passwordHash: this.#hash(),
      },
      ...[{ type: 'roleAdd', role } as const, { type: 'roleDelete', role } as const],
      { type: 'userGrantRole', user, role: rootName },
      { type: 'userRevokeRole', user, role: rootName },
      // Refused while authentication is on.
      { type: 'userDelete', user: rootName },
      { type: 'disable' },
    ]);
  }

  #hash(): Uint8Array {
    return bytesOf(`hash ${this.#id}.${++this.#count}`);
  }

  #ask(change: AuthChange, account: Account, then: (answer: Answer) => void): void {
    const command = { type: 'auth', change } as const;
    const client = administratorClients + this.#id;
    const operation = this.#workload.open(client, { type: 'command', command }, account.user);
    if (this.#prng.nextInt(0, 4) === 0) {
      this.#member = anyMember(this.#prng, this.#cluster);
    }
    operation.member = this.#member;
    const { callTimeoutUs: timeoutUs } = this.#cluster.parameters.workload;
    account.prepare(this.#cluster, this.#member, () => {
      callMember<Answer>(this.#cluster, this.#member, {
        lost: { kind: 'unknown', reason: 'no answer' },
        ask: (member, reply) => {
          propose(member, command, { account, timeoutUs }, reply);
        },
        done: (answer) => {
          account.learn(refusalOf(answer) ?? '');
          const failed = answer.kind === 'refused' ? { ...answer, kind: 'fail' as const } : answer;
          this.#workload.close(operation, failed);
          if (answer.kind !== 'applied') {
            this.#member = anyMember(this.#prng, this.#cluster);
          }
          then(answer);
        },
      });
    });
  }

  /** Goes on after a while, unless clients are to stop. */
  #after(act: () => void): void {
    const { thinkMaxUs } = this.#cluster.parameters.workload;
    this.#cluster.clock.after(this.#prng.nextInt(1_000, 2 * thinkMaxUs), () => {
      if (!this.#workload.isStopped) {
        act();
      }
    });
  }
}

/**
 * Turns authentication off once clients have stopped, again if a change under way turns it on
 * later: while it is on the leader tells the time, and the cluster never comes to rest.
 */
export function switchOff(cluster: Cluster): void {
  const { clock, parameters, invariants } = cluster;
  const { tickUs } = parameters.member;
  const { auth } = invariants.truth.model;
  const leader = cluster.members.get(cluster.leader);
  if (auth.isEnabled && leader?.isUp === true) {
    const command = { type: 'auth', change: { type: 'disable' } } as const;
    const caller = auth.callerOf(rootName);
    leader.run.propose({ type: 'as', caller, command }, 100 * tickUs, () => undefined);
  }
  clock.after(20 * tickUs, () => {
    switchOff(cluster);
  });
}
