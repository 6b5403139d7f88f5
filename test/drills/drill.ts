/** Set-up that drills share: members as processes, with a client and an operator for each. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { type AdminClient, connectAdmin, eventually } from '../harness/admin-client.ts';
import { connectKv, type KvClient, waitForLeader } from '../harness/kv-client.ts';
import { type EndedTest, showIfFailed } from '../harness/members-output.ts';
import { ProcessCluster } from '../harness/processes.ts';
import { verifyLoad, type WriteLoad } from './load.ts';

const startLimitMs = 30_000;
const intact = { lost: [], doubled: [], moved: [], happenedThoughRejected: [] };

/** One member as a drill sees it. */
export interface Seat {
  /** In the cluster of processes. */
  readonly index: number;
  /** The member's id, decimal; empty until it is asked for. */
  id: string;
  readonly client: KvClient;
  readonly admin: AdminClient;
}

/** A cluster under a drill; cleaned up when the test ends. */
export class Drill {
  readonly directory: string;
  readonly cluster: ProcessCluster;
  /** The members of the cluster as it is now. */
  readonly seats: Seat[] = [];
  /** Clients of {@link seats}, for a load that follows the membership. */
  readonly clients: KvClient[] = [];
  readonly #opened: Seat[] = [];

  private constructor(directory: string, cluster: ProcessCluster) {
    this.directory = directory;
    this.cluster = cluster;
  }

  /** Starts `size` members of a new cluster and waits until one leads. */
  static async start(size: number, extraArgs: readonly string[] = []): Promise<Drill> {
    const directory = await mkdtemp(join(tmpdir(), 'holdfast-drill-'));
    const folders = Array.from({ length: size }, (_, i) => join(directory, `m${i + 1}`));
    const cluster = await ProcessCluster.create(folders, extraArgs);
    return Drill.over(directory, cluster);
  }

  /** Starts the members of `cluster`, whose data is below `directory`. */
  static async over(directory: string, cluster: ProcessCluster): Promise<Drill> {
    const drill = new Drill(directory, cluster);
    onTestFinished(async ({ task }) => drill.#clean(task));
    await cluster.startAll();
    for (const i of cluster.members.keys()) {
      drill.#take(i);
    }
    await waitForLeader(drill.clients, startLimitMs);
    for (const seat of drill.seats) {
      seat.id = await drill.#idOf(seat);
    }
    return drill;
  }

  /** Adds a member by a call to `via`, and starts it. */
  async add(via: Seat, isLearner: boolean): Promise<Seat> {
    const index = await this.cluster.lay(
      join(this.directory, `m${this.cluster.members.length + 1}`),
      this.seats.map((seat) => seat.index),
    );
    const peerUrl = this.cluster.peerUrl(index);
    const id = await this.#change(
      async () => via.admin.addMember(peerUrl, isLearner),
      async () =>
        (await via.admin.members()).members.find((each) => each.peerURLs[0] === peerUrl)?.ID,
    );
    await this.cluster.start(index);
    const seat = this.#take(index);
    seat.id = id;
    return seat;
  }

  async promote(via: Seat, { id }: Seat): Promise<void> {
    await this.#change(
      async () => via.admin.promoteMember(id),
      async () => {
        const found = (await via.admin.members()).members.find((each) => each.ID === id);
        return found?.isLearner === false ? true : undefined;
      },
    );
  }

  /** Removes a member by a call to `via`, and waits until its process has ended by itself. */
  async remove(via: Seat, leaving: Seat): Promise<void> {
    this.#leave(leaving);
    await this.#change(
      async () => via.admin.removeMember(leaving.id),
      async () => {
        const { members } = await via.admin.members();
        return members.some((each) => each.ID === leaving.id) ? undefined : true;
      },
    );
    expect(await this.cluster.ended(leaving.index, startLimitMs), 'a removed member ends').toBe(70);
  }

  /** Who leads now. */
  async leader(): Promise<Seat> {
    return this.seats[await waitForLeader(this.clients, startLimitMs)] as Seat;
  }

  /** How often a member has logged this event. */
  async timesLogged({ index }: Seat, event: string): Promise<number> {
    return (await this.cluster.output(index)).split(`"${event}"`).length - 1;
  }

  /** How often all members together have. */
  async totalLogged(event: string): Promise<number> {
    const each = await Promise.all(this.seats.map(async (seat) => this.timesLogged(seat, event)));
    return each.reduce((sum, times) => sum + times, 0);
  }

  /** What each member says of itself, and the last lines of its log: for what went wrong. */
  async report(): Promise<string> {
    const each = await Promise.all(
      this.seats.map(async ({ index, id, admin }) => {
        const status = await admin.status().catch((error: unknown) => String(error));
        const lines = (await this.cluster.output(index)).trimEnd().split('\n').slice(-15);
        return [`member ${id}: ${JSON.stringify(status)}`, ...lines].join('\n  ');
      }),
    );
    return each.join('\n');
  }

  /** Another member than `seat`. */
  other(seat: Seat): Seat {
    return this.seats.find((each) => each !== seat) as Seat;
  }

  /** Every member must agree with what was acknowledged. */
  async expectIntact(load: WriteLoad, prefix: string): Promise<void> {
    for (const { client } of this.seats) {
      expect(await verifyLoad(load.record, client, prefix)).toEqual(intact);
    }
  }

  /** Waits until all members tell the same hash of the same keys. */
  async expectConverged(limitMs = 30_000): Promise<void> {
    await eventually(async () => {
      const [first, ...others] = this.seats;
      await first?.client.waitUntilReady(limitMs);
      const revision = (await first?.admin.status())?.header?.revision ?? '0';
      const hash = await first?.admin.hashKv(revision);
      for (const { admin } of others) {
        expect(await admin.hashKv(revision)).toEqual(hash);
      }
    }, limitMs);
  }

  #take(index: number): Seat {
    const endpoint = this.cluster.endpoints[index] ?? '';
    const seat = { index, id: '', client: connectKv(endpoint), admin: connectAdmin(endpoint) };
    this.#opened.push(seat);
    this.seats.push(seat);
    this.clients.push(seat.client);
    return seat;
  }

  #leave(seat: Seat): void {
    const at = this.seats.indexOf(seat);
    this.seats.splice(at, 1);
    this.clients.splice(at, 1);
  }

  async #idOf({ admin }: Seat): Promise<string> {
    return (await admin.status()).header?.member_id ?? '';
  }

  /** Makes a change, again if it fails, unless it turns out to have been made. */
  async #change<Result>(
    make: () => Promise<Result>,
    made: () => Promise<Result | true | undefined>,
  ): Promise<Result> {
    return eventually(async () => {
      try {
        return await make();
      } catch (error) {
        const result = await made();
        if (result === undefined) {
          throw error;
        }
        return result as Result;
      }
    }, startLimitMs);
  }

  async #clean(task: EndedTest): Promise<void> {
    await showIfFailed(task, this.cluster);
    for (const { client, admin } of this.#opened) {
      client.close();
      admin.close();
    }
    await this.cluster.stopAll();
    await rm(this.directory, { recursive: true, force: true });
  }
}
