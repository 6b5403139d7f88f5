/**
 * A simulated client's account: it signs in once a member asks who calls, and again when its token
 * is of no use any more, as clients of the real API do (`client/sign-in.ts`).
 */
import type { NodeId } from '../../src/raft/index.ts';
import type { Cluster } from './cluster.ts';
import type { SignedIn } from './gate.ts';
import { callMember } from './calls.ts';

/** See the module comment. */
export class Account {
  readonly user: string;
  #token: string | undefined;
  /** Whether a member has asked who calls. */
  #isAsked = false;

  constructor(user: string) {
    this.user = user;
  }

  /** What calls are made with. */
  get token(): string | undefined {
    return this.#token;
  }

  /** Goes on once it has a token, if it needs one and can have it; otherwise without. */
  prepare(cluster: Cluster, id: NodeId, then: () => void): void {
    if (!this.#isAsked || this.#token !== undefined) {
      then();
      return;
    }
    const { callTimeoutUs } = cluster.parameters.workload;
    callMember<SignedIn>(cluster, id, {
      lost: { kind: 'refused', reason: 'no answer' },
      ask: (member, reply) => {
        member.run.gate.signIn(this.user, callTimeoutUs, reply);
      },
      done: (outcome) => {
        if (outcome.kind === 'signedIn') {
          this.#token = outcome.token;
        } else if (outcome.reason === 'AUTH_NOT_ENABLED') {
          this.#isAsked = false;
        }
        then();
      },
    });
  }

  /** A call has been refused with this code. */
  learn(code: string): void {
    if (code === 'USER_EMPTY' || code === 'INVALID_AUTH_TOKEN') {
      this.#isAsked = true;
      this.#token = undefined;
    }
  }
}
