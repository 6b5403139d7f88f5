/** Members with their real driver over memory stores, a virtual network and virtual time. */
import { createPrng } from '../../src/base/index.ts';
import { Metrics } from '../../src/observability/index.ts';
import { defaultRaftOptions } from '../../src/raft/index.ts';
import { Member, type MemberOptions } from '../../src/replica/index.ts';
import { createMemoryEngine, type Engine } from '../../src/storage/index.ts';
import { MemoryDisk, MemoryLog } from './memory-log.ts';
import { VirtualLoop } from './virtual-loop.ts';
import { VirtualNetwork } from './virtual-network.ts';

const defaultMemberOptions: MemberOptions = {
  tickMs: 100,
  raft: defaultRaftOptions,
  limits: { proposalsMax: 1000, proposalBytesMax: 1024 * 1024, readsMax: 1000 },
  requestTimeoutMs: 5000,
  requestBytesMax: 64 * 1024,
  cacheBytesMax: 1024 * 1024,
};

/** One place in the cluster: what survives a crash, and the member that runs on it now. */
interface Seat {
  readonly id: number;
  readonly disk: MemoryDisk;
  readonly engine: Engine;
  member: Member | undefined;
  log: MemoryLog | undefined;
  metrics: Metrics;
}

/** See the module comment. */
export class VirtualCluster {
  readonly loop = new VirtualLoop();
  readonly network = new VirtualNetwork(this.loop);
  readonly fatals: unknown[] = [];
  readonly #seats: Seat[];
  readonly #options: MemberOptions;
  readonly #seed: number;

  constructor(size: number, seed: number, options: Partial<MemberOptions> = {}) {
    this.#seed = seed;
    this.#options = { ...defaultMemberOptions, ...options };
    this.#seats = Array.from({ length: size }, (_, i) => ({
      id: i + 1,
      disk: new MemoryDisk(),
      engine: createMemoryEngine(),
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

  async start(id: number): Promise<Member> {
    const seat = this.#seat(id);
    seat.log = new MemoryLog(seat.disk);
    seat.metrics = new Metrics();
    const member = await Member.open({
      clusterId: 1,
      id,
      members: this.#seats.map((each) => ({
        id: each.id,
        name: `n${each.id}`,
        peerUrls: [`http://n${each.id}`],
        clientUrls: [],
        isLearner: false,
      })),
      log: seat.log,
      engine: surviving(seat.engine),
      transport: this.network.transport(id),
      eventLoop: this.loop,
      prng: createPrng(this.#seed * 1000 + id + this.loop.nowMs()),
      metrics: seat.metrics,
      logger: { info: ignore, warn: ignore, error: ignore },
      options: this.#options,
      onFatal: (error) => {
        this.fatals.push(error);
      },
    });
    seat.member = member;
    await member.start();
    return member;
  }

  member(id: number): Member {
    const { member } = this.#seat(id);
    if (member === undefined) {
      throw new Error(`member ${id} does not run`);
    }
    return member;
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

  #seat(id: number): Seat {
    const seat = this.#seats[id - 1];
    if (seat === undefined) {
      throw new Error(`there is no member ${id}`);
    }
    return seat;
  }
}

/** The engine as one run of a member sees it: its close ends the run, not the data. */
function surviving(engine: Engine): Engine {
  const close = async (): Promise<void> => engine.flush();
  return {
    getMany: async (keys) => engine.getMany(keys),
    scan: async (range) => engine.scan(range),
    write: async (batch) => engine.write(batch),
    flush: close,
    snapshot: () => engine.snapshot(),
    sizeBytes: async () => engine.sizeBytes(),
    close,
    [Symbol.asyncDispose]: close,
  };
}

function ignore(): void {
  // Log lines are not what these tests look at.
}
