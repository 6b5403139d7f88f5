/**
 * The simulated cluster: members, the network between them, and an observer who sees everything.
 */
import { must } from '../../src/base/index.ts';
import { featureLevels, firstLevel } from '../../src/kv/index.ts';
import type { Message, NodeId } from '../../src/raft/index.ts';
import { initialConfiguration } from '../../src/replica/membership.ts';
import { Admin, type AdministeredCluster, memberRecord } from './admin.ts';
import { VirtualClock } from './clock.ts';
import { type Invariants, createInvariants } from './invariants/index.ts';
import { Ledger } from './ledger.ts';
import { type MemberHost, SimMember, type SimSnapshot } from './member.ts';
import { SimNetwork } from './network.ts';
import { type SimParameters, streamOf, streams } from './parameters.ts';
import type { Trace } from './trace.ts';
import { Watching } from './watching.ts';
import type { Configuration } from '../../src/raft/index.ts';

/** See the module comment. */
export class Cluster implements MemberHost, AdministeredCluster {
  readonly clock = new VirtualClock();
  readonly trace: Trace;
  readonly parameters: SimParameters;
  readonly network: SimNetwork;
  readonly ledger = new Ledger();
  readonly invariants: Invariants;
  readonly watching: Watching;
  readonly members = new Map<NodeId, SimMember>();
  readonly admin: Admin;
  readonly #seed: number;
  /** No faults any more: everybody is up and stays so. */
  isHealed = false;
  /** When there was a settled leader after the faults; undefined before. */
  settledUs: number | undefined;

  constructor(seed: number, parameters: SimParameters, trace: Trace) {
    this.#seed = seed;
    this.parameters = parameters;
    this.trace = trace;
    this.network = new SimNetwork(
      { clock: this.clock, trace, prng: streamOf(seed, streams.network) },
      parameters.network,
      (message) => {
        this.members.get(message.to)?.deliver(message);
      },
    );
    this.watching = new Watching(this, streamOf(seed, streams.watching));
    this.invariants = createInvariants(this, this.ledger, this.watching);
    this.admin = new Admin(this);
    const records = Array.from({ length: parameters.nodes }, (_, i) => memberRecord(i + 1));
    const initial = initialConfiguration(records);
    for (const { id } of records) {
      this.addMember(id, initial);
    }
    for (const member of this.members.values()) {
      member.start();
    }
  }

  get observers(): Invariants['observers'] {
    return this.invariants.observers;
  }

  member(id: NodeId): SimMember {
    return must(this.members.get(id), `member ${id}`);
  }

  /** Makes a place for a member; it is not started yet. */
  addMember(id: NodeId, configuration: Configuration): SimMember {
    const prng = streamOf(this.#seed, streams.member + id);
    const member = new SimMember(id, this, prng, configuration);
    const { clockDriftMax } = this.parameters.member;
    member.newestLevel = this.parameters.builtFor ?? firstLevel;
    member.clockRate = 1000 + prng.nextInt(-clockDriftMax, clockDriftMax + 1);
    this.members.set(id, member);
    return member;
  }

  /** The leader of the highest term, or 0. */
  get leader(): NodeId {
    let leader = 0;
    let term = -1;
    for (const { id, status } of this.members.values()) {
      if (status?.role === 'leader' && status.term > term) {
        leader = id;
        term = status.term;
      }
    }
    return leader;
  }

  /** Who a fault means: 0, or who has not joined yet, is the leader; or anybody when none leads. */
  resolve(node: NodeId): NodeId {
    return this.members.has(node) ? node : this.leader || 1;
  }

  /** What the processes read that `member` is connected with both ways, and itself. */
  levelsHeardBy(member: SimMember): ReadonlyMap<NodeId, number> {
    const newestById = new Map<NodeId, number>();
    for (const { id, isUp, newestLevel } of this.members.values()) {
      if (isUp && !this.network.isCut(id, member.id) && !this.network.isCut(member.id, id)) {
        newestById.set(id, newestLevel);
      }
    }
    return newestById;
  }

  send(message: Message): void {
    if (this.#isRefused(message)) {
      return;
    }
    this.network.send(message);
  }

  crash(member: SimMember): void {
    if (!member.isUp) {
      return;
    }
    member.crash();
    if (member.prng.nextInt(0, 2) === 0) {
      // Its host is there and refuses connections: the others know before any timeout.
      for (const other of this.members.values()) {
        if (other.id !== member.id) {
          this.clock.after(this.network.latencyUs(), () => {
            if (other.isUp && !this.network.isCut(member.id, other.id)) {
              other.run.reportDown(member.id);
            }
          });
        }
      }
    }
  }

  restart(member: SimMember): void {
    if (!member.isUp && !member.isRetired) {
      member.start();
    }
  }

  /** The transport of `from` may notice that its link is gone. */
  linkBroke(from: NodeId, to: NodeId): void {
    const member = this.members.get(from);
    if (member?.isUp === true && member.prng.nextInt(0, 2) === 0) {
      member.run.reportUnreachable(to);
    }
  }

  fetchSnapshot(
    to: SimMember,
    request: { readonly from: NodeId; readonly minIndex: number },
    done: (fetched: SimSnapshot | undefined) => void,
  ): void {
    const { from, minIndex } = request;
    const { snapshotUs } = this.parameters.network;
    const isLost = (): boolean =>
      this.network.isCut(from, to.id) ||
      this.network.isCut(to.id, from) ||
      this.members.get(from)?.isUp !== true;
    this.clock.after(this.network.latencyUs(), () => {
      const source = this.members.get(from);
      const isThere = source?.isUp === true && source.run.readableIndex >= minIndex;
      const fetched =
        isLost() || !isThere
          ? undefined
          : { engine: source.disk.engine.copy(), senderTerm: source.run.replica.term };
      const runs = source?.runs;
      this.clock.after(to.prng.nextInt(0, snapshotUs + 1), () => {
        // A stream breaks off when its link, or either end, goes away.
        const isWhole = !isLost() && source?.runs === runs;
        done(isWhole ? fetched : undefined);
      });
    });
  }

  /** Whoever has applied a feature level does not listen to a build that does not read it. */
  #isRefused({ from, to }: Message): boolean {
    const receiver = this.members.get(to);
    return (
      this.parameters.mixesLevels === true &&
      receiver?.isUp === true &&
      receiver.run.stateMachine.level > this.member(from).newestLevel
    );
  }

  /** The newest build everywhere: nothing else can follow the others for sure. */
  #upgradeAll(): void {
    for (const member of this.members.values()) {
      if (member.newestLevel < featureLevels.newest) {
        this.crash(member);
        member.newestLevel = featureLevels.newest;
      }
    }
  }

  /** Ends all faults: everybody is up, every link whole, every disk and clock as usual. */
  heal(): void {
    this.isHealed = true;
    this.network.heal();
    if (this.parameters.mixesLevels === true) {
      this.#upgradeAll();
    }
    for (const member of this.members.values()) {
      member.crashPoint = undefined;
      member.disk.slowness = 1;
      member.disk.stalledUntilUs = 0;
      member.clockRate = 1000;
      if (member.isPaused) {
        member.resume();
      }
      this.restart(member);
    }
    if (this.trace.isOn) {
      this.trace.add(this.clock.nowUs, 'all faults have ended');
    }
  }
}
