/** The npm client `etcd3`, connected to Holdfast and to etcd: the same tests for both. */
import { Etcd3 } from 'etcd3';
import { afterAll, beforeAll, beforeEach, describe } from 'vitest';
import { hasEtcd, startEtcd } from './etcd-server.ts';
import { startHoldfast } from './sides.ts';

interface Server {
  readonly endpoints: readonly string[];
  stop(): Promise<void>;
}

/** A server and a client of it. To be asked in tests only: before them there is none. */
export class Connected {
  #server: Server | undefined;
  #client: Etcd3 | undefined;

  get client(): Etcd3 {
    if (this.#client === undefined) {
      throw new Error('the client connects when the tests begin');
    }
    return this.#client;
  }

  get urls(): readonly string[] {
    return (this.#server?.endpoints ?? []).map((endpoint) => `http://${endpoint}`);
  }

  async open(start: () => Promise<Server>): Promise<void> {
    this.#server = await start();
    this.#client = new Etcd3({ hosts: [...this.urls] });
  }

  async close(): Promise<void> {
    this.#client?.close();
    await this.#server?.stop();
  }
}

/** Describes what holds for both servers; each test begins with an empty store. */
export function describeEtcd3(title: string, tests: (connected: Connected) => void): void {
  describe(`${title} Holdfast`, () => {
    describeSide(startHoldfast, tests);
  });

  describe.runIf(hasEtcd())(`${title} etcd`, () => {
    describeSide(startEtcd, tests);
  });
}

function describeSide(start: () => Promise<Server>, tests: (connected: Connected) => void): void {
  const connected = new Connected();

  beforeAll(async () => {
    await connected.open(start);
  });

  afterAll(async () => {
    await connected.close();
  });

  beforeEach(async () => {
    await connected.client.delete().all();
  });

  tests(connected);
}
