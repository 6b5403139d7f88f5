/** Both sides of a comparison for single calls: a client of etcd, one of each Holdfast member. */
import { RawClient } from './raw-client.ts';
import { type Sides, startSides } from './sides.ts';

/** See the module comment. */
export class RawSides {
  readonly etcd: RawClient;
  readonly members: readonly RawClient[];
  readonly #sides: Sides;

  private constructor(sides: Sides) {
    this.#sides = sides;
    this.etcd = new RawClient(sides.etcd);
    this.members = sides.holdfast.endpoints.map((endpoint) => new RawClient(endpoint));
  }

  static async start(): Promise<RawSides> {
    return new RawSides(await startSides());
  }

  /** The member whose turn it is with the call of this number. */
  memberAt(i: number): RawClient {
    return this.members[i % this.members.length] as RawClient;
  }

  async stop(): Promise<void> {
    for (const client of [this.etcd, ...this.members]) {
      client.close();
    }
    await this.#sides.stop();
  }
}
