/** Members with their real driver over memory stores, a virtual network and virtual time. */
import { createPrng, must } from '../../src/base/index.ts';
import { Metrics } from '../../src/observability/index.ts';
import { defaultRaftOptions } from '../../src/raft/index.ts';
import { Member, type MemberConfig, type MemberOptions } from '../../src/replica/index.ts';
import type { MemberRecord } from '../../src/replica/index.ts';
import type { Engine } from '../../src/storage/index.ts';
import { MemoryDisk, MemoryLog } from './memory-log.ts';
import { StateDisk } from './memory-state.ts';
import { plainSnapshots } from './plain-snapshots.ts';
import { VirtualLoop } from './virtual-loop.ts';
import { VirtualNetwork } from './virtual-network.ts';

const defaultMemberOptions: MemberOptions = {
  tickMs: 100,
  raft: defaultRaftOptions,
  limits: { proposalsMax: 1000, proposalBytesMax: 1024 * 1024, readsMax: 1000 },
  requestTimeoutMs: 5000,
  requestBytesMax: 64 * 1024,
  cacheBytesMax: 1024 * 1024,
  quotaBytes: 1024 * 1024 * 1024,
};

/** One place in the cluster: what survives a crash, and the member that runs on it now. */
interface Seat {
  readonly id: number;
  disk: MemoryDisk;
  state: StateDisk;
  readonly initialMembers: readonly MemberRecord[];
  incarnation: number;
  member: Member | undefined;
  log: MemoryLog | undefined;
  metrics: Metrics;
}

/** See the module comment. */
export class VirtualCluster {
  readonly loop = new VirtualLoop();
  readonly network = new VirtualNetwork(this.loop);
  readonly fatals: unknown[] = [];
  #seats: Seat[];
  readonly #options: MemberOptions;
  readonly #seed: number;

  constructor(size: number, seed: number, options: Partial<MemberOptions> = {}) {
    this.#seed = seed;
    this.#options = { ...defaultMemberOptions, ...options };
    const members = Array.from({ length: size }, (_, i) => recordOf(i + 1));
    this.#seats = Array.from({ length: size }, (_, i) => ({
      id: i + 1,
      disk: new MemoryDisk(),
      state: new StateDisk(),
      initialMembers: members,
      incarnation: i + 1,
      member: undefined,
      log: undefined,
      metrics: new Metrics(),
    }));
  }

  async startAll(): Promise<void> {
    for (const seat of this.#seats) {
      await this.start(seat.id);
    }
  }

  async start(id: number, overrides: Partial<MemberConfig> = {}): Promise<Member> {
    const seat = this.#seat(id);
    seat.log = new MemoryLog(seat.disk);
    seat.metrics = new Metrics();
    const member = await Member.open({
      clusterId: 1,
      id,
      name: `n${id}`,
      initialMembers: seat.initialMembers,
      findCluster: async () => Promise.resolve(this.#described()),
      peerOf: (member) => ({ id: member.id, name: member.name, address: '' }),
      incarnations: { record: async () => Promise.resolve('same') },
      snapshots: { format: plainSnapshots, version: 'test', epochMs: () => 0 },
      log: seat.log,
      state: seat.state.open(),
      transport: this.network.transport(id, { incarnation: seat.incarnation, peers: [] }),
      eventLoop: this.loop,
      prng: createPrng(this.#seed * 1000 + id + this.loop.nowMs()),
      metrics: seat.metrics,
      logger: { info: ignore, warn: ignore, error: ignore },
      options: this.#options,
      onFatal: (error) => {
        this.fatals.push(error);
      },
      ...overrides,
    });
    seat.member = member;
    await member.start();
    return member;
  }

  /**
   * Member `id` is gone at this moment, with all that was under way; its disks are as it left them.
   */
  async crash(id: number): Promise<void> {
    const seat = this.#seat(id);
    const { member } = seat;
    this.network.drop(id);
    seat.member = undefined;
    seat.log = undefined;
    // What still goes on in it does so on disks that nobody will read.
    seat.disk = seat.disk.copy();
    const state = seat.state.copy();
    void member?.stop();
    seat.state = await state;
  }

  /** A place for a member that has been added, or has lost its disk; it starts with nothing. */
  addSeat(id: number): void {
    this.#seats = this.#seats.filter((seat) => seat.id !== id);
    this.#seats.push({
      id,
      disk: new MemoryDisk(),
      state: new StateDisk(),
      initialMembers: [],
      incarnation: id,
      member: undefined,
      log: undefined,
      metrics: new Metrics(),
    });
  }

  /** Empties the state of member `id`, which does not run; its log stays. */
  loseState(id: number): void {
    this.#seat(id).state.lose();
  }

  /** The stored state of member `id`, to be tampered with while it does not run. */
  engine(id: number): Engine {
    return this.#seat(id).state.engine;
  }

  /** Reads of the state of member `id` fail with `error` until it has another state. */
  damageState(id: number, error: Error): void {
    this.#seat(id).state.readFailure = error;
  }

  /** The disk of the state of member `id`, to be slowed down or broken while it runs. */
  state(id: number): StateDisk {
    return this.#seat(id).state;
  }

  member(id: number): Member {
    const { member } = this.#seat(id);
    if (member === undefined) {
      throw new Error(`member ${id} does not run`);
    }
    return member;
  }

  /** A log over the disk of member `id`, for a run of it. */
  newLog(id: number): MemoryLog {
    return new MemoryLog(this.#seat(id).disk);
  }

  log(id: number): MemoryLog {
    const { log } = this.#seat(id);
    if (log === undefined) {
      throw new Error(`member ${id} does not run`);
    }
    return log;
  }

  /** Of the latest run of member `id`. */
  metrics(id: number): Metrics {
    return this.#seat(id).metrics;
  }

  get members(): Member[] {
    return this.#seats.flatMap((seat) => (seat.member === undefined ? [] : [seat.member]));
  }

  /** Waits for a leader that a majority follows, other than `except`, and returns its id. */
  async leader(except = 0): Promise<number> {
    let found = 0;
    await this.loop.runUntil(() => {
      const leading = this.members.filter((each) => each.isLeader && each.memberId !== except);
      const candidate = leading.sort((a, b) => b.term - a.term)[0];
      found = candidate?.memberId ?? 0;
      const followers = this.members.filter((each) => each.leader === found);
      return found !== 0 && followers.length * 2 > this.#seats.length;
    }, 60_000);
    return found;
  }

  /** The members as one that runs describes them. */
  #described(): readonly MemberRecord[] {
    const [member] = this.members;
    return must(member, 'a member that runs')
      .members()
      .map(({ id }) => recordOf(id));
  }

  #seat(id: number): Seat {
    const seat = this.#seats.find((each) => each.id === id);
    if (seat === undefined) {
      throw new Error(`there is no member ${id}`);
    }
    return seat;
  }
}

function recordOf(id: number): MemberRecord {
  return { id, name: `n${id}`, peerUrls: [`http://n${id}`], autoPromote: false };
}

function ignore(): void {
  // Log lines are not what these tests look at.
}
